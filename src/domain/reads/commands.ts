import type { ChatKey } from '../../kernel/chat.js';
import type { Command } from '../../kernel/decider.js';
import type { MessageId, UserId } from '../../kernel/ids.js';

export type ReadCommand = Command<
  'MarkChatRead',
  { readonly user: UserId; readonly chat: ChatKey; readonly message: MessageId }
>;
