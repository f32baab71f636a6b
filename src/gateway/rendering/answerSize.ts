import { encode, type Codec } from '../../wire/codec.js';

/**
 * Clients drop the connection on a frame above 1 MiB. The repeated fields of one answer share this, and the rest is
 * room.
 */
export const answerBytesMax = 1_000_000;

/** The size of an item of a repeated field, with its tag and length. */
export const bytesOf = <Init>(codec: Codec<unknown, Init>, item: Init): number =>
  encode(codec, item).length + tagAndLengthBytesMax;
const tagAndLengthBytesMax = 5;

/** The first of the items, as many as stay within `bytesMax` together. */
export const fitting = <Item>(
  items: readonly Item[],
  bytesMax: number,
  sizeOf: (item: Item) => number,
): readonly Item[] => {
  let left = bytesMax;
  const overflow = items.findIndex((item) => (left -= sizeOf(item)) < 0);
  return overflow === -1 ? items : items.slice(0, overflow);
};
