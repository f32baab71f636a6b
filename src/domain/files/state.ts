import type { Fold } from '../../kernel/event.js';
import type { FileId, Millis, UserId } from '../../kernel/ids.js';
import type { Personal } from '../../kernel/personal.js';
import { defined } from '../../kernel/defined.js';
import type { PictureForm } from '../../kernel/ports/pictures.js';
import type { FileEvent, PictureRecord, UploadEvent } from './events.js';

export type UploadState =
  | { readonly status: 'absent' }
  | { readonly status: 'ended'; readonly file: FileId }
  | {
      readonly status: 'open';
      readonly file: FileId;
      readonly user: UserId;
      readonly at: Millis;
      readonly key: Personal<string>;
    };

export const noUpload: UploadState = { status: 'absent' };

export const evolveUpload: Fold<UploadState, UploadEvent> = {
  UploadBegun: (_, { data: { file, user, at, key } }) => ({ status: 'open', file, user, at, key }),
  UploadEnded: (_, { data: { file } }) => ({ status: 'ended', file }),
};

export type FileState =
  | { readonly status: 'absent' }
  | MadeFile
  | { readonly status: 'released'; readonly uploader: UserId; readonly refused?: true }
  | { readonly status: 'removed' };

export type MadeFile = {
  readonly status: 'made';
  readonly uploader: UserId;
  readonly bytes: number;
  readonly parts: number;
  readonly manifest: Personal<string>;
  /** These three of a picture that the server made of `sentParts` parts. */
  readonly form?: PictureForm;
  readonly sentParts?: number;
  readonly picture?: Personal<PictureRecord>;
  /** When it was made, or was last about to be used. */
  readonly usedAt: Millis;
};

export const noFile: FileState = { status: 'absent' };

export const evolveFile: Fold<FileState, FileEvent> = {
  FileMade: (_, { data: { uploader, bytes, parts, manifest, at, form, sentParts, picture } }) => ({
    status: 'made',
    uploader,
    bytes,
    parts,
    manifest,
    usedAt: at,
    ...defined({ form, sentParts, picture }),
  }),
  PagePictureMade: (_, { data: { uploader, bytes, parts, manifest, at, picture } }) => ({
    status: 'made',
    uploader,
    bytes,
    parts,
    manifest,
    picture,
    usedAt: at,
  }),
  FileUsed: (state, { data: { at } }) => (state.status === 'made' ? { ...state, usedAt: at } : state),
  FileReleased: (_, { data: { uploader, refused } }) => ({
    status: 'released',
    uploader,
    ...(refused === true && { refused }),
  }),
  FileRemoved: () => ({ status: 'removed' }),
};
