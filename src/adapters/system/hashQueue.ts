import { HasherBusy, type HashingQueue } from '../../kernel/ports/system.js';

/** While others wait, so many of the known go before one of them. */
export const knownInARowMax = 3;

export type HashQueueOptions = {
  /** How many are computed at once. */
  readonly atOnceMax: number;
  /** How many may wait in each of the two queues; those beyond are refused with `HasherBusy`. */
  readonly waitingMax: number;
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
};

/** Does the work when it is its turn. */
export type HashQueue = <T>(queue: HashingQueue, work: () => Promise<T>) => Promise<T>;

/**
 * Two queues with places for a few at once. The known go first, but every fourth place goes to one of the others, so that
 * neither kind can keep the other from its turn.
 */
export const hashQueue = ({ atOnceMax, waitingMax, now }: HashQueueOptions): HashQueue => {
  const waiting: Readonly<Record<HashingQueue, (() => void)[]>> = { known: [], others: [] };
  const duration = meanMillis();
  let running = 0;
  let knownInARow = 0;

  const next = (): (() => void) | undefined => {
    const isOthersTurn = waiting.known.length === 0 || knownInARow >= knownInARowMax;
    const chosen = isOthersTurn && waiting.others.length > 0 ? 'others' : 'known';
    knownInARow = chosen === 'known' && waiting.others.length > 0 ? knownInARow + 1 : 0;
    return waiting[chosen].shift();
  };

  const turn = (queue: HashingQueue): Promise<void> | undefined => {
    if (running < atOnceMax) {
      running += 1;
      return undefined;
    }
    const ahead = waiting[queue].length;
    if (ahead >= waitingMax) throw new HasherBusy((ahead / atOnceMax) * (duration.mean() / 1_000));
    return new Promise((resolve) => waiting[queue].push(resolve));
  };

  return async (queue, work) => {
    await turn(queue);
    const began = now();
    try {
      return await work();
    } finally {
      duration.add(now() - began);
      // The place passes to the next one who waits, or is free.
      const begin = next();
      if (begin === undefined) running -= 1;
      else begin();
    }
  };
};

/** Until one was measured. */
const expectedMillis = 50;
const newestWeight = 1 / 16;

/** Of the latest durations, which change when the machine has other work. */
const meanMillis = () => {
  let mean = expectedMillis;
  return {
    mean: () => mean,
    add: (millis: number): void => {
      mean += (millis - mean) * newestWeight;
    },
  };
};
