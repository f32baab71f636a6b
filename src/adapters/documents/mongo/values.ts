import type { Binary } from 'mongodb';
import { driver } from '../../mongo/driver.js';
import type { Plain } from '../../../kernel/ports/documentStore.js';

/** The form in which a document is stored. A `bigint` is written as a BSON Long, and read as one. */
export type Stored =
  string | number | bigint | boolean | null | Binary | readonly Stored[] | { readonly [key: string]: Stored };

/**
 * A value in BSON that comes back as the same value: numbers as int32 or double, bigints as Long, bytes as binary data.
 * A value for which BSON or one of the servers has no place is wrapped:
 * - a bigint beyond 64 bits with a sign is its decimal digits in binary data of the subtype `wideNumber`;
 * - an array inside an array is `{ _list: [...] }`;
 * - an object that has a key with a dot, a dollar sign or a meaning of its own is `{ _entries: [key, value, ...] }`.
 */
export const stored = (value: Plain): Stored => {
  if (typeof value === 'bigint') return isLong(value) ? value : wide(value);
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Uint8Array) return new (driver().Binary)(value);
  return isList(value) ? value.map(storedItem) : storedObject(value);
};

/** The way back. Bytes are copied, so that nothing holds on to the memory of the answer they came in. */
export const plain = (value: Stored): Plain => {
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof driver().Binary)
    return value.sub_type === wideNumber ? BigInt(value.toString('utf8')) : bytesOf(value);
  if (isStoredList(value)) return value.map(plain);
  const { [listKey]: list, [entriesKey]: entries } = value;
  if (list !== undefined && isStoredList(list)) return list.map(plain);
  if (entries !== undefined && isStoredList(entries)) return objectOf(entries);
  const object: Record<string, Plain> = {};
  for (const key in value) {
    const inner = value[key];
    if (inner !== undefined) object[key] = plain(inner);
  }
  return object;
};

/** The first of the subtypes that BSON leaves to applications. */
const wideNumber = 0x80;
const listKey = '_list';
const entriesKey = '_entries';
/** Empty, with a meaning to BSON, to its library, to JavaScript or to us. */
const unusualKey = /^(?:|\$.*|_list|_entries|_bsontype|__proto__|toBSON)$|[.\0]/s;

const longMax = 2n ** 63n - 1n;
const isLong = (value: bigint): boolean => value <= longMax && value >= -longMax - 1n;

const wide = (value: bigint): Binary => new (driver().Binary)(Buffer.from(value.toString(), 'latin1'), wideNumber);

// `Array.isArray` does not narrow readonly arrays.
const isList = (value: Plain): value is readonly Plain[] => Array.isArray(value);
const isStoredList = (value: Stored): value is readonly Stored[] => Array.isArray(value);

type PlainObject = Readonly<Record<string, Plain | undefined>>;

const storedItem = (value: Plain): Stored => (isList(value) ? { [listKey]: value.map(storedItem) } : stored(value));

const storedObject = (value: PlainObject): Stored => {
  const object: Record<string, Stored> = {};
  for (const key of Object.keys(value)) {
    if (unusualKey.test(key)) return { [entriesKey]: entriesOf(value) };
    const inner = value[key];
    if (inner !== undefined) object[key] = stored(inner);
  }
  return object;
};

const entriesOf = (value: PlainObject): readonly Stored[] =>
  Object.entries(value).flatMap(([key, inner]) => (inner === undefined ? [] : [key, storedItem(inner)]));

const objectOf = (entries: readonly Stored[]): Plain => {
  const pairs: (readonly [string, Plain])[] = [];
  for (let at = 0; at + 1 < entries.length; at += 2) {
    const [key, value] = [entries[at], entries[at + 1]];
    if (typeof key === 'string' && value !== undefined) pairs.push([key, plain(value)]);
  }
  return Object.fromEntries(pairs);
};

const bytesOf = (value: Binary): Uint8Array => Uint8Array.from(value.value());
