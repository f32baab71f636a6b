import { standingQueue, type SenderStanding } from './standingQueue.js';

/**
 * Units of requests that begin between two rounds of the event loop, half a millisecond of each line. `light`: of users who have
 * hardly asked for anything lately. `users`: of all others with a session. Anybody may open connections without one, so
 * these have a line of their own and keep no user waiting.
 */
export const turnUnitsMax = { light: 10, users: 10, strangers: 10 } as const;
export type Line = keyof typeof turnUnitsMax;

/**
 * The order in which work begins. So many units of it begin in a round of the event loop, however many wait; then all
 * sockets are looked at, and others have the thread.
 */
export interface Turns {
  /**
   * Undefined when work of this price may begin now. Otherwise resolves when it is its turn: those of the highest standing
   * go first, and of one standing those that asked first. Both count it.
   */
  until(this: void, units: number, standing?: SenderStanding): Promise<void> | undefined;
  /** Work that a request turned out to be beyond its price. */
  spend(this: void, units: number): void;
  /** So many units more are under way; fewer where negative. Counts only where these are bounded. */
  underWay(this: void, units: number): void;
}

export type Lines = Readonly<Record<Line, Turns>>;

/**
 * Units under way of users who have asked for much, all together. A message of two hundred links has more, so of these
 * there is one at a time, with all that follows from it.
 */
export const heavyUnitsUnderWayMax = 60;

export const turnLines = (): Lines => ({
  light: turns(turnUnitsMax.light),
  users: turns(turnUnitsMax.users, { beyond: 'made up for', underWayMax: heavyUnitsUnderWayMax }),
  strangers: turns(turnUnitsMax.strangers, { beyond: 'made up for' }),
});

export type TurnOptions = {
  /**
   * Work beyond the units of a round is made up for by further rounds in which nothing begins, so that all others have
   * those. It is forgiven where they wait in the same line. Default: it is forgiven.
   */
  readonly beyond?: 'made up for' | 'forgiven';
  /** While so many units are under way, nothing begins. Default: no bound. */
  readonly underWayMax?: number;
};

export const turns = (unitsMax: number, { beyond = 'forgiven', underWayMax = Infinity }: TurnOptions = {}): Turns => {
  const waiting = standingQueue<{ readonly units: number; readonly wake: () => void }>();
  let spent = 0;
  let isRoundAhead = false;
  let unitsUnderWay = 0;

  const roundSoon = (): void => {
    if (isRoundAhead) return;
    isRoundAhead = true;
    setImmediate(nextRound);
  };
  const spend = (units: number): void => {
    spent += units;
    roundSoon();
  };
  const nextRound = (): void => {
    isRoundAhead = false;
    spent = beyond === 'forgiven' ? 0 : Math.max(0, spent - unitsMax);
    if (spent > 0) roundSoon();
    beginNext();
  };
  const mayBegin = (): boolean => spent < unitsMax && unitsUnderWay < underWayMax;
  const beginNext = (): void => {
    const first = waiting.isEmpty() || !mayBegin() ? undefined : waiting.take();
    if (first === undefined) return;
    spend(first.units);
    first.wake();
    // Its first work may turn out to be dearer than its price, so that is done before another one begins.
    queueMicrotask(() => {
      process.nextTick(beginNext);
    });
  };

  return {
    spend,
    underWay: (units) => {
      unitsUnderWay += units;
      if (units < 0 && !waiting.isEmpty()) roundSoon();
    },
    until: (units, standing) => {
      if (waiting.isEmpty() && mayBegin()) {
        spend(units);
        return undefined;
      }
      return new Promise((wake) => {
        waiting.add({ units, wake }, standing);
      });
    },
  };
};
