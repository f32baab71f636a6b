import type { Config } from '../../config.js';
import type { Position } from '../../kernel/event.js';
import type { Generation } from '../../kernel/ports/generations.js';
import type { Portion } from '../../projections/runner/portion.js';

/** The start of a worker of a build. */
export type WorkerTask = {
  readonly config: Config;
  readonly generation: Generation;
  readonly portion: Portion;
  /** Of the machine, in percent, for all workers together. */
  readonly share: number;
  /** Of the lease of the generation, where processes share the documents. */
  readonly fence: bigint | undefined;
  /** It folds no event beyond, before it is told that it may. */
  readonly permitted: Position;
};

/** Reports of a worker. Errors are told as texts, because most kinds do not get from thread to thread. */
export type WorkerNews =
  | {
      readonly kind: 'stored';
      /** How far its documents of each projection are, by the names of the checkpoints. */
      readonly places: ReadonlyMap<string, Position>;
      /** That it has read since it began. */
      readonly events: number;
    }
  /** The next event is beyond what it may fold. */
  | { readonly kind: 'waits'; readonly position: Position }
  | { readonly kind: 'stopped'; readonly projection: string; readonly position: Position; readonly error: string }
  | { readonly kind: 'trouble'; readonly doing: string; readonly failures: number; readonly error: string };

/** Orders to a worker: to store what is under way and end, or to fold as far as a position. */
export type WorkerOrder = { readonly kind: 'end' } | { readonly kind: 'permitted'; readonly position: Position };
