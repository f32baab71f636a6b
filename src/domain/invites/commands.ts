import type { ChatKey } from '../../kernel/chat.js';
import type { Command } from '../../kernel/decider.js';
import type { Millis, UserId } from '../../kernel/ids.js';

export type InviteCommand = CreateChatInvite | UseInvite;

/** Without `expiresAt` it does not expire, without `maxUses` it is not used up. */
export type CreateChatInvite = Command<
  'CreateChatInvite',
  {
    /** Names it from here on, without giving the code away. */
    readonly invite: string;
    readonly code: string;
    readonly chat: ChatKey;
    readonly creator: UserId;
    /** How often the creator has joined the community. */
    readonly creatorJoining: number;
    readonly at: Millis;
    readonly expiresAt?: Millis;
    readonly maxUses?: number;
  }
>;

/** `joining`: the how-manieth joining of this user it is for, from 1. */
export type UseInvite = Command<
  'UseInvite',
  { readonly invite: string; readonly user: UserId; readonly joining: number; readonly at: Millis }
>;
