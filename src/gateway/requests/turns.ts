/**
 * Units of requests that begin in turns between two rounds of the event loop, three milliseconds in all. Anybody may open
 * connections without a session, so these have a line of their own and keep no user waiting.
 */
export const turnUnitsMax = { users: 40, strangers: 20 } as const;
export type Line = keyof typeof turnUnitsMax;

/**
 * The order in which requests begin whose senders have asked for much lately. So many units of them begin in a round of
 * the event loop, however many wait; then all sockets are looked at, and what others ask for begins at once. The thread
 * is never left idle for that.
 */
export interface Turns {
  /** Undefined when a request of this price may begin now. Otherwise resolves when it is its turn. Both count it. */
  until(this: void, units: number): Promise<void> | undefined;
  /** Work that a request turned out to be beyond its price. */
  spend(this: void, units: number): void;
}

type Waiting = { readonly units: number; readonly wake: () => void };

export type Lines = Readonly<Record<Line, Turns>>;

export const turnLines = (): Lines => ({
  users: turns(turnUnitsMax.users, 'made up for'),
  strangers: turns(turnUnitsMax.strangers, 'made up for'),
});

/**
 * Work beyond the units of a round is made up for by further rounds in which nothing begins, so that all others have
 * those. It is forgiven where they wait in the same line.
 */
type Beyond = 'made up for' | 'forgiven';

export const turns = (unitsMax: number, beyond: Beyond = 'forgiven'): Turns => {
  const waiting: Waiting[] = [];
  let spent = 0;
  let isRoundAhead = false;

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
  const beginNext = (): void => {
    const first = spent < unitsMax ? waiting.shift() : undefined;
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
    until: (units) => {
      if (waiting.length === 0 && spent < unitsMax) {
        spend(units);
        return undefined;
      }
      return new Promise((wake) => waiting.push({ units, wake }));
    },
  };
};
