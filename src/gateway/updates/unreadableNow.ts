import type { Position } from '../../kernel/event.js';

/** The keys of an event, or a community that it is about, cannot be had right now. */
export class UnreadableNow extends Error {
  constructor(position: Position, cause: unknown) {
    super(`the event at ${position.toString()} cannot be read now`, { cause });
    this.name = 'UnreadableNow';
  }
}
