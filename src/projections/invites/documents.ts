import type { ChatKey } from '../../kernel/chat.js';
import type { Millis, UserId } from '../../kernel/ids.js';

/** Key: the code. */
export type InviteDocument = {
  readonly code: string;
  readonly chat: ChatKey;
  readonly creator: UserId;
  readonly createdAt: Millis;
  readonly expiresAt?: Millis;
  readonly maxUses?: number;
  /** Counted for limited invites only. */
  readonly uses: number;
};
