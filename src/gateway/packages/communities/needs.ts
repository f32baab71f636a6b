import type { FoldedStreams } from '../../../kernel/foldedStreams.js';
import type { Ids } from '../../../kernel/ports/system.js';
import type { Reads } from '../../../projections/reading/queries.js';
import type { StatusOf } from '../../rendering/user.js';
import type { FileStore } from '../../files/fileStore.js';
import type { Access } from '../../contract/viewerPermissions.js';

/** The needs of the handlers of this package, and nothing else. */
export type CommunityNeeds = {
  readonly access: Access;
  readonly reads: Reads;
  readonly streams: Pick<FoldedStreams, 'caughtUp'>;
  readonly ids: Pick<Ids, 'next'>;
  readonly statusOf: StatusOf;
  readonly files: Pick<FileStore, 'made'>;
};
