import type { Projection } from '../../kernel/document.js';
import type { Position } from '../../kernel/event.js';
import type { Millis } from '../../kernel/ids.js';
import type { Progress, Stopped } from './waiters.js';

/** One projection on its way through the log. */
export type Running = Progress & {
  readonly checkpoint: string;
  committed: Position;
  folded: Position;
  stopped: Stopped | undefined;
  /** When the last event that was folded, and the last that is stored, were recorded; undefined until the first since the start. */
  foldedAt: Millis | undefined;
  committedAt: Millis | undefined;
};

export type Started = { readonly projection: Projection; readonly running: Running };
