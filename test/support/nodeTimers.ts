import type { Timers } from '../../src/kernel/ports/leases.js';

/** A monotonic clock that goes when the test says so. */
export interface NodeTimers extends Timers {
  /** Does what is due by then, in order. What that leads to is waited for in `passUntil`. */
  pass(millis: number): void;
  /** Lets time pass, step by step and with all that follows from each, until it holds. Fails after `millisMax`. */
  passUntil(holds: () => boolean, millisMax?: number): Promise<number>;
  /** How many things are to be done later. */
  waiting(): number;
}

const stepMillis = 100;

export const nodeTimers = (): NodeTimers => {
  const due = new Set<{ readonly at: number; readonly work: () => void }>();
  let now = 0;
  const pass = (millis: number): void => {
    const end = now + millis;
    for (;;) {
      const [next] = [...due].filter(({ at }) => at <= end).sort((one, other) => one.at - other.at);
      if (next === undefined) break;
      due.delete(next);
      now = Math.max(now, next.at);
      next.work();
    }
    now = end;
  };
  return {
    now: () => now,
    later: (millis, work) => {
      const timer = { at: now + millis, work };
      due.add(timer);
      return () => {
        due.delete(timer);
      };
    },
    pass,
    passUntil: async (holds, millisMax = 60_000) => {
      const start = now;
      for (;;) {
        await settled();
        if (holds()) return now - start;
        if (now - start >= millisMax) throw new Error(`it did not hold within ${millisMax.toString()} ms`);
        pass(stepMillis);
      }
    },
    waiting: () => due.size,
  };
};

const turnsMax = 20;

/** Lets everything go on that waits for nothing but its turn. */
export const settled = async (): Promise<void> => {
  for (let turn = 0; turn < turnsMax; turn += 1) await new Promise(setImmediate);
};
