import type { Timers } from '../../kernel/ports/leases.js';

/** Counts the time of somebody's work, without the pauses in which they wait for others. It begins to run at once. */
export interface Stopwatch {
  pause(this: void): void;
  goOn(this: void): void;
  end(this: void): void;
}

/** `late` is called once, when it has run for so long. */
export const stopwatch = (
  { now, later }: Pick<Timers, 'now' | 'later'>,
  millisMax: number,
  late: () => void,
): Stopwatch => {
  let left = millisMax;
  let since = now();
  let cancel: (() => void) | undefined = later(left, late);
  const pause = (): void => {
    if (cancel === undefined) return;
    cancel();
    cancel = undefined;
    left -= now() - since;
  };
  return {
    pause,
    goOn: () => {
      if (cancel !== undefined) return;
      since = now();
      cancel = later(Math.max(0, left), late);
    },
    end: pause,
  };
};
