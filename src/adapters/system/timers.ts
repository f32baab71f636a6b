import type { Timers } from '../../kernel/ports/leases.js';

/** Timers that do not keep the process from ending. */
export const systemTimers: Timers = {
  now: () => performance.now(),
  later: (millis, work) => {
    const timer = setTimeout(work, millis).unref();
    return () => {
      clearTimeout(timer);
    };
  },
};
