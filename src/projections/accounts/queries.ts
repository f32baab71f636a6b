import type { SessionId, UserId } from '../../kernel/ids.js';
import { documentOf, documentsIn, type Reads } from '../reading/queries.js';
import type { SessionDocument } from './documents.js';
import { sessionDocuments, sessionKey } from './fold.js';

/** Undefined once it is revoked. */
export const session = (reads: Reads, id: SessionId): Promise<SessionDocument | undefined> =>
  documentOf(reads, sessionDocuments, sessionKey(id));

export const sessionsListedMax = 1_000;

/** The newest first. */
export const sessionsOf = (reads: Reads, user: UserId): Promise<readonly SessionDocument[]> =>
  documentsIn(reads, sessionDocuments, {
    index: 'byUser',
    within: [user],
    order: 'descending',
    limit: sessionsListedMax,
  });

/** Sessions that were last noted to be in use on this day or before, those first that were so longest ago. */
export const sessionsLastUsedBy = (reads: Reads, day: number, limit: number): Promise<readonly SessionDocument[]> =>
  documentsIn(reads, sessionDocuments, { index: 'byUse', within: [], before: day + 1, order: 'ascending', limit });
