import type { PhotoContent } from '../../domain/files/events.js';
import { isRejection, reject, type Rejection } from '../../kernel/decider.js';
import type { FileId, Millis } from '../../kernel/ids.js';
import type { PictureForm } from '../../kernel/ports/pictures.js';
import type { Call } from '../contract/call.js';
import type { FileStore } from './fileStore.js';

/** As the client names what it uploaded. */
export type UploadedPhoto = { readonly id: bigint; readonly partCount: number };

export type PhotoWish = {
  readonly form: Extract<PictureForm, 'photo' | 'banner'>;
  /** A refusal for an edit that comes too early: then no picture is made, and the one that was made of the upload is found alone. */
  readonly paid: Millis | Rejection;
};

export type MadePhoto = { readonly file: FileId; readonly content: PhotoContent };

/** The photo or banner that an upload becomes. Nothing but a picture is one. */
export const madePhoto = async (
  files: Pick<FileStore, 'made'>,
  call: Call,
  { id: upload, partCount }: UploadedPhoto,
  { form, paid }: PhotoWish,
): Promise<MadePhoto | Rejection> => {
  const refusedToMake = isRejection(paid) ? paid : undefined;
  const made = await files.made(call, { upload, partCount, form, declared: 'picture', refusedToMake });
  if (isRejection(made)) return made;
  const { file, key, picture } = made;
  // The uploader's keys are gone meanwhile.
  if (picture === undefined) return reject('INVALID_UPLOAD', 'it has expired');
  return { file, content: { key, thumb: picture.thumb } };
};
