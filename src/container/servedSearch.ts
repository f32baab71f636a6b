import type { MessageSearch } from '../gateway/contract/messageSearch.js';
import type { ProjectionStatus } from '../projections/runner/runner.js';

/** The search of this server. Everything else goes on without it. */
export interface Search extends MessageSearch {
  /** Opens the index beside everything else, and follows the log with it. */
  begin(this: void): void;
  /** Undefined while it is not open. */
  status(this: void): Promise<SearchStatus | undefined>;
  close(this: void): Promise<void>;
}
export type SearchStatus = ProjectionStatus & { readonly generation: string };
