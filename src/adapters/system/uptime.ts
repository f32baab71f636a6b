import { uptime } from 'node:os';
import type { Timers } from '../../kernel/ports/leases.js';

/** The system is asked no more often: that is a file to be read. */
const lookMillis = 50;

/** Milliseconds since the machine was started, the time that it slept included. Exact to 60 ms while it is awake. */
export const systemUptime = (): Pick<Timers, 'now'> => {
  let [looked, up] = [Number.NEGATIVE_INFINITY, 0];
  return {
    now: () => {
      const now = performance.now();
      if (now - looked > lookMillis) [looked, up] = [now, uptime() * 1_000];
      return up;
    },
  };
};
