import type { UserId } from '../../kernel/ids.js';
import { documentOf, documentsOf, type Reads } from '../reading/queries.js';
import type { UserDocument } from './documents.js';
import { userDocuments, userKey } from './fold.js';

export const user = (reads: Reads, id: UserId): Promise<UserDocument | undefined> =>
  documentOf(reads, userDocuments, userKey(id));

/** In the order of `ids`; those that nobody has are left out. */
export const usersById = (reads: Reads, ids: readonly UserId[]): Promise<readonly UserDocument[]> =>
  documentsOf(reads, userDocuments, ids.map(userKey));
