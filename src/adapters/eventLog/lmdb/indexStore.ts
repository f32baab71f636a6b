import { join } from 'node:path';
import type { Database } from 'lmdb';
import type { StoredPlace } from '../appendRules.js';
import { openEnvironment, type LmdbEnvironment } from './environment.js';
import type { Filter } from './filter.js';
import { idBytes, packedIdAt, writePackedId } from './record.js';

/**
 * The index on disk: which events a stream has, and where. It follows from the log, a little behind it, and can be
 * deleted while the log is closed. Keys begin with the stream, so that what belongs to one short stream lies together:
 *
 *     length of the name (2), name, tag (1), number (8)   →  value
 *     chunks    first revision    up to `chunkEntriesMax` entries, one after another
 *     filters   block             the last four bytes of the ids of a block of `blockEvents` events, sorted
 *
 * An entry: position (8, a double), offset (4), index in its segment (2), 1 when it is alone there (2), id (16).
 */
export type IndexStore = LmdbEnvironment<IndexTables>;

export type IndexTables = {
  readonly streams: Database<Buffer, Buffer>;
  /** Under `upTo`: the position up to which the log is indexed. */
  readonly state: Database<Buffer, string>;
};

export type Entry = StoredPlace & {
  /** Key of the segment that holds the record, and where in it the record begins. */
  readonly segment: number;
  readonly offset: number;
  readonly alone: boolean;
  /** Packed. */
  readonly id: string;
};

/** Both revisions inclusive. */
export type EntryRange = {
  readonly from: number;
  readonly to: number;
  readonly limit: number;
  readonly backwards: boolean;
};

/** Ids are remembered by blocks of this many revisions. */
export const blockEvents = 256;

// Together just below the half page from which on LMDB gives a value pages of its own.
const chunkEntriesMax = 48;
const entryBytes = 16 + idBytes;
const tag = { chunks: 1, filters: 2 } as const;

export const openIndexStore = (folder: string): IndexStore =>
  openEnvironment(join(folder, 'index'), (root) => ({
    streams: root.openDB<Buffer, Buffer>('streams', { encoding: 'binary', keyEncoding: 'binary' }),
    state: root.openDB<Buffer, string>('state', { encoding: 'binary' }),
  }));

export const indexedUpTo = ({ tables }: IndexStore): number => tables.state.get('upTo')?.readDoubleBE(0) ?? 0;

export const putIndexedUpTo = ({ state }: IndexTables, position: number): void => {
  const value = Buffer.alloc(8);
  value.writeDoubleBE(position);
  void state.put('upTo', value);
};

/** Forgets everything. */
export const clear = ({ streams, state }: IndexTables): void => {
  void streams.clearAsync();
  void state.clearAsync();
};

/** Whether the stream has events on disk: its first chunk is never removed. A get costs half of what a range does. */
export const isIndexed = ({ tables: { streams } }: IndexStore, stream: string): boolean =>
  streams.doesExist(keyOf(stream, tag.chunks, 0));

export const indexedEntries = ({ tables: { streams } }: IndexStore, stream: string, range: EntryRange): Entry[] => {
  const { from, to, limit, backwards: reverse } = range;
  const high = keyOf(stream, tag.chunks, to);
  const low = chunkWith(streams, stream, from);
  const [start, end] = reverse ? [high, low] : [low, high];
  const found: Entry[] = [];
  for (const { key, value } of streams.getRange({ start, end, inclusiveEnd: true, reverse })) {
    const first = numberOf(key);
    const count = value.length / entryBytes;
    for (let n = 0; n < count && found.length < limit; n += 1) {
      const index = reverse ? count - 1 - n : n;
      if (first + index >= from && first + index <= to) found.push(entryAt(value, index, first + index));
    }
    if (found.length >= limit) break;
  }
  return found;
};

/** The key of the chunk that holds `revision`, or would. */
const chunkWith = (streams: IndexTables['streams'], stream: string, revision: number): Buffer => {
  const key = keyOf(stream, tag.chunks, revision);
  if (revision === 0) return key;
  const end = keyOf(stream, tag.chunks, 0);
  const [found = key] = streams.getKeys({ start: key, end, inclusiveEnd: true, reverse: true, limit: 1 });
  return found;
};

/** The last entry, and those of the same block before it, newest first. One range, for it is on the way of appends. */
export const newestIndexed = ({ tables: { streams } }: IndexStore, stream: string): Entry[] => {
  const found: Entry[] = [];
  for (const { first, value } of chunksBackwards(streams, stream)) {
    for (let index = value.length / entryBytes - 1; index >= 0; index -= 1) {
      const block = blockOf((found[0]?.revision ?? first + index) + 1);
      if (found.length > 0 && blockOf(first + index) < block) return found;
      found.push(entryAt(value, index, first + index));
    }
  }
  return found;
};

function* chunksBackwards(streams: IndexTables['streams'], stream: string): Generator<Chunk> {
  const start = keyOf(stream, tag.chunks, Number.MAX_SAFE_INTEGER);
  const end = keyOf(stream, tag.chunks, 0);
  for (const { key, value } of streams.getRange({ start, end, inclusiveEnd: true, reverse: true })) {
    yield { first: numberOf(key), value };
  }
}

