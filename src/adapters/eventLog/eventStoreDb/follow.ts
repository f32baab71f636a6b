import {
  excludeSystemEvents,
  START,
  streamNameFilter,
  type AllStreamSubscription,
  type EventStoreDBClient,
} from '@eventstore/db-client';
import { beforeAll, type Position } from '../../../kernel/event.js';
import type { StoredEvent, Subscription } from '../../../kernel/ports/eventLog.js';
import type { EventStoreConnection } from './connection.js';
import { isTooSlow, longPauseMillis, Silence, type Telling } from './failures.js';
import type { Gate } from './gate.js';
import { storedEventOf } from './records.js';

export type FollowNeeds = {
  readonly connection: EventStoreConnection;
  /** As many subscriptions as the connection carries. */
  readonly calls: Gate;
  readonly prefix: string;
  readonly telling: Telling;
  readonly end: () => Promise<Position>;
  /** The place of the newest event at or before a position; see `Reads`. */
  readonly standing: (position: Position) => Promise<Position>;
  /** After so long without an event it is asked whether there should have been one. */
  readonly silenceMillis: number;
};

export type Following = Subscription & {
  /** Called once nothing will be asked of it any more. */
  onOver(act: () => void): void;
};

/** A batch has at most this many events; the client holds about as many more. */
const batchEventsMax = 512;

/** Events that the server looks through at a time for those that pass the filter. */
const searchWindowEvents = 1_000;

/** An event on its way has this long to arrive before its absence counts as silence. */
const graceMillisMax = 2_000;

/**
 * Follows the log from `after` on, for ever. After any break `follow` subscribes again after the last event that it
 * handed out.
 */
export const follow = (needs: FollowNeeds, after: Position): Following => {
  const state: State = {
    position: after,
    failures: 0,
    closed: false,
    wake: () => undefined,
    leave: () => undefined,
    over: () => undefined,
  };
  const iterator = batches(needs, state);
  return {
    [Symbol.asyncIterator]: () => iterator,
    close: () => {
      state.closed = true;
      // A reader that takes a batch and does not come back would otherwise keep the call open.
      state.leave();
      state.wake();
      state.over();
    },
    onOver: (act) => {
      state.over = act;
    },
  };
};

type State = {
  /** Of the last event handed out. */
  position: Position;
  /** In a row. */
  failures: number;
  closed: boolean;
  wake: () => void;
  leave: () => void;
  over: () => void;
};

async function* batches(needs: FollowNeeds, state: State): AsyncGenerator<readonly StoredEvent[], void> {
  const leaveGate = await needs.calls.enter();
  try {
    while (!state.closed) {
      const before = state.position;
      const over = yield* oneSession(needs, state);
      await recover({ needs, state, progressed: state.position > before }, over);
    }
  } finally {
    leaveGate();
    state.over();
  }
}

async function* oneSession(needs: FollowNeeds, state: State): AsyncGenerator<readonly StoredEvent[], Over | undefined> {
  let from: Position | undefined;
  try {
    from = await unlessClosed(state, needs.standing(state.position));
  } catch (error) {
    return { by: 'error', error };
  }
  if (from === undefined) return undefined;
  const session = openSession(needs, state, from);
  state.leave = session.leave;
  try {
    yield* untilOver(session, state);
  } finally {
    session.leave();
  }
  return session.over();
}

/** A caller that closes need not wait for a read that is tried again and again. */
const unlessClosed = <T>(state: State, work: Promise<T>): Promise<T | undefined> =>
  new Promise((resolve, reject) => {
    state.wake = () => resolve(undefined);
    work.then(resolve, reject);
  });

async function* untilOver(session: Session, state: State): AsyncGenerator<readonly StoredEvent[], void> {
  while (!state.closed) {
    const batch = session.take();
    if (batch.length > 0) {
      state.failures = 0;
      yield batch;
    } else if (session.over() !== undefined) return;
    else await session.change();
  }
}

/** How a subscription came to its end; an end without an error is a fault as well, for nobody asked for it. */
type Over = { readonly by: 'error' | 'end' | 'silence'; readonly error: unknown };

type Recovery = {
  readonly needs: FollowNeeds;
  readonly state: State;
  readonly progressed: boolean;
};

