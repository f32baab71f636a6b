import type { HandlerTable } from './handlers.js';
import type { HistoryPart } from './historyPart.js';
import type { PrefetchedUsers, Renderer } from './updateView.js';

/** The part of a package in the gateway. Each member is made from its own needs. */
export type PackageManifest = {
  /** The handlers of its RPCs. */
  readonly rpcs?: (needs: never) => Partial<HandlerTable>;
  /** The updates of its events; every event of the package is in the table. */
  readonly updates?: (needs: never) => Readonly<Record<string, Renderer>>;
  /** The users whose accounts the updates of its events show. */
  readonly prefetched?: PrefetchedUsers;
  /** Its part of each page of history. */
  readonly inHistory?: HistoryPart;
};
