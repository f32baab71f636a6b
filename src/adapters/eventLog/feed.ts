import { setImmediate as turn } from 'node:timers/promises';
import type { Position } from '../../kernel/event.js';
import { partOfStored } from '../../kernel/parts.js';
import {
  batchEventsMax,
  eventsPerAppendMax,
  type StoredEvent,
  type Subscription,
} from '../../kernel/ports/eventLog.js';

/** Makes subscriptions out of a log that can be read and says when it has grown. */
export interface Feed {
  /** Tells the subscriptions of events that are durable and follow on what was last published. */
  publish(events: readonly StoredEvent[]): void;
  subscribe(after: Position): Subscription;
  /** Ends all subscriptions. */
  close(): void;
}

export type FeedNeeds = {
  /** The position of the last durable event. */
  readonly end: () => Position;
  /** Durable events after a position, oldest first; fewer than `limit` only when there are no more. */
  readonly read: (after: Position, limit: number) => Promise<readonly StoredEvent[]>;
};

/** A subscription that is behind by no more than this is served from memory, with objects shared by all of them. */
const recentEventsMax = 1_024;
const recentBytesMax = 8 * 1024 * 1024;

export const feed = (needs: FeedNeeds): Feed => {
  const recent = recentEvents();
  const open = new Set<() => void>();
  const wake = (): void => {
    for (const wakeOne of open) wakeOne();
  };
  let closed = false;

  const subscribe = (after: Position): Subscription => {
    let done = closed;
    let woken: () => void = () => undefined;
    const wakeOne = (): void => {
      woken();
    };
    if (!done) open.add(wakeOne);
    const batches = async function* (): AsyncGenerator<readonly StoredEvent[], void> {
      let position = after;
      try {
        while (!done && !closed) {
          const end = needs.end();
          if (end <= position) {
            await new Promise<void>((resolve) => (woken = resolve));
            continue;
          }
          const batch = recent.after(position) ?? (await stored(needs, position));
          // The events in between may all have been removed; then the place is the end as it was before the read.
          position = batch.at(-1)?.position ?? end;
          if (batch.length > 0 && !isOver()) yield batch;
        }
      } finally {
        open.delete(wakeOne);
      }
    };
    const isOver = (): boolean => done || closed;
    const iterator = batches();
    return {
      [Symbol.asyncIterator]: () => iterator,
      close: () => {
        done = true;
        open.delete(wakeOne);
        woken();
      },
    };
  };

  return {
    publish: (events) => {
      recent.push(events);
      wake();
    },
    subscribe,
    close: () => {
      closed = true;
      wake();
      open.clear();
    },
  };
};

// A read that finds its data in memory never leaves the turn: without this a long replay would starve everything else.
const stored = async (needs: FeedNeeds, position: Position): Promise<readonly StoredEvent[]> => {
  await turn();
  const page = await needs.read(position, batchEventsMax);
  const last = page.length < batchEventsMax ? undefined : page.at(-1);
  const rest = missingAfter(last);
  if (last === undefined || rest === 0) return page;
  const end = last.position + BigInt(rest);
  // A max count may have removed some of them, and then others follow.
  const more = await needs.read(last.position, rest);
  return [...page, ...more.filter((event) => event.position <= end)];
};

/** So many events stand behind this one that are part of the same request: in one commit, so they are there. */
const missingAfter = (last: StoredEvent | undefined): number => {
  const part = last === undefined ? undefined : partOfStored(last.metadata);
  return part === undefined ? 0 : Math.min(Math.max(0, part.of - part.index), eventsPerAppendMax);
};

type RecentEvents = {
  readonly push: (events: readonly StoredEvent[]) => void;
  /** The events after a position, `undefined` when they reach back further than memory. */
  readonly after: (position: Position) => readonly StoredEvent[] | undefined;
};

const recentEvents = (): RecentEvents => {
  let events: StoredEvent[] = [];
  let bytes = 0;
  // Dropping from the front copies the rest, so it is done in large steps.
  const trim = (): void => {
    const kept =
      events.length > recentEventsMax * 2 ? events.slice(-recentEventsMax) : events.slice(events.length >> 1);
    events = bytesOf(kept) > recentBytesMax ? kept.slice(-Math.max(1, kept.length >> 3)) : kept;
    bytes = bytesOf(events);
  };
  return {
    push: (more) => {
      // A commit that failed late and was kept after all leaves a gap here.
      if (more[0]?.position !== (events.at(-1)?.position ?? 0n) + 1n) {
        events = [];
        bytes = 0;
      }
      for (const event of more) events.push(event);
      bytes += bytesOf(more);
      if (events.length > recentEventsMax * 2 || bytes > recentBytesMax) trim();
    },
    after: (position) => {
      const [first] = events;
      if (first === undefined || position < first.position - 1n) return undefined;
      // Positions in memory are dense, see `push`.
      const start = Number(position - first.position) + 1;
      if (start >= events.length) return undefined;
      const end = start + batchEventsMax;
      return events.slice(start, end < events.length ? end + missingAfter(events[end - 1]) : end);
    },
  };
};

const bytesOf = (events: readonly StoredEvent[]): number =>
  events.reduce((sum, { data, metadata }) => sum + data.length + metadata.length, 0);
