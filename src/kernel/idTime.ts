import { idMillisMax, type Millis } from './ids.js';
import type { Timers } from './ports/leases.js';
import type { Clock } from './ports/system.js';

/** The time that ids are made with. */
export interface IdTime {
  /**
   * Never before an earlier answer, nor before what `reach` was given. Throws when the clock is beyond `idMillisMax`:
   * one look at it would leave no ids for ever.
   */
  now(this: void): Millis;
  /** From now on the time is this one or later. */
  reach(this: void, time: Millis): void;
}

export type IdTimeNeeds = {
  readonly clock: Clock;
  readonly timers: Pick<Timers, 'now'>;
  /** The time of the highest id that there may be. */
  readonly after: Millis;
};

/**
 * How fast the time of ids goes while it is ahead of the wall clock, in milliseconds per millisecond of the monotonic
 * clock. Below 1, so that the wall clock catches up, an hour in ten hours. Not far below, so that a span of time holds
 * hardly more messages than usual, and unread counts stay cheap.
 */
export const aheadPace = 0.9;

/** The wall clock, or where that is behind the ids that there are, a time that goes on from them at `aheadPace`. */
export const idTime = ({ clock, timers, after }: IdTimeNeeds): IdTime => {
  // The time goes on from the one of these, which it had at the other.
  let reached: number = after + 1;
  let since = timers.now();
  const ahead = (): number => reached + (timers.now() - since) * aheadPace;
  const goOnFrom = (time: number): void => {
    reached = time;
    since = timers.now();
  };
  return {
    now: () => {
      const [wall, paced] = [clock.now(), ahead()];
      if (wall > idMillisMax) throw new Error(`the clock says ${new Date(wall).toISOString()}, when ids have ended`);
      if (wall >= paced) goOnFrom(wall);
      return Math.floor(Math.max(wall, paced)) as Millis;
    },
    reach: (time) => {
      if (time > ahead()) goOnFrom(time);
    },
  };
};
