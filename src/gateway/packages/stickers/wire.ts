import { emojiName, nameFromFile } from '../../../domain/stickers/emojiName.js';
import type { MediaRefUploadedFile } from '../../../gen/media.js';
import type { StickerPackRef } from '../../../gen/refs.js';
import type { AddStickerToPack } from '../../../gen/stickers.js';
import { isRejection, reject, type Rejection } from '../../../kernel/decider.js';
import { millisOf, type Millis, type StickerPackId } from '../../../kernel/ids.js';
import type { UploadRef } from '../../files/making.js';

export type AddedSticker = {
  readonly pack: StickerPackId;
  readonly name: string;
  readonly upload: UploadRef;
};

export const addingOf = ({ pack: ref, sticker }: AddStickerToPack): AddedSticker | Rejection => {
  const pack = packIn(ref);
  if (isRejection(pack)) return pack;
  if (sticker?.file === undefined) return reject('INVALID_ARGUMENT', 'sticker names no upload');
  const name = nameIn(sticker);
  if (isRejection(name)) return name;
  const { id, partCount } = sticker.file;
  return { pack, name, upload: { upload: id, partCount } };
};

export const packIn = (ref: StickerPackRef | undefined): StickerPackId | Rejection =>
  ref?.id ?? reject('INVALID_ARGUMENT', 'pack is missing');

/** Clients that know no name of emoji name the file. */
const nameIn = ({ file, filename = '', metadata }: MediaRefUploadedFile): string | Rejection => {
  const typed = metadata?.customEmoji?.emoji ?? '';
  if (typed !== '') return emojiName(typed);
  return emojiName(nameFromFile(filename === '' ? (file?.name ?? '') : filename));
};

/** Until the year 5138 seconds are below it, and milliseconds are above it since 1973. */
const secondsMax = 100_000_000_000n;
/** Until the year 5138 milliseconds are below it; snowflakes are above it from the first day of their epoch on. */
const millisMax = 100_000_000_000_000n;

/** The unit is not said in the protocol, so each that it uses elsewhere is taken: seconds, milliseconds, and ids. */
export const sinceIn = (since: bigint): Millis => {
  if (since < secondsMax) return (Number(since) * 1_000) as Millis;
  return since < millisMax ? (Number(since) as Millis) : millisOf(since);
};
