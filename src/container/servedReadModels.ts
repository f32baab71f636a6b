import type { BuildProgress } from '../kernel/buildProgress.js';
import type { Projections } from '../projections/runner/runner.js';

/** The generation that this server serves, on its way through the log. Another one may take its place at any time. */
export interface ServedReadModels extends Projections {
  /** Undefined once its documents hold all that was in the log at the start: before that the server is not ready. */
  building(this: void): BuildProgress | undefined;
}
