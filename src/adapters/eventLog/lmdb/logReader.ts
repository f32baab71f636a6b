import type { LogRead, StoredEvent, StreamRead } from '../../../kernel/ports/eventLog.js';
import type { Entry } from './indexStore.js';
import { firstKept, settingsOf, type LogStore } from './logStore.js';
import { claimedLength, damaged, eventAt, offsetsIn, readSegment, type Segment } from './record.js';
import type { StreamIndex } from './streamIndex.js';

/** Reads what is on disk; the database shows nothing else. Every record is checked against its checksum. */
export interface LogReader {
  readStream(stream: string, read: StreamRead): readonly StoredEvent[];
  readAll(read: LogRead): readonly StoredEvent[];
  /** The position of the last event, 0 in an empty log. */
  last(): number;
  /** The segments whose first position is after `position`. */
  segmentsAfter(position: number): Iterable<Segment>;
}

export const logReader = (store: LogStore, index: StreamIndex): LogReader => ({
  readStream: (stream, read) => readStream(store, index, stream, read),
  readAll: (read) => (read.direction === 'backwards' ? readAllBackwards(store, read) : readAllForwards(store, read)),
  last: () => {
    for (const { key, value } of store.tables.segments.getRange({ reverse: true, limit: 1 })) {
      return key + offsetsIn(key, value).length - 1;
    }
    return 0;
  },
  segmentsAfter: (position) =>
    store.tables.segments
      .getRange({ start: position + 1, snapshot: false })
      .map(({ key, value }) => readSegment(key, value)),
});

const readAllForwards = (store: LogStore, { from = 0n, limit }: LogRead): readonly StoredEvent[] => {
  const wanted = numberOf(from) + 1;
  const events: StoredEvent[] = [];
  if (limit <= 0) return events;
  const [start = wanted] = store.tables.segments.getKeys({ start: wanted, reverse: true, limit: 1 });
  for (const { key, value } of store.tables.segments.getRange({ start })) {
    const offsets = offsetsIn(key, value);
    for (let i = Math.max(0, wanted - key); i < offsets.length && events.length < limit; i += 1) {
      events.push(eventAt(value, offsets[i] ?? 0, key + i));
    }
    if (events.length >= limit) break;
  }
  return events;
};

const readAllBackwards = (store: LogStore, { from, limit }: LogRead): readonly StoredEvent[] => {
  const wanted = from === undefined ? Number.MAX_SAFE_INTEGER : numberOf(from) - 1;
  const events: StoredEvent[] = [];
  if (limit <= 0 || wanted <= 0) return events;
  for (const { key, value } of store.tables.segments.getRange({ start: wanted, reverse: true })) {
    const offsets = offsetsIn(key, value);
    for (let i = Math.min(offsets.length - 1, wanted - key); i >= 0 && events.length < limit; i -= 1) {
      events.push(eventAt(value, offsets[i] ?? 0, key + i));
    }
    if (events.length >= limit) break;
  }
  return events;
};

const readStream = (store: LogStore, index: StreamIndex, stream: string, read: StreamRead): readonly StoredEvent[] => {
  const backwards = read.direction === 'backwards';
  const low = lowest(store, index, stream);
  const edge = read.from === undefined ? undefined : numberOf(read.from);
  const from = backwards ? low : Math.max(low, edge ?? 0);
  const to = backwards ? (edge ?? Number.MAX_SAFE_INTEGER) : Number.MAX_SAFE_INTEGER;
  if (read.limit <= 0 || to < from) return [];
  const entries = index.entries(stream, { from, to, limit: read.limit, backwards });
  checkDense(entries, backwards ? undefined : from);
  return entries.map((entry) => eventOf(store, stream, entry));
};

/** The first revision that the stream's max count leaves. */
const lowest = (store: LogStore, index: StreamIndex, stream: string): number => {
  const settings = settingsOf(store, stream);
  return Number.isFinite(settings.maxCount) ? firstKept(settings, index.last(stream)) : 0;
};

const checkDense = (entries: readonly Entry[], first: number | undefined): void => {
  let before = first === undefined ? undefined : first - 1;
  for (const { revision, position } of entries) {
    if (before !== undefined && Math.abs(revision - before) !== 1) throw damaged(position);
    before = revision;
  }
};

const eventOf = (store: LogStore, stream: string, { segment, offset, position, revision }: Entry): StoredEvent => {
  // This view is only good until the next read, so the one record that is wanted is copied out of it.
  const held = store.tables.segments.getBinaryFast(segment);
  const length = held === undefined ? 0 : claimedLength(held, offset);
  if (held === undefined || length === 0 || offset + length > held.length) throw damaged(position);
  // Into memory of its own, because others may keep the event: `Buffer.from` would give it a part of 8 KiB that stay with it.
  const record = Buffer.allocUnsafeSlow(length);
  record.set(held.subarray(offset, offset + length));
  const event = eventAt(record, 0, position);
  if (event.stream !== stream || event.revision !== BigInt(revision)) throw damaged(position);
  return event;
};

/** Anything beyond what the log can hold is as good as its end. */
const numberOf = (value: bigint): number =>
  value <= 0n ? 0 : value < BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : Number.MAX_SAFE_INTEGER - 1;
