import type { CommunityId } from '../../kernel/ids.js';
import { documentOf, documentsOf, type Reads } from '../reading/queries.js';
import type { CommunityDocument } from './documents.js';
import { communityDocuments, communityKey } from './fold.js';

export const community = (reads: Reads, id: CommunityId): Promise<CommunityDocument | undefined> =>
  documentOf(reads, communityDocuments, communityKey(id));

/** In the order of `ids`; those that are gone are left out. */
export const communitiesById = (reads: Reads, ids: readonly CommunityId[]): Promise<readonly CommunityDocument[]> =>
  documentsOf(reads, communityDocuments, ids.map(communityKey));
