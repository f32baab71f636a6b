import type { ChatKey } from '../../kernel/chat.js';
import type { Command } from '../../kernel/decider.js';
import type { MessageId, UserId } from '../../kernel/ids.js';

/** `emoji` is in its fully-qualified form. */
type Reacting = {
  readonly message: MessageId;
  readonly chat: ChatKey;
  readonly user: UserId;
  readonly emoji: string;
};

export type ReactionCommand = Command<'AddReaction', Reacting> | Command<'RemoveReaction', Reacting>;
