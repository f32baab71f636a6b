import type { Timers } from '../../src/kernel/ports/leases.js';

/** Timers by a clock that the test moves. */
export interface HandTimers extends Timers {
  /** Lets so many milliseconds pass, and does what is due meanwhile, in order. */
  pass(this: void, millis: number): void;
}

type Due = { readonly at: number; readonly work: () => void };

export const handTimers = (): HandTimers => {
  let time = 0;
  const due = new Set<Due>();
  const next = (until: number): Due | undefined =>
    [...due].filter(({ at }) => at <= until).sort((one, other) => one.at - other.at)[0];
  return {
    now: () => time,
    later: (millis, work) => {
      const one = { at: time + millis, work };
      due.add(one);
      return () => due.delete(one);
    },
    pass: (millis) => {
      const until = time + millis;
      for (let one = next(until); one !== undefined; one = next(until)) {
        due.delete(one);
        time = one.at;
        one.work();
      }
      time = until;
    },
  };
};
