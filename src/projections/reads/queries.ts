import type { ChatKey } from '../../kernel/chat.js';
import type { MessageId, UserId } from '../../kernel/ids.js';
import { documentOf, type Reads } from '../reading/queries.js';
import { readMarkerDocuments, readMarkerKey } from './fold.js';

/** How far the user said to have read the chat. Their own messages move the marker as well: see `unread`. */
export const readMarker = async (reads: Reads, user: UserId, chat: ChatKey): Promise<MessageId | undefined> =>
  (await documentOf(reads, readMarkerDocuments, readMarkerKey(user, chat)))?.message;
