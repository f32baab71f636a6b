import { setImmediate as turn } from 'node:timers/promises';
import type { Position } from '../../kernel/event.js';
import { partOfStored, type Part } from '../../kernel/parts.js';
import {
  batchEventsMax,
  eventsPerAppendMax,
  type StoredEvent,
  type Subscription,
} from '../../kernel/ports/eventLog.js';

/** Makes subscriptions out of a log that can be read and says when it has grown. */
export interface Feed {
  /** Tells the subscriptions of events that are durable. Between `after` and the first of them there is none. */
  publish(events: readonly StoredEvent[], after: Position): void;
  subscribe(after: Position): Subscription;
  /** Ends all subscriptions. */
  close(): void;
}

export type FeedNeeds = {
  /** The position of the last durable event, as far as it was published. Nobody is told of anything behind it. */
  readonly end: () => Position;
  /** Durable events after a position, oldest first; fewer than `limit` only when there are no more. */
  readonly read: (after: Position, limit: number) => Promise<readonly StoredEvent[]>;
  /** Called when there is somebody to publish to. */
  readonly attended?: () => void;
  /** Called when there is nobody any more. */
  readonly unattended?: () => void;
};

/** A subscription that is behind by no more than this is served from memory, with objects shared by all of them. */
const recentEventsMax = 1_024;
const recentBytesMax = 8 * 1024 * 1024;

export const feed = (needs: FeedNeeds): Feed => {
  const recent = recentEvents();
  const { wake, enter, leave, clear } = audience(needs);
  let closed = false;

  const subscribe = (after: Position): Subscription => {
    let done = closed;
    let woken: () => void = () => undefined;
    const wakeOne = (): void => {
      woken();
    };
    if (!done) enter(wakeOne);
    const batches = async function* (): AsyncGenerator<readonly StoredEvent[], void> {
      let position = after;
      try {
        while (!done && !closed) {
          const end = needs.end();
          if (end <= position) {
            await new Promise<void>((resolve) => (woken = resolve));
            continue;
          }
          const batch = recent.after(position) ?? (await unlessOver(stored(needs, position)));
          if (batch === undefined) return;
          // The events in between may all have been removed; then the place is the end as it was before the read.
          position = batch.at(-1)?.position ?? end;
          if (batch.length > 0 && !isOver()) yield batch;
        }
      } finally {
        leave(wakeOne);
      }
    };
    const isOver = (): boolean => done || closed;
    // A subscription that is closed need not wait for a read that takes long.
    const unlessOver = <T>(reading: Promise<T>): Promise<T | undefined> =>
      new Promise((resolve, reject) => {
        woken = () => (isOver() ? resolve(undefined) : undefined);
        reading.then(resolve, reject);
      });
    const iterator = batches();
    return {
      [Symbol.asyncIterator]: () => iterator,
      close: () => {
        done = true;
        leave(wakeOne);
        woken();
      },
    };
  };

  return {
    publish: (events, after) => {
      recent.push(events, after);
      wake();
    },
    subscribe,
    close: () => {
      closed = true;
      wake();
      clear();
    },
  };
};

/** Those who are open, by what wakes them. */
const audience = ({ attended, unattended }: FeedNeeds) => {
  const open = new Set<() => void>();
  const leave = (wakeOne: () => void): void => {
    if (open.delete(wakeOne) && open.size === 0) unattended?.();
  };
  return {
    wake: (): void => {
      for (const wakeOne of open) wakeOne();
    },
    enter: (wakeOne: () => void): void => {
      open.add(wakeOne);
      if (open.size === 1) attended?.();
    },
    leave,
    clear: (): void => {
      for (const wakeOne of [...open]) leave(wakeOne);
    },
  };
};

// A read that finds its data in memory never leaves the turn: without this a long replay would starve everything else.
const stored = async (needs: FeedNeeds, position: Position): Promise<readonly StoredEvent[]> => {
  await turn();
  const page = await needs.read(position, batchEventsMax);
  const last = page.length < batchEventsMax ? undefined : page.at(-1);
  const part = last === undefined ? undefined : partOfStored(last.metadata);
  const missing = missingAfter(part);
  if (last === undefined || part === undefined || missing === 0) return page;
  const more = await needs.read(last.position, missing);
  // A max count may have removed some of them, and then events of others follow. Positions do not tell, having gaps.
  const isMissing = ({ metadata }: StoredEvent): boolean => {
    const { index, of } = partOfStored(metadata) ?? { index: 0, of: 0 };
    return of === part.of && index > part.index;
  };
  return [...page, ...more.slice(0, more.findLastIndex(isMissing) + 1)];
};

/** So many events stand behind this part that belong to the same request: in one commit, so they are there. */
const missingAfter = (part: Part | undefined): number =>
  part === undefined ? 0 : Math.min(Math.max(0, part.of - part.index), eventsPerAppendMax);

type RecentEvents = {
  readonly push: (events: readonly StoredEvent[], after: Position) => void;
  /** The events after a position, `undefined` when they reach back further than memory. */
  readonly after: (position: Position) => readonly StoredEvent[] | undefined;
};

const recentEvents = (): RecentEvents => {
  let events: StoredEvent[] = [];
  let bytes = 0;
  /** Memory has all that is between this and its last event. */
  let since: Position | undefined;
  // Dropping from the front copies the rest, so it is done in large steps.
  const trim = (): void => {
    const held = events;
    const kept = held.length > recentEventsMax * 2 ? held.slice(-recentEventsMax) : held.slice(held.length >> 1);
    events = bytesOf(kept) > recentBytesMax ? kept.slice(-Math.max(1, kept.length >> 3)) : kept;
    since = held[held.length - events.length - 1]?.position ?? since;
    bytes = bytesOf(events);
  };
  return {
    push: (more, after) => {
      // A commit that failed late and was kept after all leaves a gap here, as does a time in which nobody followed.
      if (after !== (events.at(-1)?.position ?? since)) {
        events = [];
        bytes = 0;
        since = after;
      }
      for (const event of more) events.push(event);
      bytes += bytesOf(more);
      if (events.length > recentEventsMax * 2 || bytes > recentBytesMax) trim();
    },
    after: (position) => {
      if (since === undefined || position < since) return undefined;
      const start = firstAfter(events, position);
      if (start >= events.length) return undefined;
      const end = start + batchEventsMax;
      const last = end < events.length ? events[end - 1] : undefined;
      return events.slice(start, last === undefined ? end : end + missingAfter(partOfStored(last.metadata)));
    },
  };
};

/** The index of the first event behind the position. */
const firstAfter = (events: readonly StoredEvent[], position: Position): number => {
  let [low, high] = [0, events.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((events[middle]?.position ?? position) > position) high = middle;
    else low = middle + 1;
  }
  return low;
};

const bytesOf = (events: readonly StoredEvent[]): number =>
  events.reduce((sum, { data, metadata }) => sum + data.length + metadata.length, 0);
