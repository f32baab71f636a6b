import { inPieces } from '../../projections/reading/pace.js';
import { encodePart, type Codec } from '../../wire/codec.js';
import type { Encoded } from '../../wire/encoded.js';
import { costs, type Meter } from '../contract/meter.js';
import { paceOf } from '../contract/meteredReads.js';

/**
 * Clients drop the connection on a frame above 1 MiB. The repeated fields of one answer share this, and the rest is
 * room.
 */
export const answerBytesMax = 1_000_000;

/** The size of items of repeated fields, with their tags and lengths. */
export const bytesOf = (...items: readonly Encoded<unknown>[]): number =>
  items.reduce((bytes, item) => bytes + item.bytes.length + tagAndLengthBytesMax, 0);
const tagAndLengthBytesMax = 5;

/** The work of the request, paid for as it goes on. */
export type Paying = Pick<Meter, 'turn' | 'spend'>;

/** How items of an answer are made and encoded. */
export type PartMaking<Item, Made> = {
  readonly made: (item: Item) => Made;
  /** In bytes. */
  readonly sizeOf: (made: Made) => number;
  /** Default: any number. */
  readonly bytesMax?: number;
};

/**
 * The first of the items, as many as stay within `bytesMax` together. Each is made once, and others have the thread in
 * between.
 */
export const fitting = async <Item, Made>(
  items: readonly Item[],
  { made, sizeOf, bytesMax = Infinity }: PartMaking<Item, Made>,
  meter: Paying,
): Promise<readonly Made[]> => {
  const all: Made[] = [];
  const pieces = inPieces(paceOf(meter, costs.kibibyteEncoded));
  let left = bytesMax;
  for (const item of items) {
    const one = made(item);
    const bytes = sizeOf(one);
    const turn = pieces.before(bytes);
    if (turn !== undefined) await turn;
    left -= bytes;
    if (left < 0) break;
    all.push(one);
  }
  pieces.end();
  return all;
};

/** The same for a list of one type. */
export const encodedFitting = <Item, Init>(
  items: readonly Item[],
  {
    codec,
    made,
    bytesMax,
  }: { readonly codec: Codec<unknown, Init>; readonly made: (item: Item) => Init; readonly bytesMax: number },
  meter: Paying,
): Promise<readonly Encoded<Init>[]> =>
  fitting(items, { made: (item) => encodePart(codec, made(item)), sizeOf: bytesOf, bytesMax }, meter);
