import { setImmediate as turn } from 'node:timers/promises';
import type { Position } from '../../../kernel/event.js';
import type { StoredEvent } from '../../../kernel/ports/eventLog.js';
import type { EventStoreConnection } from './connection.js';
import { isTooSlow, longPauseMillis, Silence, type Telling } from './failures.js';
import { subscribed } from './subscribed.js';

export type TailNeeds = {
  readonly connection: EventStoreConnection;
  readonly prefix: string;
  /** Nothing of ours is at or before this position. */
  readonly since: Position;
  readonly telling: Telling;
  readonly end: () => Promise<Position>;
  /** The place of the newest event at or before a position; see `Reads`. */
  readonly standing: (position: Position) => Promise<Position>;
  /** After so long without an event it is asked whether there should have been one. */
  readonly silenceMillis: number;
  /** Takes events as they come. Nothing of ours is between `after` and the first. Without any: that is where it begins. */
  readonly arrived: (events: readonly StoredEvent[], after: Position) => void;
};

/** The events that come at the end of the log, from where that was when it was made. After any break it goes on where it was. */
export interface Tail {
  /** Of the last event that has come; undefined until it is known where the log ends. */
  position(): Position | undefined;
  stop(): void;
}

/** An event on its way has this long to arrive before its absence counts as silence. */
const graceMillisMax = 2_000;

export const tailOf = (needs: TailNeeds): Tail => {
  const state: State = {
    position: undefined,
    failures: 0,
    closed: false,
    wake: () => undefined,
    leave: () => undefined,
  };
  void run(needs, state);
  return {
    position: () => state.position,
    stop: () => {
      state.closed = true;
      state.leave();
      state.wake();
    },
  };
};

type State = {
  /** Of the last event handed on. */
  position: Position | undefined;
  /** In a row. */
  failures: number;
  closed: boolean;
  wake: () => void;
  leave: () => void;
};

const run = async (needs: TailNeeds, state: State): Promise<void> => {
  while (!state.closed) {
    const before = state.position;
    const over = await oneSession(needs, state);
    await recover({ needs, state, progressed: state.position !== before }, over);
  }
};

const oneSession = async (needs: TailNeeds, state: State): Promise<Over | undefined> => {
  try {
    const position = await placeOf(needs, state);
    const from = position === undefined ? undefined : await unlessClosed(state, needs.standing(position));
    if (position === undefined || from === undefined) return undefined;
    const session = openSession(needs, { state, position, from });
    state.leave = session.leave;
    try {
      await untilOver(session, state);
    } finally {
      session.leave();
    }
    return session.over();
  } catch (error) {
    return { by: 'error', error };
  }
};

/** Undefined when it was closed meanwhile. */
const placeOf = async ({ end, since, arrived }: TailNeeds, state: State): Promise<Position | undefined> => {
  if (state.position !== undefined) return state.position;
  const newest = await unlessClosed(state, end());
  if (newest === undefined) return undefined;
  state.position = newest < since ? since : newest;
  arrived([], state.position);
  return state.position;
};

/** A caller that closes need not wait for a read that is tried again and again. */
const unlessClosed = <T>(state: State, work: Promise<T>): Promise<T | undefined> =>
  new Promise((resolve, reject) => {
    state.wake = () => {
      if (state.closed) resolve(undefined);
    };
    work.then(resolve, reject);
  });

const untilOver = async (session: Session, state: State): Promise<void> => {
  while (!state.closed) {
    if (session.hasTaken()) state.failures = 0;
    else if (session.over() !== undefined) return;
    else await session.change();
    // Events of one packet come one after another, and go on as one batch.
    await turn();
  }
};

/** How a subscription came to its end; an end without an error is a fault as well, for nobody asked for it. */
type Over = { readonly by: 'error' | 'end' | 'silence'; readonly error: unknown };

type Recovery = {
  readonly needs: TailNeeds;
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
  alarm({ doing: 'following the log', failures: state.failures, waiting: 1, error: over?.error });
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
  /** Hands on the events that have arrived; false when there are none. */
  readonly hasTaken: () => boolean;
  readonly over: () => Over | undefined;
  /** Resolves when there is something to take, when it is over and when it is closed. */
  readonly change: () => Promise<void>;
  readonly leave: () => void;
};

/** `position` is where it goes on, `from` where it begins on the server. */
type Beginning = { readonly state: State; readonly position: Position; readonly from: Position };

const openSession = (needs: TailNeeds, { state, position: begin, from }: Beginning): Session => {
  const { connection, prefix, telling } = needs;
  const { client, done } = connection.use();
  const waiting = arrivals(begin, telling);
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
  const subscription = subscribed(
    client,
    { prefix, after: from },
    {
      arrived: (event) => {
        waiting.push(event);
        change();
      },
      over: (error) => {
        if (error === undefined) end('end', new Error('the server ended the subscription'));
        else end('error', error);
      },
    },
  );
  const watch = silenceWatch(needs, waiting.newest, (error) => end('silence', error));

  return {
    hasTaken: () => {
      changed = false;
      const { batch, after } = waiting.take();
      const last = batch.at(-1);
      if (last === undefined) return false;
      state.position = last.position;
      needs.arrived(batch, after);
      return true;
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
      subscription.leave();
      if (over !== undefined && !isTooSlow(over.error) && over.by !== 'end') connection.renew(client);
      done();
    },
  };
};

/** Events that came and were not handed on yet. */
const arrivals = (begin: Position, telling: Telling) => {
  let [after, newest] = [begin, begin];
  let batch: StoredEvent[] = [];
  return {
    newest: (): Position => newest,
    push: (event: StoredEvent): void => {
      // After a reconnect some may come again.
      if (event.position <= newest) telling.count('duplicates_dropped');
      else {
        newest = event.position;
        batch.push(event);
      }
    },
    take: (): { readonly batch: readonly StoredEvent[]; readonly after: Position } => {
      const taken = { batch, after };
      [batch, after] = [[], newest];
      return taken;
    },
  };
};

type Watch = { readonly wait: () => void; readonly pause: () => void };

/** A subscription that brings nothing looks like one that has nothing to bring; the end of the log tells them apart. */
const silenceWatch = (
  { end, silenceMillis }: TailNeeds,
  position: () => Position,
  silent: (error: unknown) => void,
): Watch => {
  let timer: NodeJS.Timeout | undefined;
  const pause = (): void => {
    clearTimeout(timer);
    timer = undefined;
  };
  const look = async (): Promise<void> => {
    const looked = timer;
    const stored = await end().catch(position);
    // An event that arrived meanwhile has ended this wait, and with it the timer.
    if (timer !== looked) return;
    if (stored <= position()) wait();
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
