import type { SearchReads } from '../../projections/search/queries.js';
import type { Position } from './call.js';

/** The index of messages by their words, as a handler sees it. */
export interface MessageSearch {
  /**
   * Resolves with the index once it holds all events up to `position`. Rejects with an error that means `UNAVAILABLE` when
   * it is not there, closed, or does not come so far in 10 s.
   */
  upTo(this: void, position: Position): Promise<SearchReads>;
}
