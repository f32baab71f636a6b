import type { ChatKey } from '../../kernel/chat.js';
import type { Command } from '../../kernel/decider.js';
import type { Millis, UserId } from '../../kernel/ids.js';

export type InviteCommand = CreateChatInvite | UseInvite;

/** Without `expiresAt` it does not expire, without `maxUses` it is not used up. */
export type CreateChatInvite = Command<
  'CreateChatInvite',
  {
    readonly code: string;
    readonly chat: ChatKey;
    readonly creator: UserId;
    readonly at: Millis;
    readonly expiresAt?: Millis;
    readonly maxUses?: number;
  }
>;

/** `joining`: the how-manieth joining of this user it is for, from 1. */
export type UseInvite = Command<
  'UseInvite',
  { readonly code: string; readonly user: UserId; readonly joining: number; readonly at: Millis }
>;
