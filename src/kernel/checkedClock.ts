import type { Millis } from './ids.js';
import type { Timers } from './ports/leases.js';
import type { Clock } from './ports/system.js';

/** A wall clock that is compared with that of the store which all nodes share. */
export interface CheckedClock extends Clock {
  /** Asks the store for its time, and compares. Rejects when `ask` does; the last comparison then goes on to hold. */
  check(this: void, ask: () => Promise<Millis | undefined>): Promise<void>;
}

export type CheckedClockNeeds = {
  /** Of the machine. */
  readonly wall: Clock;
  readonly timers: Pick<Timers, 'now'>;
  /** Called once each time that the two clocks come to differ by more than `skewMillisMax`. */
  readonly onTrouble: (error: ClockWrong) => void;
};

/** A clock that differs by more from that of the store is not used. */
export const skewMillisMax = 2_000;

/** The clock of this machine and that of the store differ. Until they agree, the one of the store is used. */
export class ClockWrong extends Error {
  constructor(here: Millis, store: Millis) {
    const [mine, theirs] = [here, store].map((time) => new Date(time).toISOString());
    super(
      `the clock of this machine says ${mine ?? ''} and that of the store of leases ${theirs ?? ''}: ` +
        'times and ids are made from that of the store',
    );
    this.name = 'ClockWrong';
  }
}

/** The time that the store's clock showed, at a moment of the monotonic clock, give or take so many milliseconds. */
type Measured = { readonly store: number; readonly at: number; readonly doubt: number };

/**
 * Answers the time of the machine's clock, as long as it is within `skewMillisMax` of the store's. Else it answers the
 * store's time as it was last measured, carried on by the monotonic clock. Before the first check, and where the store
 * has no clock, the machine's is all there is.
 */
export const checkedClock = ({ wall, timers, onTrouble }: CheckedClockNeeds): CheckedClock => {
  let measured: Measured | undefined;
  let wasWrong = false;
  const storeTime = ({ store, at }: Measured): Millis => Math.floor(store + timers.now() - at) as Millis;
  const isWrong = (here: Millis, by: Measured): boolean => Math.abs(here - storeTime(by)) - by.doubt > skewMillisMax;
  return {
    now: () => {
      const here = wall.now();
      return measured !== undefined && isWrong(here, measured) ? storeTime(measured) : here;
    },
    check: async (ask) => {
      const asked = timers.now();
      const store = await ask();
      if (store === undefined) return;
      // The store looked at its clock somewhere on the way; in the middle is the best guess, and half is the doubt.
      const [at, doubt] = [timers.now(), (timers.now() - asked) / 2];
      measured = { store: store + doubt, at, doubt };
      const here = wall.now();
      const wrong = isWrong(here, measured);
      if (wrong && !wasWrong) onTrouble(new ClockWrong(here, storeTime(measured)));
      wasWrong = wrong;
    },
  };
};
