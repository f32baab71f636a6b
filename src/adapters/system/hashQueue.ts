import { HasherBusy, type HashingQueue } from '../../kernel/ports/system.js';

/** While others wait, so many of the known go before one of them. */
export const knownInARowMax = 3;

export type HashQueueOptions = {
  /** How many are computed at once. */
  readonly atOnceMax: number;
  /** How many may wait in each of the two queues. Beyond it `HasherBusy` goes to one of those who have the most waiting. */
  readonly waitingMax: number;
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
};

export type HashTurn = {
  readonly queue: HashingQueue;
  /** Whose work it is; nobody keeps others from the queue by filling it. */
  readonly of: string;
};

/** Does the work when it is its turn. */
export type HashQueue = <T>(turn: HashTurn, work: () => Promise<T>) => Promise<T>;

type Waiting = { readonly of: string; readonly begin: () => void; readonly refuse: (busy: HasherBusy) => void };

/**
 * Two queues with places for a few at once. The known go first, but every fourth place goes to one of the others, so that
 * neither kind can keep the other from its turn.
 */
export const hashQueue = ({ atOnceMax, waitingMax, now }: HashQueueOptions): HashQueue => {
  const waiting: Readonly<Record<HashingQueue, Waiting[]>> = { known: [], others: [] };
  const duration = meanMillis();
  let running = 0;
  let knownInARow = 0;

  const next = (): Waiting | undefined => {
    const isOthersTurn = waiting.known.length === 0 || knownInARow >= knownInARowMax;
    const chosen = isOthersTurn && waiting.others.length > 0 ? 'others' : 'known';
    knownInARow = chosen === 'known' && waiting.others.length > 0 ? knownInARow + 1 : 0;
    return waiting[chosen].shift();
  };

  const turn = ({ queue, of }: HashTurn): Promise<void> | undefined => {
    if (running < atOnceMax) {
      running += 1;
      return undefined;
    }
    const ahead = waiting[queue];
    if (ahead.length >= waitingMax) {
      const busy = new HasherBusy((ahead.length / atOnceMax) * (duration.mean() / 1_000));
      const at = indexOfFullest(ahead, of);
      if (at === undefined) throw busy;
      for (const one of ahead.splice(at, 1)) one.refuse(busy);
    }
    return new Promise((begin, refuse) => ahead.push({ of, begin, refuse }));
  };

  return async (asked, work) => {
    await turn(asked);
    const began = now();
    try {
      return await work();
    } finally {
      duration.add(now() - began);
      // The place passes to the next one who waits, or is free.
      const following = next();
      if (following === undefined) running -= 1;
      else following.begin();
    }
  };
};

/** The newest of the one who has the most waiting, and more than the newcomer would have. */
const indexOfFullest = (waiting: readonly Waiting[], newcomer: string): number | undefined => {
  const counts = new Map([[newcomer, 1]]);
  for (const { of } of waiting) counts.set(of, (counts.get(of) ?? 0) + 1);
  const [fullest] = [...counts].reduce((one, other) => (other[1] > one[1] ? other : one));
  return fullest === newcomer ? undefined : waiting.findLastIndex(({ of }) => of === fullest);
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
