import { isRejection, reject, type Rejection } from '../../../kernel/decider.js';
import type { Call } from '../../contract/call.js';
import type { FileStore } from '../../files/fileStore.js';
import type { MadeUpload } from '../../files/making.js';
import type { Adding } from './wire.js';

export const emojiBytesMax = 524_288;

export type EmojiPicture = MadeUpload & {
  readonly mimetype: string;
  readonly width: number;
  readonly height: number;
  readonly animated: boolean;
};

/** Makes a file of what was uploaded. The same upload gives the same file. */
export const emojiPicture = async (
  files: Pick<FileStore, 'made'>,
  call: Call,
  { upload, picture: { mimetype, metadata } }: Adding,
): Promise<EmojiPicture | Rejection> => {
  if (!imageType.test(mimetype)) return reject('INVALID_ARGUMENT', 'an emoji is a picture');
  const made = await files.made(call, upload);
  if (isRejection(made)) return made;
  if (made.bytes > emojiBytesMax) return reject('TOO_LARGE', `an emoji has at most ${emojiBytesMax.toString()} bytes`);
  const { width = 0, height = 0, animated = false } = metadata?.customEmoji ?? metadata?.image ?? {};
  return { ...made, mimetype, width, height, animated };
};

const imageType = /^image\/[a-z0-9.+-]{1,60}$/;
