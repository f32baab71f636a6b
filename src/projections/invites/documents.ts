import type { ChatKey } from '../../kernel/chat.js';
import type { Position } from '../../kernel/event.js';
import type { Millis, UserId } from '../../kernel/ids.js';
import type { Personal } from '../../kernel/personal.js';

/** Key: `name`. Index `usable`: [`placeOf` its chat, creator, when it expires, name] of those that are not used up. */
export type InviteDocument = {
  /** A keyed hash of the code, or of an invite of a former release the code. */
  readonly name: string;
  readonly code: Personal<string>;
  readonly chat: ChatKey;
  readonly creator: UserId;
  readonly made: InviteMade;
  readonly createdAt: Millis;
  readonly expiresAt?: Millis;
  readonly maxUses?: number;
  /** Counted for limited invites only. */
  readonly uses: number;
};

/** When an invite was made: in which joining of its creator, or, by a former release, where in the log. */
export type InviteMade = { readonly joining: number } | { readonly position: Position };
