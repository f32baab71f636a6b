import type { ChatKey } from '../../kernel/chat.js';
import type { MessageId } from '../../kernel/ids.js';

/**
 * The pins of a chat, the newest first; some may be of messages that were deleted. Key: the chat's. Absent while there
 * are none.
 */
export type PinnedMessagesDocument = { readonly messages: readonly MessageId[] };

export const pinnedMessagesKey = (chat: ChatKey): string => chat;
