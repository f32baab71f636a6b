import type { UserId } from '../../kernel/ids.js';
import { documentOf, documentsIn, scanned, type Reads } from '../reading/queries.js';
import type { BotDocument } from './documents.js';
import { botDocuments, botKey } from './fold.js';

export const botNamed = (reads: Reads, bot: UserId): Promise<BotDocument | undefined> =>
  documentOf(reads, botDocuments, botKey(bot));

/** Of one owner the oldest first, or of everybody. */
export const botsOf = (
  reads: Reads,
  owner: UserId | undefined,
  { limit }: { readonly limit: number },
): Promise<readonly BotDocument[]> =>
  owner === undefined
    ? scanned(reads, botDocuments, { prefix: '', limit })
    : documentsIn(reads, botDocuments, { index: 'byOwner', within: [owner], order: 'ascending', limit });
