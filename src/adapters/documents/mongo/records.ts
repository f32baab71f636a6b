import { defined } from '../../../kernel/defined.js';
import type { Binary } from 'mongodb';
import { driver } from '../../mongo/driver.js';
import { beforeAll, type Position } from '../../../kernel/event.js';
import type {
  AbsentDocument,
  DocumentWrite,
  IndexKey,
  IndexRange,
  StoredDocument,
} from '../../../kernel/ports/documentStore.js';
import { boundsOf, elementBytesMax, keyWriter, reserve, writeElements, writeEnd } from '../indexKeys.js';
import { plain, stored, type Stored } from './values.js';

/**
 * A record of a collection. A document has its key as `_id`, a string. For each index it has one entry, a string that
 * sorts as the index key does; a document with more keys has a further record for each of them, with binary data as
 * `_id`, which no range of documents' keys meets. So an index holds one value of each record, and a range of it can be
 * read in its order, because MongoDB sorts by an array in memory, and by its least or greatest element only.
 */
export type StoredRecord = {
  readonly _id: string | Binary;
  /** The position of the last event folded into it. */
  readonly _p: bigint;
  /** The document; absent when it is removed, and in further records. */
  readonly d?: Stored;
  /** The entry in each index. */
  readonly _i?: Readonly<Record<string, string>>;
  /** For each index in which the document has several keys, how many; or how many it may have got in a commit that ended too soon. */
  readonly _n?: Readonly<Record<string, number>>;
  /** Of a further record: the key of its document. */
  readonly _of?: string;
};

/** In UTF-8. */
export const keyBytesMax = 500;
/** The encoded elements of one index key. */
export const indexKeyBytesMax = 1_400;
export const indexKeysMax = 1_000;

const positionMax = 2n ** 63n - 1n;

/** A write as records: the document, and for each index its entries beyond the first, in their order. */
export type RecordDraft = {
  readonly key: string;
  readonly position: Position;
  readonly record: StoredRecord;
  readonly further: Readonly<Record<string, readonly string[]>>;
};

/** Throws when a key, an index key or the position cannot be stored. */
export const draftOf = (write: DocumentWrite): RecordDraft => {
  const { key, document, position } = write;
  checkKey(key);
  if (position < 0n || position > positionMax) throw new Error(`${position.toString()} is no position`);
  if (document === undefined) return { key, position, record: { _id: key, _p: position }, further: {} };
  const { first, further, counts } = entriesOf(write);
  const record = {
    _id: key,
    _p: position,
    d: stored(document),
    ...(Object.keys(first).length > 0 ? { _i: first } : {}),
    ...(Object.keys(counts).length > 0 ? { _n: counts } : {}),
  };
  return { key, position, record, further };
};

/** The record that holds the entry number `slot` of a document; without an entry it only keeps the position. */
export const furtherRecord = (
  { key, position }: Pick<RecordDraft, 'key' | 'position'>,
  place: { readonly index: string; readonly slot: number; readonly entry: string | undefined },
): StoredRecord => {
  const _id = new (driver().Binary)(Buffer.from(`${key}\0${place.index}\0${place.slot.toString()}`));
  const record = { _id, _p: position, _of: key };
  return place.entry === undefined ? record : { ...record, _i: { [place.index]: place.entry } };
};

/** Equal for equal ids, whether text or bytes. */
export const idText = (id: string | Binary): string =>
  typeof id === 'string' ? `k${id}` : `b${id.toString('base64')}`;

export const documentOf = (
  key: string,
  record: Pick<StoredRecord, '_p' | 'd'> | undefined,
): StoredDocument | AbsentDocument => {
  if (record === undefined) return { key, position: beforeAll };
  if (record.d === undefined) return { key, position: record._p };
  return { key, document: plain(record.d), position: record._p };
};

/** Two strings: all entries of the range lie at or above `low` and below `high`. */
export const entryBounds = ({ within, after, before }: IndexRange): { readonly low: string; readonly high: string } => {
  const bounds = boundsOf({
    prefix: nothing,
    within,
    ...defined({ after, before }),
  });
  return { low: sortableText(bounds.low), high: sortableText(bounds.high) };
};

/** The least string that is above all strings that begin with `prefix`. */
export const pastPrefix = (prefix: string): string | undefined => {
  const points = Array.from(prefix, (character) => character.codePointAt(0) ?? 0);
  for (let last = points.pop(); last !== undefined; last = points.pop()) {
    if (last === lastPoint) continue;
    const next = last + 1 === firstSurrogate ? pastSurrogates : last + 1;
    return String.fromCodePoint(...points, next);
  }
  return undefined;
};

const lastPoint = 0x10_ffff;
const firstSurrogate = 0xd800;
const pastSurrogates = 0xe000;

const nothing = new Uint8Array();
const writer = keyWriter();

const checkKey = (key: string): void => {
  const bytes = Buffer.byteLength(key);
  if (bytes === 0 || bytes > keyBytesMax) throw new Error(`a key takes 1 to ${keyBytesMax.toString()} bytes`);
};

type Entries = {
  readonly first: Readonly<Record<string, string>>;
  readonly further: Readonly<Record<string, readonly string[]>>;
  readonly counts: Readonly<Record<string, number>>;
};

const entriesOf = ({ key, indexKeys }: DocumentWrite): Entries => {
  const first: Record<string, string> = {};
  const further: Record<string, readonly string[]> = {};
  const counts: Record<string, number> = {};
  for (const [index, keys] of Object.entries(indexKeys)) {
    if (keys.length > indexKeysMax) throw new Error(`${index}: at most ${indexKeysMax.toString()} keys`);
    const [least, ...others] = [...new Set(keys.map((indexKey) => entryOf(index, indexKey, key)))].sort();
    if (least === undefined) continue;
    first[index] = least;
    if (others.length === 0) continue;
    further[index] = others;
    counts[index] = others.length + 1;
  }
  return { first, further, counts };
};

/** The index key and its end, then the document's own key: no two documents have the same entry. */
const entryOf = (index: string, indexKey: IndexKey, key: string): string => {
  // Nothing refers to what was written before: it became text.
  writer.at = 0;
  reserve(writer, elementBytesMax(indexKey));
  writeElements(writer, indexKey);
  writeEnd(writer);
  const bytes = writer.block.subarray(0, writer.at);
  if (bytes.length > indexKeyBytesMax) {
    throw new Error(`a key of ${index} takes more than ${indexKeyBytesMax.toString()} bytes`);
  }
  return sortableText(bytes) + sortableText(Buffer.from(key));
};

/** Each byte as the character of its number: servers compare text by its UTF-8, but binary data by its length first. */
const sortableText = (bytes: Buffer): string => bytes.toString('latin1');
