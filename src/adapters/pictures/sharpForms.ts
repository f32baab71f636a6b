import sharp, { type Metadata, type Sharp, type WebpOptions } from 'sharp';
import {
  animatedPixelsMax,
  bannerPixelsMax,
  cardPixelsMax,
  emojiBytesMax,
  emojiSidePixelsMax,
  heldPicturePixelsMax,
  movingPngFramePixelsMax,
  movingPngPixelsMax,
  photoSidePixelsMax,
  pictureFramesMax,
  picturePixelsMax,
  pictureSidePixelsMax,
  type NoPicture,
  type Picture,
  type PictureForm,
  type PictureType,
} from '../../kernel/ports/pictures.js';
import { movingPngIn, pixelsOf, type MovingPng } from './movingPng.js';
import { thumbOf, thumbSourcePixelsMax } from './thumb.js';
import { turnedFrames, type Frames } from './turnedFrames.js';

/** Readers of the kinds that are taken. All others are off: of SVG, of TIFF, of files by their names. */
const readers = ['Jpeg', 'Png', 'Webp', 'Nsgif', 'Heif'].map((kind) => `VipsForeignLoad${kind}Buffer`);

/** Has to be called before a picture is read. */
export const confineSharp = (): void => {
  sharp.block({ operation: ['VipsForeignLoad'] });
  sharp.unblock({ operation: readers });
  sharp.cache(false);
  sharp.concurrency(1);
};

/**
 * Turning a picture holds all of it in memory, and so does the choice of its codes. A larger one is written as it is read, and keeps a note
 * of how it is to be turned, and nothing else of its metadata.
 */
const turnedPixelsMax = 13_000_000;

/** A longer profile of colours is not kept; the colours are brought into sRGB then. */
const profileBytesMax = 65_536;

type Read = {
  readonly bytes: Uint8Array;
  readonly kind: Kind;
  readonly about: Metadata;
  readonly animated: boolean;
  /** Of a PNG that moves. */
  readonly moving?: MovingPng;
};

const kinds = {
  jpeg: 'image/jpeg',
  png: 'image/png',
  gif: 'image/gif',
  webp: 'image/webp',
  heif: 'image/webp',
  apng: 'image/webp',
} as const;
type Kind = keyof typeof kinds;
const isKind = (format: string): format is Kind => format !== 'apng' && Object.hasOwn(kinds, format);

/** See `Pictures`. */
export const pictureIn = async (form: PictureForm, bytes: Uint8Array): Promise<Picture | NoPicture> => {
  const read = await headOf(bytes);
  if (typeof read === 'string') return read;
  try {
    return await forms[form](read);
  } catch (error) {
    return /memory/i.test(error instanceof Error ? error.message : '') ? 'too costly' : 'damaged';
  }
};

/** The head alone: neither that it has a sound one nor what it says there is believed. */
const headOf = async (bytes: Uint8Array): Promise<Read | NoPicture> => {
  let about: Metadata;
  try {
    about = await sharp(bytes, { failOn: 'error', limitInputPixels: false }).metadata();
  } catch (error) {
    return (error instanceof Error ? error.message : '').includes('unsupported image format') ? 'unknown' : 'damaged';
  }
  const { format, width, height, pages = 1, compression } = about;
  if (!isKind(format) || (format === 'heif' && compression !== 'av1')) return 'unknown';
  const animated = pages > 1 && (format === 'gif' || format === 'webp');
  const pixelsMax = format === 'webp' || format === 'heif' ? heldPicturePixelsMax : picturePixelsMax;
  const isTooLarge = Math.max(width, height) > pictureSidePixelsMax || width * height > pixelsMax;
  const isTooLong = animated && (pages > pictureFramesMax || pages * width * height > animatedPixelsMax);
  if (isTooLarge || isTooLong) return 'too large';
  const read = { bytes, kind: format, about, animated };
  return format === 'png' ? movingOr(read) : read;
};

/** One that is too long to move, all of which would be in memory, stands still. */
const movingOr = (still: Read): Read | 'damaged' => {
  const moving = movingPngIn(still.bytes);
  if (moving === 'damaged') return moving;
  if (moving === undefined) return still;
  const { width, height, frames } = moving;
  const pixels = width * height;
  const isShort = frames.length <= pictureFramesMax && frames.length * pixels <= movingPngPixelsMax;
  return isShort && pixels <= movingPngFramePixelsMax ? { ...still, kind: 'apng', animated: true, moving } : still;
};

/** The same bounds are looked at once more when it is read, because the head may have said something else than the frames. */
const oneFrame = ({ bytes }: Pick<Read, 'bytes'>): Sharp =>
  sharp(bytes, { failOn: 'error', limitInputPixels: picturePixelsMax });

const allFrames = async ({ bytes, about, moving }: Read): Promise<Sharp> => {
  if (moving === undefined)
    return sharp(bytes, { animated: true, failOn: 'error', limitInputPixels: animatedPixelsMax });
  return ofFrames(await framesOf(moving, about));
};

/** Pixels do not say how they are to be turned, so they are upright here. */
const framesOf = async (moving: MovingPng, { orientation = 1 }: Metadata): Promise<Frames> => {
  const { width, height } = moving;
  return turnedFrames({ width, height, pixels: await pixelsOf(moving, decoded) }, orientation);
};

const ofFrames = ({ width, height, pixels }: Frames): Sharp =>
  sharp(pixels, {
    animated: true,
    raw: { width, height: pixels.length / (4 * width), channels: 4, pageHeight: height },
  });

