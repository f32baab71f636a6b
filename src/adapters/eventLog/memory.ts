import { setImmediate as turn } from 'node:timers/promises';
import { beforeAll, type Position } from '../../kernel/event.js';
import type { Millis } from '../../kernel/ids.js';
import {
  VersionConflict,
  type Appended,
  type EventLog,
  type ExpectedRevision,
  type LogRead,
  type NewEvent,
  type StoredEvent,
  type StreamAppend,
  type StreamRead,
} from '../../kernel/ports/eventLog.js';
import { checkAppend, checkAppends, checkMaxCount, duplicateAppends, isAsExpected, onlyPlace } from './appendRules.js';
import { feed } from './feed.js';

/** The event log in arrays, for tests. Nothing survives it. */
export const memoryEventLog = ({ now }: { readonly now: () => Millis }): EventLog => {
  const held: Held = { log: [], streams: new Map(), first: new Map(), maxCounts: new Map() };
  const { log } = held;
  const following = feed({
    end: () => endOf(held),
    read: (after, limit) => Promise.resolve(log.slice(Number(after), Number(after) + limit)),
  });
  let closed = false;
  const checkOpen = (): void => {
    if (closed) throw new Error('the log is closed');
  };
  const answer = async <T>(work: () => T): Promise<T> => {
    checkOpen();
    const result = work();
    await turn();
    return result;
  };
  const appendAll = (appends: readonly StreamAppend[]): readonly Appended[] => {
    const before = endOf(held);
    const { places, stored } = storeAll(held, appends, now());
    if (stored.length > 0) following.publish(stored, before);
    return places;
  };
  return {
    append: (stream, events, expected) =>
      answer(() => {
        checkAppend(stream, events);
        return onlyPlace(appendAll([{ stream, events, expected }]));
      }),
    appendAll: (appends) =>
      answer(() => {
        checkAppends(appends);
        return appendAll(appends);
      }),
    readStream: (stream, read) => answer(() => readStream(held, stream, read)),
    readAll: (read) => answer(() => readAll(held, read)),
    subscribe: (after) => {
      checkOpen();
      return following.subscribe(after);
    },
    setMaxCount: (stream, maxCount) =>
      answer(() => {
        checkMaxCount(stream, maxCount);
        held.maxCounts.set(stream, maxCount);
        cut(held, stream);
      }),
    maxCountOf: (stream) => answer(() => held.maxCounts.get(stream)),
    end: () => answer(() => endOf(held)),
    close: async () => {
      closed = true;
      following.close();
      await turn();
    },
  };
};

type Held = {
  readonly log: StoredEvent[];
  readonly streams: Map<string, StoredEvent[]>;
  /** The first revision that a max count leaves. */
  readonly first: Map<string, bigint>;
  readonly maxCounts: Map<string, number>;
};

const endOf = ({ log }: Held): Position => log.at(-1)?.position ?? beforeAll;
const lastOf = ({ streams }: Held, stream: string): bigint => BigInt((streams.get(stream)?.length ?? 0) - 1);

const storeAll = (held: Held, appends: readonly StreamAppend[], at: Millis) => {
  const looked = appends.map((one) => ({ ...one, again: againIn(held, one) }));
  for (const { stream, expected, again } of looked) if (again === undefined) checkExpected(held, stream, expected);
  const stored: StoredEvent[] = [];
  const places = looked.map(({ stream, events, again }) => {
    if (again !== undefined) return again;
    stored.push(...store(held, stream, events, at));
    return { revision: lastOf(held, stream), position: endOf(held) };
  });
  return { places, stored };
};

const againIn = ({ streams }: Held, { stream, events }: StreamAppend): Appended | undefined => {
  const place = duplicateAppends(events, (id) => placeOf(streams.get(stream) ?? [], id));
  return place && { revision: BigInt(place.revision), position: BigInt(place.position) };
};

const checkExpected = (held: Held, stream: string, expected: ExpectedRevision): void => {
  const last = lastOf(held, stream);
  if (isAsExpected(Number(last), expected)) return;
  throw new VersionConflict(stream, expected, last === -1n ? 'noStream' : last);
};

const store = (held: Held, stream: string, events: readonly NewEvent[], at: Millis): readonly StoredEvent[] => {
  const inStream = held.streams.get(stream) ?? [];
  held.streams.set(stream, inStream);
  const stored = events.map((event, index) => ({
    ...copyOf(event),
    stream,
    revision: BigInt(inStream.length + index),
    position: BigInt(held.log.length + index + 1),
    at,
  }));
  inStream.push(...stored);
  held.log.push(...stored);
  cut(held, stream);
  return stored;
};

const cut = (held: Held, stream: string): void => {
  const maxCount = held.maxCounts.get(stream);
  if (maxCount === undefined) return;
  const first = lastOf(held, stream) + 1n - BigInt(maxCount);
  if (first > (held.first.get(stream) ?? 0n)) held.first.set(stream, first);
};

const readStream = ({ streams, first }: Held, stream: string, { from, direction, limit }: StreamRead) => {
  const backwards = direction === 'backwards';
  const kept = (streams.get(stream) ?? []).slice(Number(first.get(stream) ?? 0n));
  const isWanted = ({ revision }: StoredEvent): boolean =>
    from === undefined || (backwards ? revision <= from : revision >= from);
  return page(kept.filter(isWanted), { direction: direction ?? 'forwards', limit });
};

const readAll = ({ log }: Held, { from, direction, limit }: LogRead) => {
  const backwards = direction === 'backwards';
  const isWanted = ({ position }: StoredEvent): boolean =>
    from === undefined || (backwards ? position < from : position > from);
  return page(log.filter(isWanted), { direction: direction ?? 'forwards', limit });
};

const placeOf = (held: readonly StoredEvent[], id: string) => {
  const event = held.find((one) => one.id === id);
  return event === undefined ? undefined : { revision: Number(event.revision), position: Number(event.position) };
};

// The caller may use its buffers again, so the log stores a copy.
const copyOf = ({ id, type, data, metadata }: NewEvent): NewEvent => ({
  id,
  type,
  data: Uint8Array.from(data),
  metadata: Uint8Array.from(metadata),
});

const page = (
  events: readonly StoredEvent[],
  { direction, limit }: Required<Pick<LogRead, 'direction' | 'limit'>>,
): readonly StoredEvent[] => (direction === 'backwards' ? events.toReversed() : events).slice(0, Math.max(0, limit));
