import type { Trouble } from '../../kernel/outages.js';
import { pause } from '../../kernel/timing.js';

/** Something outside failed and is tried again: nothing is skipped. */
export type FailedTry = Trouble & {
  /** How many times in a row it has failed. */
  readonly failures: number;
};

export type Patience = {
  /** Raised with `GivenUp`. */
  readonly signal: AbortSignal;
  readonly onTrouble: (trouble: FailedTry) => void;
};

/** Why the signal is raised. */
export class GivenUp extends Error {
  constructor() {
    super('given up, because the projections are closed');
    this.name = 'GivenUp';
  }
}

const firstPauseMillis = 20;
export const pauseMillisMax = 5_000;

/** Does the work until it succeeds, with growing pauses. Throws the signal's reason once that is raised. */
export const retrying = async <T>(doing: string, work: () => Promise<T>, patience: Patience): Promise<T> => {
  const { signal, onTrouble } = patience;
  for (let failures = 1; ; failures += 1) {
    try {
      return await work();
    } catch (error) {
      if (!signal.aborted) {
        onTrouble({ doing, failures, error });
        await pauseAfter(failures, signal);
      }
      signal.throwIfAborted();
    }
  }
};

/** Longer after each failure, and never the same for two nodes. Ends at once when the signal is raised. */
export const pauseAfter = (failures: number, signal: AbortSignal): Promise<void> => {
  const longest = Math.min(pauseMillisMax, firstPauseMillis * 2 ** Math.min(failures, 16));
  const millis = longest * (0.5 + Math.random() / 2);
  return pause(millis, signal);
};
