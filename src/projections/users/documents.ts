import type { PhotoContent } from '../../domain/files/events.js';
import type { FileId, UserId } from '../../kernel/ids.js';
import type { Personal } from '../../kernel/personal.js';

/** Key: the user's id, in decimal. */
export type UserDocument = {
  readonly id: UserId;
  readonly bot: boolean;
  readonly name: Personal<string>;
  readonly username?: Personal<string>;
  readonly bio?: Personal<string>;
  readonly icon?: FileId;
  /** 0xRRGGBB. */
  readonly color?: number;
  readonly photo?: PhotoRecord;
  readonly banner?: PhotoRecord;
};

export type PhotoRecord = { readonly file: FileId; readonly content: Personal<PhotoContent> };