type Chunk = { readonly first: number; readonly value: Buffer };

/**
 * The entries must come after those that are there. Where events are missing between them, because the log had lost them
 * to a max count before they were indexed, a new chunk begins: in a chunk there are no gaps. To be called, like all
 * puts, inside a commit.
 */
export const putEntries = ({ streams }: IndexTables, stream: string, entries: readonly Entry[]): void => {
  let chunk = lastChunk(streams, stream, entries);
  for (let start = 0; start < entries.length;) {
    const end = denseEnd(entries, start, chunkEntriesMax - countOf(chunk));
    putChunk(streams, stream, chunk, entries.slice(start, end));
    chunk = { first: entries[end]?.revision ?? 0, value: noBytes };
    start = end;
  }
};

/** The one that the entries go on with. */
const lastChunk = (streams: IndexTables['streams'], stream: string, entries: readonly Entry[]): Chunk => {
  const fresh = { first: entries[0]?.revision ?? 0, value: noBytes };
  if (fresh.first === 0) return fresh;
  for (const chunk of chunksBackwards(streams, stream)) {
    const follows = chunk.first + countOf(chunk) === fresh.first && countOf(chunk) < chunkEntriesMax;
    return follows ? chunk : fresh;
  }
  // The beginning of the stream was cut before it was indexed. An empty first chunk stands for it: see `isIndexed`.
  putChunk(streams, stream, { first: 0, value: noBytes }, []);
  return fresh;
};

const countOf = ({ value }: Chunk): number => value.length / entryBytes;

/** The index behind the last of at most `countMax` entries from `start` on that follow on each other without a gap. */
const denseEnd = (entries: readonly Entry[], start: number, countMax: number): number => {
  const first = entries[start]?.revision ?? 0;
  let end = start + 1;
  while (end < entries.length && end - start < countMax && entries[end]?.revision === first + end - start) end += 1;
  return end;
};

const noBytes = Buffer.alloc(0);

const putChunk = (
  streams: IndexTables['streams'],
  stream: string,
  { first, value }: Chunk,
  entries: readonly Entry[],
): void => {
  const grown = Buffer.allocUnsafe(value.length + entries.length * entryBytes);
  grown.set(value);
  for (const [index, entry] of entries.entries()) writeEntry(grown, value.length + index * entryBytes, entry);
  void streams.put(keyOf(stream, tag.chunks, first), grown);
};

const writeEntry = (value: Buffer, at: number, { position, offset, segment, alone, id }: Entry): void => {
  value.writeDoubleBE(position, at);
  value.writeUInt32BE(offset, at + 8);
  value.writeUInt16BE(position - segment, at + 12);
  value.writeUInt16BE(alone ? 1 : 0, at + 14);
  writePackedId(value, id, at + 16);
};

const entryAt = (value: Buffer, index: number, revision: number): Entry => {
  const at = index * entryBytes;
  const position = value.readDoubleBE(at);
  return {
    revision,
    position,
    offset: value.readUInt32BE(at + 8),
    segment: position - value.readUInt16BE(at + 12),
    alone: value.readUInt16BE(at + 14) === 1,
    id: packedIdAt(value, at + 16),
  };
};

/** Removes at most `limit` chunks, but never the first, and as many filters, that are wholly below `revision`. */
export const removeBelow = (tables: IndexTables, stream: string, revision: number, limit: number): void => {
  if (revision <= 0) return;
  const end = keyOf(stream, tag.chunks, revision);
  const chunks = tables.streams.getRange({ start: keyOf(stream, tag.chunks, 1), end, limit });
  for (const { key, value } of chunks) {
    if (numberOf(key) + value.length / entryBytes <= revision) void tables.streams.remove(key);
  }
  const filters = { start: keyOf(stream, tag.filters, 0), end: keyOf(stream, tag.filters, blockOf(revision)), limit };
  for (const key of tables.streams.getKeys(filters)) void tables.streams.remove(key);
};

/** The block that a revision belongs to. */
export const blockOf = (revision: number): number => Math.floor(revision / blockEvents);

export const putFilter = ({ streams }: IndexTables, stream: string, block: number, filter: Filter): void => {
  void streams.put(keyOf(stream, tag.filters, block), Buffer.from(filter.buffer, filter.byteOffset, filter.byteLength));
};

/** `undefined` when the block has none: all its events are long cut. */
export const indexedFilter = ({ tables }: IndexStore, stream: string, block: number): Filter | undefined => {
  const held = tables.streams.get(keyOf(stream, tag.filters, block));
  return held === undefined ? undefined : new Uint32Array(Uint8Array.from(held).buffer);
};

const keyOf = (stream: string, kind: number, number: number): Buffer => {
  const nameBytes = Buffer.byteLength(stream);
  const key = Buffer.allocUnsafe(2 + nameBytes + 9);
  key.writeUInt16BE(nameBytes, 0);
  key.write(stream, 2);
  key[2 + nameBytes] = kind;
  // Doubles that are not negative sort as their bytes do.
  key.writeDoubleBE(number, 3 + nameBytes);
  return key;
};

const numberOf = (key: Buffer): number => key.readDoubleBE(key.length - 8);
