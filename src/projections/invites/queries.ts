import { documentOf, type Reads } from '../reading/queries.js';
import type { InviteDocument } from './documents.js';
import { inviteDocuments } from './fold.js';

/** Also when it is expired or used up. */
export const invite = (reads: Reads, code: string): Promise<InviteDocument | undefined> =>
  documentOf(reads, inviteDocuments, code);
