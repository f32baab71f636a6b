import type { StoredPlace } from '../appendRules.js';
import type { StoredEvent } from '../../../kernel/ports/eventLog.js';
import { filterOf, mayHold, rememberedFilters, type Filter } from './filter.js';
import { gather, gatherFilter, merged, nothing, putGathered, type Gathered } from './gathered.js';
import {
  blockEvents,
  blockOf,
  clear,
  indexedEntries,
  indexedFilter,
  indexedUpTo,
  isIndexed,
  newestIndexed,
  type Entry,
  type EntryRange,
  type IndexStore,
} from './indexStore.js';
import type { Segment } from './record.js';

/**
 * Which durable events a stream has, and where. New ones are kept in memory and written many at a time, beside the
 * log and not in the way of it: an append waits for one write to the log and for nothing else. After a crash the few
 * that were not written are read from the log again.
 */
export interface StreamIndex {
  /** The position up to which it knows the log. */
  upTo(): number;
  /** The last revision, -1 when the stream has no events. */
  last(stream: string): number;
  entries(stream: string, range: EntryRange): readonly Entry[];
  /** The entries of the block that is not complete yet; when that is empty, the last entry. Newest first. */
  newest(stream: string): readonly Entry[];
  /** The place of an event among the first `blocks` blocks of its stream. */
  placeOf(stream: string, id: string, blocks: number): StoredPlace | undefined;
  /** Takes in what has just become durable. */
  add(segment: Segment): void;
  /** The events of the stream before `cut` are gone: their entries may go too. */
  cut(stream: string, cut: number): void;
  /** Waits until there is room in memory. Throws when that needs a write that fails. */
  room(): Promise<void>;
  /** Forgets everything. */
  clear(): Promise<void>;
  reopen(): Promise<void>;
  /** Writes everything first. */
  close(): Promise<void>;
}

/** As many events are gathered before they are written … */
const gatheredMin = 8_192;
/** … and no more than this: it bounds memory, and what is read from the log again after a crash. */
const gatheredMax = 24_576;

export const streamIndex = (store: IndexStore): StreamIndex => {
  const memory: Memory = { gathered: nothing(), leaving: nothing() };
  const lookup = lookups(store, memory);
  const writes = writer(store, memory);
  return {
    upTo: () => Math.max(memory.gathered.upTo, memory.leaving.upTo) || indexedUpTo(store),
    last: (stream) => lookup.last(stream)?.revision ?? -1,
    entries: lookup.entries,
    newest: lookup.newest,
    placeOf: lookup.placeOf,
    add: (segment) => {
      for (const [index, event] of segment.events.entries()) {
        const entry = entryOf(segment, index, event);
        gather(memory.gathered, event.stream, entry);
        if (blockOf(entry.revision + 1) === blockOf(entry.revision)) continue;
        const block = blockOf(entry.revision);
        const ids = lookup.block(event.stream, block).map(({ id }) => id);
        gatherFilter(memory.gathered, event.stream, block, filterOf(ids));
      }
      if (memory.gathered.events >= gatheredMin) void writes.begin();
    },
    cut: (stream, cut) => {
      memory.gathered.cuts.set(stream, cut);
    },
    room: async () => {
      while (memory.gathered.events >= gatheredMax) await writes.begin();
    },
    clear: () => store.commit(clear),
    reopen: async () => {
      await writes.settled();
      await store.reopen();
    },
    close: async () => {
      await writes.settled();
      // Entries that cannot be written now are read from the log again when the index is next opened.
      if (memory.gathered.events > 0) await writes.begin().catch(() => undefined);
      await store.close();
    },
  };
};

const entryOf = (segment: Segment, index: number, { revision, position }: StoredEvent): Entry => ({
  revision: Number(revision),
  position: Number(position),
  segment: segment.first,
  offset: segment.offsets[index] ?? 0,
  alone: segment.events.length === 1,
  id: segment.ids[index] ?? '',
});

/** Entries on disk come first, then those being written, then those gathered. */
type Memory = { gathered: Gathered; leaving: Gathered };