const opened = async (read: Read): Promise<Sharp> => (read.animated ? allFrames(read) : oneFrame(read));

const decoded = (png: Uint8Array): Promise<Uint8Array> =>
  oneFrame({ bytes: png }).toColourspace('srgb').ensureAlpha().raw({ depth: 'uchar' }).toBuffer();

/** A picture that was taken apart has lost how long each frame is shown, and how often all are. */
const timingOf = ({ moving }: Read): Pick<WebpOptions, 'loop' | 'delay'> =>
  moving === undefined ? {} : { loop: moving.plays, delay: moving.frames.map(({ millis }) => millis) };

/** Keeps the colours of a wide gamut. A profile of inks cannot be kept with what is not made of inks. */
const coloured = (image: Sharp, { about: { icc, space } }: Read): Sharp =>
  icc !== undefined && icc.length <= profileBytesMax && /^(s?rgb|rgb16)$/.test(space) ? image.keepIccProfile() : image;

const isLong = ({ about: { width, height } }: Read): boolean => width * height > turnedPixelsMax;
const isTurned = ({ about: { orientation = 1 } }: Read): boolean => orientation > 1;

const attachment = async (read: Read): Promise<Picture | NoPicture> => {
  const { kind, about } = read;
  const image = coloured(await opened(read), read);
  const staysTurned = kind === 'jpeg' && isTurned(read) && isLong(read);
  const upright = staysTurned
    ? image.withExif({ IFD0: { Orientation: (about.orientation ?? 1).toString() } })
    : image.autoOrient();
  const bytes = await written[kind](upright, read).toBuffer();
  return made(bytes, kinds[kind]);
};

const written: Readonly<Record<Kind, (image: Sharp, read: Read) => Sharp>> = {
  jpeg: (image, read) => {
    const chromaSubsampling = read.about.chromaSubsampling === '4:4:4' ? '4:4:4' : '4:2:0';
    return image.jpeg({ quality: 90, chromaSubsampling, optimiseCoding: !isLong(read) });
  },
  png: (image) => image.png({ compressionLevel: 6 }),
  gif: (image) => image.gif({ effort: 1 }),
  webp: (image, { animated }) => image.webp({ quality: 90, effort: animated ? 1 : 2 }),
  heif: (image) => image.webp({ quality: 90, effort: 2 }),
  apng: (image, read) => image.webp({ quality: 90, effort: 1, ...timingOf(read) }),
};

const photo = async (read: Read): Promise<Picture | NoPicture> => {
  const { width, height } = read.about;
  const side = Math.min(photoSidePixelsMax, width, height);
  return webp(oneFrame(read).autoOrient().resize(side, side, { fit: 'cover' }), read);
};

const within =
  (bounds: { readonly width: number; readonly height: number }) =>
  (read: Read): Promise<Picture | NoPicture> =>
    webp(
      oneFrame(read)
        .autoOrient()
        .resize({ ...bounds, fit: 'inside', withoutEnlargement: true }),
      read,
    );

const webp = async (image: Sharp, read: Read, options: WebpOptions = {}): Promise<Picture | NoPicture> =>
  made(
    await coloured(image, read)
      .webp({ quality: 85, effort: read.animated ? 2 : 4, ...options })
      .toBuffer(),
    'image/webp',
  );

/** Of an emoji that has too many bytes otherwise, the best first. */
const emojiQualities = [85, 60, 30];

const emoji = async (read: Read): Promise<Picture | NoPicture> => {
  const small = await emojiSized(read);
  for (const quality of emojiQualities) {
    const one = await webp(await small(), read, { quality, ...timingOf(read) });
    if (typeof one === 'string' || one.bytes.length <= emojiBytesMax) return one;
  }
  return 'too large';
};

/** Opens it in the size of an emoji, as often as it is written. The frames of a PNG are put together and reduced only once. */
const emojiSized = async (read: Read): Promise<() => Promise<Sharp>> => {
  const side = emojiSidePixelsMax;
  const small = async (): Promise<Sharp> =>
    (await opened(read)).autoOrient().resize({ width: side, height: side, fit: 'inside', withoutEnlargement: true });
  if (read.moving === undefined) return small;
  const { data: pixels, info } = await (await small()).raw().toBuffer({ resolveWithObject: true });
  const height = pixels.length / (4 * info.width * read.moving.frames.length);
  return () => Promise.resolve(ofFrames({ width: info.width, height, pixels }));
};

const forms: Readonly<Record<PictureForm, (read: Read) => Promise<Picture | NoPicture>>> = {
  attachment,
  photo,
  banner: within(bannerPixelsMax),
  emoji,
  card: within(cardPixelsMax),
};

/** All that is told of a picture is read from the one that was made. */
const made = async (bytes: Uint8Array, type: PictureType): Promise<Picture> => {
  const about = await sharp(bytes, { limitInputPixels: false }).metadata();
  const { width, height } = about.autoOrient;
  const small = sharp(bytes, { failOn: 'error', limitInputPixels: false })
    .autoOrient()
    .resize(thumbSourcePixelsMax, thumbSourcePixelsMax, { fit: 'inside', withoutEnlargement: true })
    .toColourspace('srgb')
    .ensureAlpha()
    .raw();
  const { data, info } = await small.toBuffer({ resolveWithObject: true });
  const thumb = thumbOf({ width: info.width, height: info.height, rgba: data });
  return { type, width, height, animated: (about.pages ?? 1) > 1, bytes, thumb };
};
