import type { ChatKey } from '../../kernel/chat.js';
import type { Millis, UserId } from '../../kernel/ids.js';
import type { Personal } from '../../kernel/personal.js';

/** Key: `name`. Index `usable`: [`placeOf` its chat, creator, when it expires, name] of those that are not used up. */
export type InviteDocument = {
  /** A keyed hash of the code, or of an invite of a former release the code. */
  readonly name: string;
  readonly code: Personal<string>;
  readonly chat: ChatKey;
  readonly creator: UserId;
  /** How often the creator had joined when they made it; 1 in invites of former releases, which no removal preceded. */
  readonly creatorJoining: number;
  readonly createdAt: Millis;
  readonly expiresAt?: Millis;
  readonly maxUses?: number;
  /** Counted for limited invites only. */
  readonly uses: number;
};
