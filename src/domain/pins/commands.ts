import type { ChatKey } from '../../kernel/chat.js';
import type { Command } from '../../kernel/decider.js';
import type { MessageId, UserId } from '../../kernel/ids.js';

export type PinCommand = Command<
  'SetMessagePin',
  {
    readonly chat: ChatKey;
    readonly message: MessageId;
    readonly by: UserId;
    readonly pin: boolean;
    /** Pinned messages that were deleted: their pins give way to a new one. */
    readonly deleted: readonly MessageId[];
  }
>;
