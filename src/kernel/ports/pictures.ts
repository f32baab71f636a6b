import type { UserId } from '../ids.js';

/** In bytes. A larger picture is not looked at. */
export const pictureBytesMax = 33_554_432;

/** Of a picture, or of each frame of an animated one. */
export const pictureSidePixelsMax = 16_383;
export const picturePixelsMax = 50_000_000;
/** Of WebP and AVIF, which are in memory as a whole while they are read and written. */
export const heldPicturePixelsMax = 16_000_000;
export const pictureFramesMax = 1_000;
/** Of all frames of an animated picture together. */
export const animatedPixelsMax = 40_000_000;
/** The same of a PNG, whose frames are all in memory at once, and of one of its frames. One that has more stands still, and is not refused. */
export const movingPngPixelsMax = 10_000_000;
export const movingPngFramePixelsMax = 2_000_000;

/** Sides of a square. */
export const photoSidePixelsMax = 512;
export const emojiSidePixelsMax = 128;
export const emojiBytesMax = 524_288;
/** As large as a picture fits into. */
export const bannerPixelsMax = { width: 1_500, height: 750 } as const;
export const cardPixelsMax = { width: 1_200, height: 630 } as const;

/** From the first byte that the process gets to its last one. */
export const pictureMillisMax = 10_000;
/** Of the process that works on a picture, its program included. */
export const pictureMemoryBytesMax = 268_435_456;
/** Of a picture that is shown until the real one is there, in the form of ThumbHash. */
export const thumbBytesMax = 25;

/**
 * The forms that a picture can be given. An `attachment` keeps its kind, its size and its movement, except that AVIF and PNG that moves become WebP. A `photo` is a
 * square and stands still, a `banner` and a `card` fit into their bounds and stand still, an `emoji` fits into its square, may move and has
 * `emojiBytesMax` at most; these are WebP, and none is made larger than it was.
 */
export const pictureForms = ['attachment', 'photo', 'banner', 'emoji', 'card'] as const;
export type PictureForm = (typeof pictureForms)[number];

export const pictureTypes = ['image/jpeg', 'image/png', 'image/gif', 'image/webp'] as const;
export type PictureType = (typeof pictureTypes)[number];

/** `parts` are read once, one after the other, and together have `bytes`. */
export type PictureSource = { readonly bytes: number; readonly parts: AsyncIterable<Uint8Array> };

/** `width` and `height` are those of one frame, as it is shown: upright. */
export type PictureFacts = {
  readonly type: PictureType;
  readonly width: number;
  readonly height: number;
  readonly animated: boolean;
};

/** `thumb` has `thumbBytesMax` at most, and is never empty. */
export type Picture = PictureFacts & { readonly bytes: Uint8Array; readonly thumb: Uint8Array };

/**
 * Why there is none. `unknown`: the bytes are none of the kinds that are read: JPEG, PNG, GIF, WebP and AVIF. `damaged`: it cannot be read
 * to its end. `too large`: it has more bytes, pixels or frames than it may, or cannot be made as small as its form wants. `too costly`: the
 * process that read it took too much time or memory, or died of it. `busy`: so many wait that this one was not tried; later it may be.
 */
export const noPictures = ['unknown', 'damaged', 'too large', 'too costly', 'busy'] as const;
export type NoPicture = (typeof noPictures)[number];

/**
 * Reads pictures of strangers and makes new ones of them, which hold what is seen and nothing else: no places, no names of cameras, no
 * other metadata, no bytes behind the end. Colours stay as they are seen, also those of a wide gamut.
 */
export interface Pictures {
  /**
   * Takes seconds: the wait for a turn, and the work. In turns: of those for whom pictures wait, each has theirs. Rejects with the error of
   * `parts`, and with nothing else: bytes that kill the process that reads them are `too costly`.
   */
  made(this: void, form: PictureForm, source: PictureSource, user: UserId): Promise<Picture | NoPicture>;
  /** Ends what is under way, which is `busy` then. */
  close(this: void): Promise<void>;
}
