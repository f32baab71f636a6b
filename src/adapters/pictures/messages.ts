import {
  noPictures,
  pictureBytesMax,
  pictureForms,
  pictureTypes,
  thumbBytesMax,
  type NoPicture,
  type Picture,
  type PictureFacts,
  type PictureForm,
} from '../../kernel/ports/pictures.js';

/** Of a picture that was made. PNG of a photograph has more bytes than the JPEG that somebody made a PNG of. */
export const madeBytesMax = 2 * pictureBytesMax;

/** A request is this head and then the bytes of the picture. */
export const requestHeadBytes = 5;
export const requestHead = (form: PictureForm, bytes: number): Uint8Array => {
  const head = Buffer.alloc(requestHeadBytes);
  head.writeUInt8(pictureForms.indexOf(form), 0);
  head.writeUInt32BE(bytes, 1);
  return head;
};

export type PictureRequest = { readonly form: PictureForm; readonly bytes: number };

export const requestIn = (head: Buffer): PictureRequest => {
  const form = pictureForms[head.readUInt8(0)];
  const bytes = head.readUInt32BE(1);
  if (form === undefined || bytes > pictureBytesMax) throw new RangeError('this is no request for a picture');
  return { form, bytes };
};

/** An answer is this head, then the thumb and the bytes of the picture, where there is one. The first byte says why there is none. */
export const answerHeadBytes = 17;
const isThere = 255;

export const answerHead = (made: Picture | NoPicture): Uint8Array => {
  const head = Buffer.alloc(answerHeadBytes);
  if (typeof made === 'string') {
    head.writeUInt8(noPictures.indexOf(made), 0);
    return head;
  }
  head.writeUInt8(isThere, 0);
  head.writeUInt8(pictureTypes.indexOf(made.type), 1);
  head.writeUInt8(made.animated ? 1 : 0, 2);
  head.writeUInt32BE(made.width, 3);
  head.writeUInt32BE(made.height, 7);
  head.writeUInt16BE(made.thumb.length, 11);
  head.writeUInt32BE(made.bytes.length, 13);
  return head;
};

export type PictureAnswer = PictureFacts & { readonly thumbBytes: number; readonly bytes: number };

/** The process that answers has read bytes of strangers, so nothing that it says is believed. Undefined for what is no answer. */
export const answerIn = (head: Buffer): PictureAnswer | NoPicture | undefined => {
  if (head.readUInt8(0) !== isThere) return noPictures[head.readUInt8(0)];
  const type = pictureTypes[head.readUInt8(1)];
  const [width, height] = [head.readUInt32BE(3), head.readUInt32BE(7)];
  const [thumbBytes, bytes] = [head.readUInt16BE(11), head.readUInt32BE(13)];
  const isSound = thumbBytes > 0 && thumbBytes <= thumbBytesMax && bytes > 0 && bytes <= madeBytesMax;
  if (type === undefined || !isSound || width === 0 || height === 0) return undefined;
  return { type, width, height, animated: head.readUInt8(2) === 1, thumbBytes, bytes };
};

/** Gives the next so many bytes of a stream; undefined where it ends before. */
export type Take = (bytes: number) => Promise<Buffer | undefined>;

/** Of several that are asked for at once, none but the first may be under way. */
export const takenFrom = (stream: AsyncIterable<Uint8Array>): Take => {
  const chunks = stream[Symbol.asyncIterator]();
  let left: Uint8Array = new Uint8Array(0);
  return async (bytes) => {
    const taken = Buffer.allocUnsafe(bytes);
    let filled = 0;
    for (;;) {
      const some = left.subarray(0, bytes - filled);
      taken.set(some, filled);
      filled += some.length;
      left = left.subarray(some.length);
      if (filled === bytes) return taken;
      const next = await chunks.next();
      if (next.done === true) return undefined;
      left = next.value;
    }
  };
};
