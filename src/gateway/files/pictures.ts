import { isRejection, reject, type Rejection } from '../../kernel/decider.js';
import type { Blobs } from '../../kernel/ports/blobs.js';
import type { PartSeal } from '../../kernel/ports/partSeal.js';
import {
  animatedPixelsMax,
  emojiBytesMax,
  heldPicturePixelsMax,
  pictureBytesMax,
  pictureFramesMax,
  picturePixelsMax,
  type NoPicture,
  type Picture,
  type PictureForm,
  type Pictures,
  type PictureSource,
} from '../../kernel/ports/pictures.js';
import type { FairTurns, TurnBounds } from '../../kernel/fairTurns.js';
import type { Ids } from '../../kernel/ports/system.js';
import type { Call } from '../contract/call.js';
import { costs } from '../contract/meter.js';
import { madeParts, storeMadeParts } from './madeParts.js';
import { madePartsFrom, type StoredPart } from './manifest.js';
import { markBytes, pictureMark } from './pictureMark.js';
import { noRoom, tooLargeFile } from './parts.js';
import { inOne, openedParts, partRefusal } from './openedParts.js';
import { openedPart, type OpeningNeeds } from './reading.js';
import type { UploadedBytes } from './uploadedBytes.js';
import type { OpenUpload } from './uploads.js';

/** Pictures whose bytes are in memory, from the making until the last of them is stored, and those that wait. */
export const pictureTurns: TurnBounds = { atOnceMax: 4, waitingMax: 100, waitingOfOneMax: 20 };

export type PictureNeeds = OpeningNeeds & {
  readonly blobs: Pick<Blobs, 'get' | 'put'>;
  readonly fileBytesMax: number;
  /** Whether the disk has room for more. */
  readonly hasRoom: () => boolean;
  readonly ids: Pick<Ids, 'next'>;
  readonly pictureTurns: FairTurns;
  readonly pictures: Pick<Pictures, 'made'>;
  readonly seal: Pick<PartSeal, 'open' | 'seal'>;
  readonly uploaded: UploadedBytes;
};

/** Its bytes are in the store. */
export type StoredPicture = Omit<Picture, 'bytes'> & { readonly bytes: number; readonly parts: readonly StoredPart[] };

/** `declared`: whether its sender calls it a picture. A form other than `attachment` is of pictures alone. */
export type PictureWish = { readonly form: PictureForm; readonly declared: 'picture' | 'file' };

type Sent = { readonly upload: OpenUpload; readonly parts: readonly StoredPart[]; readonly wish: PictureWish };

/** The picture that is to stand in the place of what was sent; undefined where that is no picture, and stays as it is. */
export const pictureOf = async (
  needs: PictureNeeds,
  call: Call,
  { upload, parts, wish: { form, declared } }: Sent,
): Promise<StoredPicture | Rejection | undefined> => {
  const mark = form === 'attachment' ? await markOf(needs, call, { upload, parts }) : 'read';
  if (isRejection(mark) || mark === 'none') return mark === 'none' ? undefined : mark;
  if (mark === 'another') return declared === 'picture' ? refusals.unknown : undefined;
  const bytes = parts.reduce((sum, part) => sum + part.bytes, 0);
  if (bytes > pictureBytesMax) return refusals['too large'];
  if (!needs.hasRoom()) return noRoom;
  call.meter.spend(costs.picture + (costs.kibibyteOpened * bytes) / 1_024);
  const sent = { upload, form, source: { bytes, parts: openedParts(needs, upload, parts) } };
  const making = needs.pictureTurns.run(call.caller.user.toString(), () => madeAndStored(needs, call, sent));
  const made = making === undefined ? 'busy' : await making;
  if (made === 'too costly') call.meter.spend(costs.pictureTooCostly);
  if (typeof made !== 'string') return made;
  const isMere = form === 'attachment' && declared === 'file' && (made === 'unknown' || made === 'damaged');
  return isMere ? undefined : refusals[made];
};

type Picturing = { readonly upload: OpenUpload; readonly form: PictureForm; readonly source: PictureSource };

const madeAndStored = async (
  needs: PictureNeeds,
  { caller: { user }, monotonic }: Call,
  { upload, form, source }: Picturing,
): Promise<StoredPicture | NoPicture | Rejection> => {
  // All of them are there before the process has its turn: a store may take longer for thousands of short parts than a turn lasts.
  const whole = await wholeOf(source).catch(partRefusal);
  if (isRejection(whole)) return whole;
  const made = await needs.pictures.made(form, { bytes: source.bytes, parts: inOne(whole) }, user);
  if (typeof made === 'string') return made;
  const { bytes, ...facts } = made;
  if (bytes.length > needs.fileBytesMax) return tooLargeFile(needs.fileBytesMax);
  // The parts that were sent are counted, and go in a while.
  const more = Math.max(0, bytes.length - source.bytes);
  if (!needs.uploaded.take(user, more, monotonic)) return reject('UPLOADED_TOO_MUCH');
  return { ...facts, bytes: bytes.length, parts: await storedParts(needs, upload, bytes) };
};

const wholeOf = async ({ bytes, parts }: PictureSource): Promise<Uint8Array> => {
  const whole = Buffer.allocUnsafe(bytes);
  let filled = 0;
  for await (const part of parts) {
    whole.set(part, filled);
    filled += part.length;
  }
  return whole.subarray(0, filled);
};

/** Beside the parts that were sent. */
const storedParts = async (
  needs: PictureNeeds,
  upload: OpenUpload,
  bytes: Uint8Array,
): Promise<readonly StoredPart[]> => {
  const parts = madeParts(needs.ids, upload, bytes);
  upload.lastVersion = parts.at(-1)?.version ?? upload.lastVersion;
  await storeMadeParts(needs, { ...upload, first: madePartsFrom }, parts);
  return parts;
};

const megapixels = (pixels: number): string => (pixels / 1_000_000).toString();
const limits = `at most ${pictureBytesMax.toString()} bytes, ${megapixels(picturePixelsMax)} million pixels, of WebP and AVIF ${megapixels(heldPicturePixelsMax)} million, or ${pictureFramesMax.toString()} frames with ${megapixels(animatedPixelsMax)} million pixels in all`;

const refusals: Readonly<Record<NoPicture, Rejection>> = {
  unknown: reject('INVALID_PICTURE', 'pictures are JPEG, PNG, GIF, WebP or AVIF'),
  damaged: reject('INVALID_PICTURE', 'it is damaged'),
  'too large': reject('TOO_LARGE', `a picture has ${limits}; an emoji fits into ${emojiBytesMax.toString()} bytes`),
  'too costly': reject('INVALID_PICTURE', 'it takes too much time or memory to read'),
  busy: reject('UNAVAILABLE', 'too many pictures are being read'),
};

type Head = Pick<Sent, 'upload' | 'parts'>;

/** A part may be as short as one byte, so the mark of a picture may lie in several of them. */
const markOf = async (needs: PictureNeeds, call: Call, { upload, parts }: Head) => {
  const { file, key } = upload;
  let beginning: Uint8Array = new Uint8Array(0);
  for (const [index, part] of parts.entries()) {
    call.meter.spend((costs.kibibyteOpened * part.bytes) / 1_024);
    const plain = await openedPart(needs, { file, key, index, part });
    if (isRejection(plain)) return plain;
    beginning = Buffer.concat([beginning, plain.subarray(0, markBytes)]);
    if (beginning.length >= markBytes) break;
  }
  return pictureMark(beginning);
};
