import type { ChatKey } from '../../kernel/chat.js';
import type { Command } from '../../kernel/decider.js';
import type { MessageId, UserId } from '../../kernel/ids.js';
import type { Reaction } from './events.js';

type Reacting = {
  readonly message: MessageId;
  readonly chat: ChatKey;
  readonly user: UserId;
  readonly reaction: Reaction;
};

export type ReactionCommand =
  | Command<'AddReaction', Reacting>
  | Command<'RemoveReaction', Reacting>
  /** The user had lost the right to put it there before this change of theirs came to its place in the log; from 1 on. */
  | Command<'WithdrawReaction', Reacting & { readonly change: number }>;
