import type { ChatKey } from '../../kernel/chat.js';
import type { MessageId } from '../../kernel/ids.js';
import { documentsOf, type Reads } from '../reading/queries.js';
import { pinnedMessagesKey } from './documents.js';
import { pinnedMessagesDocuments } from './fold.js';

/** The messages that are pinned in any of these chats, chat by chat, the newest pin first; deleted ones may be among them. */
export const pinsOf = async (reads: Reads, chats: readonly ChatKey[]): Promise<readonly MessageId[]> => {
  const pins = await documentsOf(reads, pinnedMessagesDocuments, [...new Set(chats)].map(pinnedMessagesKey));
  return pins.flatMap(({ messages }) => messages);
};
