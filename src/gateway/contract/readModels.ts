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
export interface ReadModels {
  position(): Position;
  reached(position: Position, names?: readonly ProjectionName[]): Promise<void> | undefined;
}
