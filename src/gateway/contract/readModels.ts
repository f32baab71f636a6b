import type { ProjectionName } from '../../projections/registry.js';
import type { Position } from './call.js';

/** Something that follows the log. */
export interface Follower {
  /** Up to where it has come. */
  position(): Position;
  /** Resolves once it has come to `position`; `undefined` when it has already. Throws `Unavailable` when it never will. */
  reached(position: Position): Promise<void> | undefined;
}

/** The read models: one may stand still while the others go on, so each waits for those it reads. */
export interface ReadModels extends NamedFollowers {
  /** As they are in memory, for queries that read by key alone. */
  readonly folded: NamedFollowers;
}

interface NamedFollowers {
  position(this: void): Position;
  reached(this: void, position: Position, names?: readonly ProjectionName[]): Promise<void> | undefined;
}

/** The appends of this node that are durable. Where no other node shares the log, later reads of anybody see them. */
export interface Acknowledged {
  /** Where the last of all ends. */
  events(this: void): Position;
  /** Where the last one ends from which rights follow. */
  rights(this: void): Position;
}
