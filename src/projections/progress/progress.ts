import type { Position } from '../../kernel/event.js';
import type { Peek } from '../../kernel/ports/documentStore.js';
import type { Running } from './running.js';
import { going, lowestCommitted, lowestFolded, projectionWaiters } from './waiters.js';

/** How far the projections are, as far as this process knows, and the readers that wait for them to come further. */
export interface ProjectionProgress {
  readonly running: readonly Running[];
  /** As `Projections.reached`. */
  reached(position: Position, names?: readonly string[]): Promise<void> | undefined;
  /** As `Projections.folded`. */
  readonly folded: FoldedProgress;
  /** Call when one of them has stored more, or stopped. */
  changed(): void;
  /** Call when events were folded. */
  foldedOn(this: void): void;
  anybodyWaits(this: void): boolean;
  /** Whether somebody waits for nothing but the storing of folded events. */
  isAwaited(): boolean;
  /** Is called from then on whenever somebody begins to wait for that; replaces the one before. */
  onAwaited(listener: () => void): void;
  /** As `Projections.peek`. */
  readonly peek: Peek;
  /** Documents in memory are looked for there from then on. */
  peekFrom(peek: Peek): void;
  /** All who wait are refused, because the projections will never come further. */
  close(): void;
}

/** How far the projections are in memory, where events that are folded and not stored count. */
export interface FoldedProgress {
  /** All that have not stopped have folded the events up to here. */
  position(this: void): Position;
  /** As `Projections.reached`, but for queries that are answered from what is folded. */
  reached(this: void, position: Position, names?: readonly string[]): Promise<void> | undefined;
}

export const projectionProgress = (running: readonly Running[]): ProjectionProgress => {
  const waiters = projectionWaiters();
  let floor = lowestCommitted(running);
  let foldedFloor = lowestFolded(going(running));
  let awaited = (): void => undefined;
  let peek: Peek = () => undefined;
  const named = (names: readonly string[] | undefined): readonly Running[] =>
    names === undefined ? running : running.filter(({ name }) => names.includes(name));
  return {
    running,
    reached: (position, names) => {
      if (position <= floor) return undefined;
      const of = named(names);
      const reached = waiters.until({ position, by: 'stored' }, of);
      if (reached !== undefined && of.every(({ folded }) => folded >= position)) awaited();
      return reached;
    },
    folded: {
      position: () => foldedFloor,
      reached: (position, names) => waiters.until({ position, by: 'folded' }, named(names)),
    },
    changed: () => {
      floor = lowestCommitted(running);
      foldedFloor = lowestFolded(going(running));
      waiters.review();
    },
    foldedOn: () => {
      foldedFloor = lowestFolded(going(running));
      waiters.review();
    },
    anybodyWaits: waiters.any,
    isAwaited: waiters.anyFolded,
    onAwaited: (listener) => {
      awaited = listener;
    },
    peek: (collection, key) => peek(collection, key),
    peekFrom: (from) => {
      peek = from;
    },
    close: waiters.close,
  };
};
