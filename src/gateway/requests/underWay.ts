import type { Position } from '../../kernel/event.js';
import type { Timers } from '../../kernel/ports/leases.js';
import type { WriteEnded } from '../contract/meter.js';
import type { Turns } from './turns.js';

/** A write that takes longer, because it waits for another or the followers stand still, counts no longer than this. */
export const underWayMillisMax = 250;

export type UnderWayNeeds = {
  readonly timers: Pick<Timers, 'later'>;
  /**
   * Undefined when all that follows the log here has folded the events up to `position`; otherwise settles once that is so.
   * Default: always.
   */
  readonly followed?: (position: Position) => Promise<unknown> | undefined;
};

/** Counts the units of a request that begins to write, until it has written and that is folded. */
export const underWay = (line: Pick<Turns, 'underWay'>, needs: UnderWayNeeds, units: number): WriteEnded => {
  let isOver = false;
  const release = (): void => {
    if (isOver) return;
    isOver = true;
    cancel();
    line.underWay(-units);
  };
  line.underWay(units);
  const cancel = needs.timers.later(underWayMillisMax, release);
  return (upTo) => {
    const folding = upTo === undefined ? undefined : needs.followed?.(upTo);
    if (folding === undefined) release();
    else folding.then(release, release);
  };
};
