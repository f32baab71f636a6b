import type { Command } from '../../kernel/decider.js';
import type { FileId, Millis, UserId } from '../../kernel/ids.js';

export type UserCommand =
  | Command<'RegisterUser', { readonly user: UserId; readonly name: string; readonly bot: boolean }>
  | Command<'EditProfile', ProfileChanges & { readonly user: UserId; readonly at: Millis }>;

/** Fields that are absent stay as they are. */
export type ProfileChanges = {
  readonly name?: string;
  readonly username?: UsernameChange;
  readonly bio?: string;
  readonly icon?: FileId | 'cleared';
  /** 0xRRGGBB. */
  readonly color?: number;
};

export type UsernameChange = {
  /** The claim on the name must be held already. */
  readonly to: { readonly name: string; readonly key: string } | 'cleared';
  /** The key of the one that is given up for it. A user who carries another one by now has changed it elsewhere. */
  readonly from: string | undefined;
};
