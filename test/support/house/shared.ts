import type { SessionId, UserId } from '../../../src/kernel/ids.js';
import type { Blobs } from '../../../src/kernel/ports/blobs.js';
import type { EventLog } from '../../../src/kernel/ports/eventLog.js';
import type { FileScanner } from '../../../src/kernel/ports/fileScanner.js';
import type { LinkPreviews } from '../../../src/kernel/ports/linkPreviews.js';
import type { Pictures } from '../../../src/kernel/ports/pictures.js';
import type { Presence } from '../../../src/kernel/ports/presence.js';
import type { PubSub } from '../../../src/kernel/ports/pubSub.js';
import type { Vault } from '../../../src/kernel/ports/vault.js';
import type { Projections } from '../../../src/projections/runner/runner.js';
import type { Gates } from './gate.js';
import type { HouseSearch } from './search.js';
import type { Kernel } from './kernel.js';

/** Parts of one node that a test puts in the place of the others'. */
export type NodeChanges = {
  readonly log?: EventLog;
  readonly presence?: Presence;
  readonly blobs?: Blobs;
  readonly linkPreviews?: LinkPreviews;
  readonly pictures?: Pictures;
  readonly fileScanner?: FileScanner;
  /** It judges what was decided elsewhere, as nodes do that share a log which is a server. */
  readonly judges?: true;
};

/** What all nodes of a house share. */
export type Shared = Kernel & {
  readonly vault: Vault;
  readonly blobs: Blobs;
  readonly presence: Presence;
  readonly pubSub: PubSub;
  readonly readModels: Projections;
  readonly search: HouseSearch;
  /** Before the subscriptions of those who follow the log. */
  readonly gates: Gates;
  /** Gives the token of a session, which is open from then on. */
  readonly tokenOf: (user: UserId, session: SessionId) => Promise<string>;
  readonly settled: () => Promise<void>;
};
