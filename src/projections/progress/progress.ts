import type { Position } from '../../kernel/event.js';
import type { Running } from './running.js';
import { lowestCommitted, projectionWaiters } from './waiters.js';

/** How far the projections are, as far as this process knows, and the readers that wait for them to come further. */
export interface ProjectionProgress {
  readonly running: readonly Running[];
  /** As `Projections.reached`. */
  reached(position: Position, names?: readonly string[]): Promise<void> | undefined;
  /** Call when one of them moved or stopped. */
  changed(): void;
  anybodyWaits(this: void): boolean;
  /** Whether somebody waits for nothing but the storing of folded events. */
  isAwaited(): boolean;
  /** Is called from then on whenever somebody begins to wait for that; replaces the one before. */
  onAwaited(listener: () => void): void;
  /** All who wait are refused, because the projections will never come further. */
  close(): void;
}

export const projectionProgress = (running: readonly Running[]): ProjectionProgress => {
  const waiters = projectionWaiters();
  let floor = lowestCommitted(running);
  let awaited = (): void => undefined;
  return {
    running,
    reached: (position, names) => {
      if (position <= floor) return undefined;
      const of = names === undefined ? running : running.filter(({ name }) => names.includes(name));
      const reached = waiters.until(position, of);
      if (reached !== undefined && of.every(({ folded }) => folded >= position)) awaited();
      return reached;
    },
    changed: () => {
      floor = lowestCommitted(running);
      waiters.review();
    },
    anybodyWaits: waiters.any,
    isAwaited: waiters.anyFolded,
    onAwaited: (listener) => {
      awaited = listener;
    },
    close: waiters.close,
  };
};
