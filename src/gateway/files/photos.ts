import type { PhotoContent } from '../../domain/files/events.js';
import { isRejection, reject, type Rejection } from '../../kernel/decider.js';
import type { FileId } from '../../kernel/ids.js';
import type { PictureForm } from '../../kernel/ports/pictures.js';
import type { Call } from '../contract/call.js';
import type { FileStore } from './fileStore.js';

/** As the client names what it uploaded. */
export type UploadedPhoto = { readonly id: bigint; readonly partCount: number };

export type MadePhoto = { readonly file: FileId; readonly content: PhotoContent };

/** The photo or banner that an upload becomes. Nothing but a picture is one. */
export const madePhoto = async (
  files: Pick<FileStore, 'made'>,
  call: Call,
  { id: upload, partCount }: UploadedPhoto,
  form: Extract<PictureForm, 'photo' | 'banner'>,
): Promise<MadePhoto | Rejection> => {
  const made = await files.made(call, { upload, partCount, form, declared: 'picture' });
  if (isRejection(made)) return made;
  const { file, key, picture } = made;
  // The uploader's keys are gone meanwhile.
  if (picture === undefined) return reject('INVALID_UPLOAD', 'it has expired');
  return { file, content: { key, thumb: picture.thumb } };
};
