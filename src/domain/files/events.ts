import { declareEvents, type EventsOf } from '../../kernel/declareEvents.js';
import type { FileId, SessionId, UserId } from '../../kernel/ids.js';
import { pictureForms } from '../../kernel/ports/pictures.js';
import { added, bits, count, flag, id, millis, oneOf, shape, text, type Value } from '../../kernel/schema.js';
import { accountScope } from '../../kernel/scopes.js';
import { streamFamily } from '../../kernel/streams.js';
import { nobody } from '../../kernel/topics.js';

const about = (): string => nobody;

const file = id<FileId>('file');

/** As it is stored: upright, `thumb` in base64url. */
const pictureRecord = shape({ type: text, width: count, height: count, animated: flag, thumb: text });
export type PictureRecord = Value<typeof pictureRecord>;

/** A file that is shown beside a name: `key` opens its bytes, `thumb` is shown until they are there; in base64url. */
export const photoContent = shape({ key: text, thumb: text });
export type PhotoContent = Value<typeof photoContent>;

/** The number of an upload is chosen by its session, at random, and another session may choose the same one. */
const uploadFields = {
  user: id<UserId>('user'),
  session: id<SessionId>('session'),
  upload: bits,
  file,
};

export const uploadStreams = streamFamily('upload');
/** An upload as its own session calls it. */
export type UploadName = { readonly session: SessionId; readonly upload: bigint };
export const uploadKey = ({ session, upload }: UploadName): string => `${session.toString()}.${upload.toString()}`;
export const uploadStream = (name: UploadName): string => uploadStreams.named(uploadKey(name));

/** Streams: `upload-<session>.<upload>`, of which only the newest event is kept, so that the key goes when the upload ends. */
export const uploadEvents = declareEvents(
  'files',
  {
    stream: uploadStream,
    about,
    sealedFor: ({ user }: { readonly user: UserId }) => ({ subject: user, scope: accountScope(user) }),
  },
  {
    UploadBegun: {
      says: 'The first part of an upload came. Its bytes are sealed under `key`, in base64url, and become this file if they ever become one. `upload` is what the session calls it.',
      mints: { field: 'file' },
      fields: { ...uploadFields, at: millis },
      personal: { key: text },
    },
    UploadEnded: {
      says: 'Nothing can be made of the upload any more. A file that was made of it stays.',
      fields: uploadFields,
    },
  },
);
export type UploadEvent = EventsOf<typeof uploadEvents>;

export const fileStreams = streamFamily('file');
export const fileStream = (of: FileId): string => fileStreams.named(of.toString());

/** Streams: `file-<file>`: from its making to the removal of its bytes. No client is told of any of them. */
export const fileEvents = declareEvents(
  'files',
  {
    stream: (data: { readonly file: FileId }) => fileStream(data.file),
    about,
    sealedFor: ({ uploader }: { readonly uploader: UserId }) => ({ subject: uploader, scope: accountScope(uploader) }),
  },
  {
    FileMade: {
      says: 'An upload became a file of so many bytes. `manifest` names its parts, in order, with the length of each. Its key is with those who use the file. With `form` the parts are not those that were sent, which were `sentParts`, but those of the `picture` that the server made of them.',
      fields: {
        file,
        uploader: id<UserId>('user'),
        session: id<SessionId>('session'),
        upload: bits,
        at: millis,
        bytes: count,
        parts: count,
        form: added(oneOf(...pictureForms)),
        sentParts: added(count),
      },
      personal: { manifest: text, picture: added(pictureRecord) },
    },
    PagePictureMade: {
      says: 'The server made a file of so many bytes of the picture that a page shows, to which a message of the user links. `manifest` names its parts, whose bytes may still be on their way to the store. Its key is with the preview that uses it.',
      fields: { file, uploader: id<UserId>('user'), at: millis, bytes: count, parts: count },
      mints: { field: 'file' },
      personal: { manifest: text, picture: pictureRecord },
    },
    FileUsed: {
      says: 'The file is about to be used once more, so it is not released for an hour from `at`.',
      fields: { file, uploader: id<UserId>('user'), at: millis },
    },
    FileReleased: {
      says: 'Nothing uses the file, and nothing can from here on: the last use is gone, or there was none. An upload that never became a file is released as `expired`, with `refused` at once, because the scanner of this server refused it.',
      fields: {
        file,
        uploader: id<UserId>('user'),
        because: oneOf('unused', 'expired'),
        at: millis,
        refused: added(flag),
      },
    },
    FileRemoved: {
      says: 'The bytes of a released file are gone from the store.',
      fields: { file, uploader: id<UserId>('user') },
    },
  },
);
export type FileEvent = EventsOf<typeof fileEvents>;
