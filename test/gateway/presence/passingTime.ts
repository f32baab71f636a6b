import type { Schedule } from '../../../src/gateway/presence/schedule.js';

/** Time that passes when the test says so. */
export const passingTime = () => {
  const waiting = new Set<{ readonly at: number; readonly work: () => void }>();
  let now = 0;
  const later: Schedule = (millis, work) => {
    const timer = { at: now + millis, work };
    waiting.add(timer);
    return () => {
      waiting.delete(timer);
    };
  };
  const pass = (millis: number): void => {
    now += millis;
    for (const timer of [...waiting].filter(({ at }) => at <= now)) {
      // Another one may have stopped it.
      if (waiting.delete(timer)) timer.work();
    }
  };
  return { later, pass, now: () => now, waiting: () => waiting.size };
};
