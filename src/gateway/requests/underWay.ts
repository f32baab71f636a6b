import type { Timers } from '../../kernel/ports/leases.js';
import type { Turns } from './turns.js';

/** A request that waits for something else, such as a page of another server, keeps its units for no longer than this. */
export const underWayMillisMax = 250;

/** The units of one request, which count for its line from its beginning until what it wrote is folded. */
export interface UnitsUnderWay {
  begin(this: void, units: number): void;
  /** Work beyond the price that was known then. */
  add(this: void, units: number): void;
  /** The request is answered, or never begins. */
  end(this: void): void;
}

export type UnderWayNeeds = {
  readonly timers: Pick<Timers, 'later'>;
  /**
   * Undefined when all that follows the log here has folded what this node has appended; otherwise settles once that is so.
   * Default: always.
   */
  readonly followed?: () => Promise<unknown> | undefined;
};

export const unitsUnderWay = (line: Pick<Turns, 'underWay'>, { timers, followed }: UnderWayNeeds): UnitsUnderWay => {
  let counted = 0;
  let isOver = false;
  let cancel = (): void => undefined;

  const add = (units: number): void => {
    if (isOver) return;
    counted += units;
    line.underWay(units);
  };
  const release = (): void => {
    if (isOver) return;
    isOver = true;
    cancel();
    line.underWay(-counted);
  };
  return {
    begin: (units) => {
      if (isOver) return;
      add(units);
      cancel = timers.later(underWayMillisMax, release);
    },
    add,
    end: () => {
      const folding = followed?.();
      if (folding === undefined) release();
      else folding.then(release, release);
    },
  };
};
