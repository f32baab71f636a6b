import { hash } from 'node:crypto';
import { boundedMap } from '../../kernel/boundedMap.js';
import type { ChatKey } from '../../kernel/chat.js';
import type { MessageId, UserId } from '../../kernel/ids.js';
import type { CollectionSpec, Plain } from '../../kernel/ports/documentStore.js';
import { bytesOfIds, idsOfBytes, type MessageIds, type PostingHead } from './postings.js';

/** Raised when the same messages would be indexed in another way: then the index is built from the log again. */
const version = 4;
const named = (name: string): string => `${name}_v${version.toString()}`;

/** The posting list of each term: a term is a keyed hash, and its key is that of the chat. */
export const headCollection = named('searchHeads');
/** The full blocks of the lists. */
export const blockCollection = named('searchBlocks');
/** For each message whose key seals it, so that its postings can be taken out when that is destroyed. */
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

/**
 * Under which key the words of a message are sealed, so that its postings are found when that key is destroyed. Which terms
 * it has is not kept: that follows from its events.
 */
export type RecordDocument = {
  /** The user whose key seals the message. */
  readonly subject: UserId;
  /** Of that key. */
  readonly period: string;
};

export const recordOf = (stored: Plain): RecordDocument | undefined => {
  const { subject, period } = stored as unknown as Partial<RecordDocument>;
  return typeof subject === 'bigint' && typeof period === 'string' ? { subject, period } : undefined;
};
