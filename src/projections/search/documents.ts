import { hash } from 'node:crypto';
import { boundedMap } from '../../kernel/boundedMap.js';
import type { ChatKey } from '../../kernel/chat.js';
import type { MessageId, UserId } from '../../kernel/ids.js';
import type { CollectionSpec, Plain } from '../../kernel/ports/documentStore.js';
import { bytesOfIds, idsOfBytes, type MessageIds, type PostingHead } from './postings.js';

/** Raised when the same messages would be indexed in another way: then the index is built from the log again. */
const version = 3;
const named = (name: string): string => `${name}_v${version.toString()}`;

/** The posting list of each term: a term is a keyed hash, and its key is that of the chat. */
export const headCollection = named('searchHeads');
/** The full blocks of the lists. */
export const blockCollection = named('searchBlocks');
/** For each message its terms, so that exactly its postings can be taken out. */
export const recordCollection = named('searchRecords');

/** `subject`: [the user whose key seals the message, period of that key]. */
export const searchCollections: readonly CollectionSpec[] = [
  { name: headCollection, indexes: [] },
  { name: blockCollection, indexes: [] },
  { name: recordCollection, indexes: ['subject'] },
];

export const searchProjection = 'search';
export const searchCheckpoint = `${searchProjection} ${searchCollections.map(({ name }) => name).join(' ')}`;

/**
 * A keyed hash of a term, in base64url: 12 letters, which are 9 bytes, and more of a word of more than four letters (see
 * `wordPaths`). Always whole bytes.
 */
export type HashedTerm = string & { readonly hashed?: never };

const chatBytes = 9;
/** Of the key of a list the rest is the hash of its term. */
export const prefixLength = 12;

/** The beginning of all keys of a chat: as long for each chat, so none begins with another one. */
export type ChatPrefix = string;
export const chatPrefixOf = (chat: ChatKey): ChatPrefix => {
  const known = prefixesLately.get(chat);
  if (known !== undefined) return known;
  const prefix = hash('sha256', chat, 'buffer').toString('base64url', 0, chatBytes);
  prefixesLately.set(chat, prefix);
  return prefix;
};

/** About 1 MiB. */
const prefixesMax = 4_096;
/** Asked for with each message, and nothing but the prefix follows from a chat. */
const prefixesLately = boundedMap<ChatKey, ChatPrefix>({ entriesMax: prefixesMax });

const idDigits = 16;
const inHex = (id: bigint): string => id.toString(16).padStart(idDigits, '0');

export const headKey = (chatPrefix: string, term: HashedTerm): string => `${chatPrefix}${term}`;
export const blockKey = (head: string, ceiling: bigint): string => `${head}${inHex(ceiling)}`;
export const recordKey = (chatPrefix: string, message: MessageId): string => `${chatPrefix}${inHex(message)}`;
export const chatPrefixOfKey = (key: string): ChatPrefix => key.slice(0, prefixLength);
export const messageOfRecordKey = (key: string): MessageId => BigInt(`0x${key.slice(-idDigits)}`) as MessageId;

type HeadDocument = { readonly ids: Uint8Array; readonly ceilings?: Uint8Array };
type BlockDocument = { readonly ids: Uint8Array };

export const headDocument = ({ ids, ceilings }: PostingHead): HeadDocument =>
  ceilings.length === 0 ? { ids: bytesOfIds(ids) } : { ids: bytesOfIds(ids), ceilings: bytesOfIds(ceilings) };

/** Undefined for a damaged one, as below. */
export const headOf = (stored: Plain): PostingHead | undefined => {
  // Written by `headDocument`, unless it was damaged: here, and in the casts below.
  const { ids: newest, ceilings: former = noBytes } = stored as Partial<HeadDocument>;
  const [ids, ceilings] = [idsIn(newest), idsIn(former)];
  return ids && ceilings && { ids, ceilings };
};

const noBytes = new Uint8Array(0);

const idsIn = (bytes: unknown): MessageIds | undefined =>
  bytes instanceof Uint8Array && bytes.length % BigUint64Array.BYTES_PER_ELEMENT === 0 ? idsOfBytes(bytes) : undefined;

export const blockDocument = (ids: MessageIds): BlockDocument => ({ ids: bytesOfIds(ids) });
export const blockIdsOf = (stored: Plain): MessageIds | undefined => idsIn((stored as Partial<BlockDocument>).ids);

/** The terms of one message as they lie in the store: sealed under the keys that seal the message itself. */
export type RecordDocument = {
  readonly chat: ChatKey;
  /** The user whose key seals the message. */
  readonly subject: UserId;
  /** Of that key. */
  readonly period: string;
  readonly sealed: Uint8Array;
};
/** A record with the message that it is of. */
export type RecordPlace = Omit<RecordDocument, 'sealed'> & { readonly message: MessageId };

export const recordOf = (stored: Plain): RecordDocument | undefined => {
  const { chat, subject, period, sealed } = stored as unknown as Partial<RecordDocument>;
  const isWhole = typeof chat === 'string' && typeof subject === 'bigint' && typeof period === 'string';
  return isWhole && sealed instanceof Uint8Array ? { chat, subject, period, sealed } : undefined;
};

/** The terms of a message, and those that the last commit took away: after a crash both are looked at again. */
export type RecordedTerms = { readonly terms: readonly HashedTerm[]; readonly leaving: readonly HashedTerm[] };

/** Two bytes count the terms that it has; each term comes behind a byte that counts its bytes. */
export const bytesOfTerms = ({ terms, leaving }: RecordedTerms): Uint8Array => {
  const all = [...terms, ...leaving];
  const bytes = Buffer.alloc(all.reduce((length, term) => length + 1 + bytesIn(term), countBytes));
  let at = bytes.writeUInt16BE(terms.length);
  for (const term of all) {
    at = bytes.writeUInt8(bytesIn(term), at);
    at += bytes.write(term, at, 'base64url');
  }
  return bytes;
};

/** Undefined for bytes that `bytesOfTerms` did not make. */
export const termsOfBytes = (bytes: Uint8Array): RecordedTerms | undefined => {
  if (bytes.length < countBytes) return undefined;
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const all: HashedTerm[] = [];
  for (let at = countBytes; at < buffer.length;) {
    const begin = at + 1;
    at = begin + buffer.readUInt8(at);
    if (at > buffer.length) return undefined;
    all.push(buffer.toString('base64url', begin, at));
  }
  const count = buffer.readUInt16BE();
  return { terms: all.slice(0, count), leaving: all.slice(count) };
};

const countBytes = 2;
const bytesIn = ({ length }: HashedTerm): number => (length * 3) / 4;
