import type { Command } from '../../kernel/decider.js';
import type { FileId, Millis, UserId } from '../../kernel/ids.js';
import type { PhotoContent } from '../files/events.js';

export type UserCommand =
  | Command<'RegisterUser', { readonly user: UserId; readonly name: string; readonly bot: boolean }>
  | Command<'EditProfile', ProfileChanges & { readonly user: UserId; readonly at: Millis }>
  | Command<'EditProfilePhoto', PhotoChange & { readonly user: UserId; readonly at: Millis }>
  | Command<'EditProfileBanner', PhotoChange & { readonly user: UserId; readonly at: Millis }>;

/** The file is kept for long enough: see `UseFile`. */
export type PhotoChange = { readonly to: { readonly file: FileId; readonly content: PhotoContent } | 'removed' };

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
