import type { PhotoContent } from '../../domain/files/events.js';
import type { ChatKey } from '../../kernel/chat.js';
import type { FileId, MessageId, Millis, SessionId, UserId } from '../../kernel/ids.js';
import type { Personal } from '../../kernel/personal.js';

/**
 * An upload of which something may still be made. Key: see `uploadKey`. Indexes: `begun` [at, file]; `open` [user, file] of those
 * that are no file yet.
 */
export type UploadDocument = {
  readonly user: UserId;
  readonly session: SessionId;
  readonly upload: bigint;
  readonly file: FileId;
  readonly at: Millis;
  readonly isFile: boolean;
};

/**
 * A file whose bytes are, or may be, in the store. Key: the file's id, in decimal. Indexes: `unused` [since, file] of those that
 * nothing uses; `removable` [dueAt, file] of those that were released; `uploader` [user, file].
 */
export type FileDocument = {
  readonly file: FileId;
  readonly uploader: UserId;
  readonly bytes: number;
  /** How many things use it. */
  readonly uses: number;
  /** When it was made, was last about to be used, or lost a use. */
  readonly since: Millis;
  /** When the bytes may go; only of a file that was released. */
  readonly dueAt?: Millis;
};

/**
 * A thing that uses files. Key: its kind and the id of the message, `message.<id>` for all that is attached and `preview.<id>` for the picture of its preview. Indexes: `byFile` [file, chat, message], once for each file;
 * `byUser` [file, user, chat, message], also once for each user whom the chat's key names; `byChat` [chat, message]. The evidence of
 * reports has no such document, and a custom emoji has one of its own kind: `EmojiDocument`.
 */
export type FileUseDocument = {
  readonly chat: ChatKey;
  readonly message: MessageId;
  readonly files: readonly FileId[];
};

/**
 * A photo that everybody may read: of a user, of a profile's banner, of a community. Key: its kind and the id of its holder,
 * `photo.<user>`. Index: `byFile` [file, holder].
 */
export type PhotoUseDocument = {
  readonly holder: string;
  readonly file: FileId;
  readonly content: Personal<PhotoContent>;
};

/** A report whose evidence uses files. Key: `<message>.<user>`. Index: `byDay` [day, message, by]. Gone once it ended. */
export type ReportFilesDocument = { readonly message: MessageId; readonly by: UserId; readonly day: number };