const recover = async ({ needs, state, progressed }: Recovery, over: Over | undefined): Promise<void> => {
  if (state.closed) return;
  const { count, alarm } = needs.telling;
  if (over?.by === 'error' && isTooSlow(over.error)) {
    count('subscriptions_too_slow');
    // At once, for that is its normal course; only a server that cuts before it has sent anything is waited for.
    if (progressed) return;
  } else if (over?.by === 'end') count('subscriptions_ended');
  else if (over?.by === 'silence') count('subscriptions_silent');
  else count('subscriptions_dropped');
  state.failures += 1;
  alarm({ doing: 'following the log', failures: state.failures, error: over?.error });
  await sleep(state, longPauseMillis(state.failures));
};

const sleep = (state: State, millis: number): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, millis);
    state.wake = () => {
      clearTimeout(timer);
      resolve();
    };
  });

type Session = {
  /** The events that have arrived, without waiting. */
  readonly take: () => readonly StoredEvent[];
  readonly over: () => Over | undefined;
  /** Resolves when there is something to take, when it is over and when it is closed. */
  readonly change: () => Promise<void>;
  readonly leave: () => void;
};

const openSession = (needs: FollowNeeds, state: State, from: Position): Session => {
  const { connection, telling, prefix } = needs;
  const { client, done } = connection.use();
  const subscription = subscribed(client, needs.prefix, from);
  let over: Over | undefined;
  let changed = false;
  let left = false;
  const change = (): void => {
    changed = true;
    if (!left) state.wake();
  };
  const end = (by: Over['by'], error: unknown): void => {
    over ??= { by, error };
    change();
  };
  // In the same turn: an error that nobody listens to ends the process.
  subscription.on('error', (error: unknown) => end('error', error));
  for (const ending of ['end', 'close'] as const) {
    subscription.on(ending, () => end('end', new Error('the server ended the subscription')));
  }
  subscription.on('readable', change);
  const watch = silenceWatch(needs, state, (error) => end('silence', error));

  return {
    take: () => {
      changed = false;
      const batch: StoredEvent[] = [];
      while (batch.length < batchEventsMax) {
        const resolved = subscription.read() as Parameters<typeof storedEventOf>[0] | null; // Node's type is `any`.
        if (resolved === null) break;
        const event = storedEventOf(resolved, prefix);
        if (event === undefined) continue;
        // After a reconnect some may come again.
        if (event.position <= state.position) telling.count('duplicates_dropped');
        else {
          batch.push(event);
          state.position = event.position;
        }
      }
      return batch;
    },
    over: () => over,
    change: async () => {
      if (changed || over !== undefined) return;
      watch.wait();
      await new Promise<void>((resolve) => (state.wake = resolve));
      watch.pause();
    },
    leave: () => {
      if (left) return;
      left = true;
      watch.pause();
      // A call that is left open keeps one of the connection's hundred places for ever.
      subscription.unsubscribe().catch(() => undefined);
      if (over !== undefined && !isTooSlow(over.error) && over.by !== 'end') connection.renew(client);
      done();
    },
  };
};

/**
 * Always from a place, never from the end: a cut before the first event would lose all between the two. And always
 * from the last event handed out, never from a checkpoint: the client tells of those ahead of events that are still
 * in its buffer, and several servers have sent wrong ones. So nobody listens for them; and if a listener failed, the
 * client would stop for ever without an error.
 */
const subscribed = (client: EventStoreDBClient, prefix: string, after: Position): AllStreamSubscription => {
  const window = { maxSearchWindow: searchWindowEvents, checkpointInterval: 100 };
  return client.subscribeToAll(
    {
      fromPosition: after === beforeAll ? START : { commit: after, prepare: after },
      filter: prefix === '' ? excludeSystemEvents(window) : streamNameFilter({ prefixes: [prefix], ...window }),
    },
    { highWaterMark: batchEventsMax },
  );
};

type Watch = { readonly wait: () => void; readonly pause: () => void };

/** A subscription that brings nothing looks like one that has nothing to bring; the end of the log tells them apart. */
const silenceWatch = ({ end, silenceMillis }: FollowNeeds, state: State, silent: (error: unknown) => void): Watch => {
  let timer: NodeJS.Timeout | undefined;
  const pause = (): void => {
    clearTimeout(timer);
    timer = undefined;
  };
  const look = async (): Promise<void> => {
    const looked = timer;
    const stored = await end().catch(() => state.position);
    // An event that arrived meanwhile has ended this wait, and with it the timer.
    if (timer !== looked) return;
    if (stored <= state.position) wait();
    else
      timer = setTimeout(
        () => silent(new Silence('the subscription', silenceMillis)),
        Math.min(silenceMillis, graceMillisMax),
      );
  };
  const wait = (): void => {
    timer = setTimeout(() => void look(), silenceMillis);
  };
  return { wait, pause };
};
