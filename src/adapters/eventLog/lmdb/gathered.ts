import type { Filter } from './filter.js';
import { putEntries, putFilter, putIndexedUpTo, removeBelow, type Entry, type IndexTables } from './indexStore.js';

/** Entries that the index has not written yet. */
export type Gathered = {
  /** The newest entries of a stream. */
  readonly tails: Map<string, Entry[]>;
  /** Of the blocks that these complete, by stream and block. */
  readonly filters: Map<string, Map<number, Filter>>;
  /** Below which revision the entries of a stream may go. */
  readonly cuts: Map<string, number>;
  events: number;
  /** The position of the last event, 0 when there is none. */
  upTo: number;
};

/** A stream with a max count remembers this many ids besides those of the events that it still has. */
export const rememberedMin = 32;

/** How many dead chunks of a stream a write removes: a bound on its work. */
const removedMax = 64;

export const nothing = (): Gathered => ({
  tails: new Map(),
  filters: new Map(),
  cuts: new Map(),
  events: 0,
  upTo: 0,
});

export const gather = (gathered: Gathered, stream: string, entry: Entry): void => {
  const tail = gathered.tails.get(stream);
  if (tail === undefined) gathered.tails.set(stream, [entry]);
  else tail.push(entry);
  gathered.events += 1;
  gathered.upTo = entry.position;
};

export const gatherFilter = ({ filters }: Gathered, stream: string, block: number, filter: Filter): void => {
  const ofStream = filters.get(stream) ?? new Map<number, Filter>();
  filters.set(stream, ofStream.set(block, filter));
};

/** To be called inside a commit. */
export const putGathered = (tables: IndexTables, { tails, filters, cuts, upTo }: Gathered): void => {
  for (const [stream, tail] of tails) putEntries(tables, stream, tail);
  for (const [stream, blocks] of filters) {
    for (const [block, filter] of blocks) putFilter(tables, stream, block, filter);
  }
  for (const [stream, cut] of cuts) removeBelow(tables, stream, cut - rememberedMin, removedMax);
  putIndexedUpTo(tables, upTo);
};

/** `older` with what followed on it. */
export const merged = (older: Gathered, newer: Gathered): Gathered => {
  for (const [stream, tail] of newer.tails) older.tails.set(stream, [...(older.tails.get(stream) ?? []), ...tail]);
  for (const [stream, blocks] of newer.filters) {
    for (const [block, filter] of blocks) gatherFilter(older, stream, block, filter);
  }
  for (const [stream, cut] of newer.cuts) older.cuts.set(stream, cut);
  older.events += newer.events;
  older.upTo = Math.max(older.upTo, newer.upTo);
  return older;
};
