import { LRUCache } from 'lru-cache';
import { defined } from './defined.js';

/** A map that forgets: of more than its bound the entries that were asked for or set least recently. */
export interface BoundedMap<Key, Value> {
  /** Counts as use. */
  get(key: Key): Value | undefined;
  /** Does not count as use. */
  peek(key: Key): Value | undefined;
  has(key: Key): boolean;
  /** A value that is larger than the whole bound is not kept. */
  set(key: Key, value: Value): void;
  delete(key: Key): boolean;
  clear(): void;
  readonly size: number;
}

/** A number of entries, or a number of bytes together with the bytes of each entry, at least 1, or both. */
export type MapBound<Key, Value> =
  | { readonly entriesMax: number }
  | { readonly bytesMax: number; readonly bytesOf: (value: Value, key: Key) => number; readonly entriesMax?: number };

/** Memory for all entries is taken at once where their number is the bound, so a larger one is a bound of sizes of 1. */
const boundOf = (entriesMax: number) =>
  entriesMax <= reservedEntriesMax ? { max: entriesMax } : { maxSize: entriesMax, sizeCalculation: () => 1 };
const reservedEntriesMax = 1_024;

type Kept = object | string | number | bigint | boolean;

/** `dropped` is given each value that the map holds no longer: forgotten, replaced or deleted. */
export const boundedMap = <Key extends Kept, Value extends Kept>(
  bound: MapBound<Key, Value>,
  dropped?: (value: Value) => void,
): BoundedMap<Key, Value> => {
  const entries = new LRUCache<Key, Value>({
    ...('bytesMax' in bound
      ? { maxSize: bound.bytesMax, sizeCalculation: bound.bytesOf, ...defined({ max: bound.entriesMax }) }
      : boundOf(bound.entriesMax)),
    ...(dropped && { dispose: dropped }),
  });
  return {
    get: (key) => entries.get(key),
    peek: (key) => entries.peek(key),
    has: (key) => entries.has(key),
    set: (key, value) => {
      entries.set(key, value);
    },
    delete: (key) => entries.delete(key),
    clear: () => {
      entries.clear();
    },
    get size() {
      return entries.size;
    },
  };
};