const writer = (store: IndexStore, memory: Memory) => {
  let writing: Promise<void> | undefined;
  const write = async (): Promise<void> => {
    memory.leaving = memory.gathered;
    memory.gathered = nothing();
    try {
      await store.commit((tables) => {
        putGathered(tables, memory.leaving);
      });
    } catch (error) {
      memory.gathered = merged(memory.leaving, memory.gathered);
      throw error;
    } finally {
      memory.leaving = nothing();
      writing = undefined;
    }
  };
  return {
    /** Writes what is gathered, unless a write is under way already. */
    begin: (): Promise<void> => {
      writing ??= write();
      // When it fails, the next one who has to wait for a write sees it.
      writing.catch(() => undefined);
      return writing;
    },
    settled: async (): Promise<void> => {
      await writing?.catch(() => undefined);
    },
  };
};

const lookups = (store: IndexStore, memory: Memory) => {
  const filters = rememberedFilters((stream, block) => indexedFilter(store, stream, block));
  const entries = (stream: string, range: EntryRange): readonly Entry[] => {
    const tails = [memory.leaving, memory.gathered].flatMap((one) => [one.tails.get(stream) ?? []]);
    return joined(tails, range, (older) => indexedEntries(store, stream, older));
  };
  const last = (stream: string): Entry | undefined => {
    const { gathered, leaving } = memory;
    const tail = gathered.tails.get(stream) ?? leaving.tails.get(stream);
    if (tail !== undefined) return tail.at(-1);
    if (!isIndexed(store, stream)) return undefined;
    return indexedEntries(store, stream, { from: 0, to: Number.MAX_SAFE_INTEGER, limit: 1, backwards: true })[0];
  };
  const block = (stream: string, number: number): readonly Entry[] => {
    const from = number * blockEvents;
    return entries(stream, { from, to: from + blockEvents - 1, limit: blockEvents, backwards: false });
  };
  const filter = (stream: string, number: number): Filter | undefined =>
    memory.gathered.filters.get(stream)?.get(number) ??
    memory.leaving.filters.get(stream)?.get(number) ??
    filters(stream, number);
  return {
    entries,
    last,
    block,
    newest: (stream: string): readonly Entry[] => {
      const { gathered, leaving } = memory;
      if (!gathered.tails.has(stream) && !leaving.tails.has(stream)) {
        return isIndexed(store, stream) ? newestIndexed(store, stream) : [];
      }
      const newest = last(stream);
      if (newest === undefined) return [];
      const from = blockOf(newest.revision + 1) * blockEvents;
      const before = { from, to: newest.revision - 1, limit: blockEvents, backwards: true };
      return from >= newest.revision ? [newest] : [newest, ...entries(stream, before)];
    },
    placeOf: (stream: string, id: string, blocks: number): StoredPlace | undefined => {
      for (let number = blocks - 1; number >= 0; number -= 1) {
        const held = filter(stream, number);
        if (held === undefined || !mayHold(held, id)) continue;
        const found = block(stream, number).find((entry) => entry.id === id);
        if (found !== undefined) return found;
      }
      return undefined;
    },
  };
};

/** The entries that a range finds among the newest of a stream and, before them, on disk. */
const joined = (
  tails: readonly (readonly Entry[])[],
  range: EntryRange,
  older: (range: EntryRange) => Entry[],
): readonly Entry[] => {
  const { from, to, limit, backwards } = range;
  const inMemory = tails.find((tail) => tail.length > 0)?.[0]?.revision ?? Number.POSITIVE_INFINITY;
  const onDisk = { ...range, to: Math.min(to, inMemory - 1) };
  const found = backwards || from >= inMemory ? [] : older(onDisk);
  for (const tail of backwards ? tails.toReversed() : tails) {
    const part = slice(tail, range, limit - found.length);
    for (const entry of part) found.push(entry);
  }
  if (backwards && from < inMemory && found.length < limit) {
    for (const entry of older({ ...onDisk, limit: limit - found.length })) found.push(entry);
  }
  return found;
};

const slice = (tail: readonly Entry[], { from, to, backwards }: EntryRange, limit: number): readonly Entry[] => {
  const start = placeIn(tail, from);
  const end = Math.max(start, placeIn(tail, to + 1));
  return backwards
    ? tail.slice(Math.max(start, end - limit), end).toReversed()
    : tail.slice(start, Math.min(end, start + limit));
};

/** Where the entries from this revision on begin. There are gaps where a max count cut what was not indexed yet. */
const placeIn = (tail: readonly Entry[], revision: number): number => {
  const first = tail[0]?.revision ?? 0;
  let place = Math.min(Math.max(0, revision - first), tail.length);
  while (place > 0 && (tail[place - 1]?.revision ?? 0) >= revision) place -= 1;
  return place;
};
