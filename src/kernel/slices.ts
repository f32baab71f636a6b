import type { Timers } from './ports/leases.js';
import { nextTurn } from './timing.js';

/** Work that may go on for long, and lets others have the thread in between. */
export interface Slices {
  /** Others had the thread just now. */
  begin(this: void): void;
  /** Undefined while the slice lasts. Otherwise resolves once timers and sockets have had their turn: the next one has begun. */
  turn(this: void): Promise<void> | undefined;
}

/** A slice ends with the piece of work in which `millisMax` have passed, so the pieces must be short. */
export const slicesOf = ({ now }: Pick<Timers, 'now'>, millisMax: number): Slices => {
  let endsAt = now() + millisMax;
  const begin = (): void => {
    endsAt = now() + millisMax;
  };
  return { begin, turn: () => (now() < endsAt ? undefined : nextTurn().then(begin)) };
};
