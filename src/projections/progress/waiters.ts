import { beforeAll, type Position } from '../../kernel/event.js';

/** The projection stopped before the position that was asked for, and will not reach it in this process. */
export class ProjectionStopped extends Error {
  readonly projection: string;

  constructor(projection: string, cause: unknown) {
    super(`the projection ${projection} has stopped`, { cause });
    this.name = 'ProjectionStopped';
    this.projection = projection;
  }
}

/** The projections were closed before they reached the position that was asked for. */
export class ProjectionsClosed extends Error {
  constructor() {
    super('the projections are closed');
    this.name = 'ProjectionsClosed';
  }
}

/** How far one projection is. */
export type Progress = {
  readonly name: string;
  /** All events up to here are in the stored documents. */
  readonly committed: Position;
  /** All events up to here are folded, stored or not. */
  readonly folded: Position;
  /** Why it goes no further. */
  readonly stopped: Stopped | undefined;
};
export type Stopped = { readonly error: unknown };

/** All of them have at least these events in their stored documents. */
export const lowestCommitted = (all: readonly Progress[]): Position => lowestOf(all.map(({ committed }) => committed));

/** All of them have at least these events folded, stored or not. */
export const lowestFolded = (all: readonly Progress[]): Position => lowestOf(all.map(({ folded }) => folded));

/** `beforeAll` of none. */
export const lowestOf = (positions: readonly Position[]): Position =>
  positions.reduce((lowest, position) => (position < lowest ? position : lowest), positions[0] ?? beforeAll);

/** Those that have not stopped, or all when all have. */
export const going = <P extends Progress>(all: readonly P[]): readonly P[] => {
  const goingOn = all.filter(({ stopped }) => stopped === undefined);
  return goingOn.length === 0 ? all : goingOn;
};

/** The place that is waited for: in the stored documents, or in those in memory. */
export type Whereto = { readonly position: Position; readonly by: 'stored' | 'folded' };

type Waiter = Whereto & {
  readonly of: readonly Progress[];
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
};

/** Those who wait until projections have come to a position. */
export interface ProjectionWaiters {
  /** Undefined when they are there. Rejects with `ProjectionStopped` or `ProjectionsClosed`. */
  until(whereto: Whereto, of: readonly Progress[]): Promise<void> | undefined;
  /** Whether somebody waits for nothing but the storing of folded events. */
  anyFolded(this: void): boolean;
  /** Whether anybody waits. */
  any(this: void): boolean;
  /** Settles the waits that are over. Call when a projection moved or stopped. */
  review(): void;
  readonly close: () => void;
}

export const projectionWaiters = (): ProjectionWaiters => {
  let waiters: Waiter[] = [];
  let closed = false;
  return {
    until: (whereto, of) => {
      const outcome = outcomeOf(whereto, of);
      if (outcome === 'reached') return undefined;
      if (outcome !== 'underWay') return Promise.reject(outcome);
      if (closed) return Promise.reject(new ProjectionsClosed());
      return new Promise((resolve, reject) => {
        waiters.push({ of, resolve, reject, ...whereto });
      });
    },
    anyFolded: () => waiters.some(isFolded),
    any: () => waiters.length > 0,
    review: () => {
      if (waiters.length > 0) waiters = waiters.filter((waiter) => !settled(waiter));
    },
    close: () => {
      closed = true;
      for (const { reject } of waiters) reject(new ProjectionsClosed());
      waiters = [];
    },
  };
};

const settled = ({ of, resolve, reject, ...whereto }: Waiter): boolean => {
  const outcome = outcomeOf(whereto, of);
  if (outcome === 'underWay') return false;
  if (outcome === 'reached') resolve();
  else reject(outcome);
  return true;
};

const isFolded = ({ position, of }: Waiter): boolean => of.every(({ folded }) => folded >= position);

const outcomeOf = ({ position, by }: Whereto, of: readonly Progress[]): 'reached' | 'underWay' | ProjectionStopped => {
  let outcome: 'reached' | 'underWay' = 'reached';
  for (const { name, committed, folded, stopped } of of) {
    if ((by === 'folded' ? folded : committed) >= position) continue;
    if (stopped !== undefined && folded < position) return new ProjectionStopped(name, stopped.error);
    outcome = 'underWay';
  }
  return outcome;
};
