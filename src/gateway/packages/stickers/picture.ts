import { isRejection, reject, type Rejection } from '../../../kernel/decider.js';
import type { PictureFacts } from '../../../kernel/ports/pictures.js';
import type { Call } from '../../contract/call.js';
import type { FileStore } from '../../files/fileStore.js';
import type { MadeUpload, UploadRef } from '../../files/making.js';

export type EmojiPicture = Omit<MadeUpload, 'picture'> & Omit<PictureFacts, 'type'> & { readonly mimetype: string };

/** Makes the picture of an emoji from the upload, also when its sender calls that something else. The same upload gives the same one. */
export const emojiPicture = async (
  files: Pick<FileStore, 'made'>,
  call: Call,
  upload: UploadRef,
): Promise<EmojiPicture | Rejection> => {
  const made = await files.made(call, { ...upload, form: 'emoji', declared: 'picture' });
  if (isRejection(made)) return made;
  const { picture, ...file } = made;
  // Its key was destroyed since it was made.
  if (picture === undefined) return reject('INVALID_UPLOAD', 'it has expired');
  const { type: mimetype, width, height, animated } = picture;
  return { ...file, mimetype, width, height, animated };
};
