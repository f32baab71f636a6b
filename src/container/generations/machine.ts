import { availableParallelism } from 'node:os';
import { systemTimers } from '../../adapters/system/timers.js';
import type { ShareNeeds } from '../../kernel/share.js';
import { pause } from '../../kernel/timing.js';

/** The part of the machine that this process may use, with all its threads. */
export const machine = (percent: number, threads: number): ShareNeeds => ({
  percent,
  threads,
  cores: availableParallelism(),
  usedMillis: () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1_000;
  },
  now: systemTimers.now,
  pause: (millis) => pause(millis),
});
