import type { Command } from '../../kernel/decider.js';
import type { FileId, Millis, UserId } from '../../kernel/ids.js';
import type { PictureForm } from '../../kernel/ports/pictures.js';
import type { PictureRecord, UploadName } from './events.js';

export type UploadCommand =
  | Command<
      'BeginUpload',
      UploadName & { readonly user: UserId; readonly file: FileId; readonly at: Millis; readonly key: string }
    >
  | Command<'EndUpload', UploadName & { readonly user: UserId; readonly file: FileId }>;

type OfFile = { readonly file: FileId; readonly uploader: UserId };

export type FileCommand =
  | Command<
      'MakeFile',
      OfFile &
        UploadName & {
          readonly at: Millis;
          readonly bytes: number;
          readonly parts: number;
          readonly manifest: string;
          /** These three of a picture that was made of what was sent, and only of one. */
          readonly form?: PictureForm;
          readonly sentParts?: number;
          readonly picture?: PictureRecord;
        }
    >
  | Command<
      'MakePagePicture',
      OfFile & {
        readonly at: Millis;
        readonly bytes: number;
        readonly parts: number;
        readonly manifest: string;
        readonly picture: PictureRecord;
      }
    >
  | Command<'UseFile', Pick<OfFile, 'file'> & { readonly at: Millis }>
  /** Its upload came to an end: it can become a file no more. One that was made stays. */
  | Command<'ExpireFile', OfFile & { readonly at: Millis }>
  /** The scanner refused what would become the file. */
  | Command<'RefuseFile', OfFile & { readonly at: Millis }>
  | Command<'ReleaseFile', Pick<OfFile, 'file'> & { readonly at: Millis }>
  | Command<'RemoveFile', Pick<OfFile, 'file'>>;
