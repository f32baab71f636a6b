import type { Command } from '../../kernel/decider.js';
import type { FileId, Millis, UserId } from '../../kernel/ids.js';
import type { UploadName } from './events.js';

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
        }
    >
  | Command<'UseFile', Pick<OfFile, 'file'> & { readonly at: Millis }>
  /** Its upload came to an end: it can become a file no more. One that was made stays. */
  | Command<'ExpireFile', OfFile & { readonly at: Millis }>
  | Command<'ReleaseFile', Pick<OfFile, 'file'> & { readonly at: Millis }>
  | Command<'RemoveFile', Pick<OfFile, 'file'>>;
