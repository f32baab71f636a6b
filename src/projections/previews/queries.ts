import type { MessageId } from '../../kernel/ids.js';
import { documentsOf, type Reads } from '../reading/queries.js';
import { previewKey, type PreviewDocument } from './documents.js';
import { previewDocuments } from './fold.js';

/** The previews of these messages, as far as they have any. */
export const previewsOf = (reads: Reads, messages: readonly MessageId[]): Promise<readonly PreviewDocument[]> =>
  documentsOf(reads, previewDocuments, messages.map(previewKey));
