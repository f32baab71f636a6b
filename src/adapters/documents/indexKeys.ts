import type { IndexKey } from '../../kernel/ports/documentStore.js';

/**
 * Index keys as bytes that sort as the keys do: strings by code point, numbers and bigints by value.
 *
 * An element is a tag and its bytes. A whole number is 8 bytes, big-endian, in two's complement for negative ones; the
 * bytes that a fraction adds follow behind `extension`. A string is UTF-8 that ends with 0; a 0 inside it is followed
 * by 0xff. So no element is the beginning of another, except for a whole number and its fractions, and for a string and
 * the same string with a 0 added; both go on with a byte of at least `extension`, which no tag reaches.
 */
const endOfKey = 0x00;
const negative = 0x10;
const natural = 0x11;
const string = 0x20;
const extension = 0xfe;
const escape = 0xff;

const magnitudeMax = 2n ** 64n - 1n;

/** An element of an index key is no number that can be ordered, or lies beyond ±(2^64 - 1). */
export class UnorderableKey extends Error {
  constructor(element: number | bigint) {
    super(`${element.toString()} cannot be part of an index key`);
    this.name = 'UnorderableKey';
  }
}

/** Bytes written one after another into memory that grows by new blocks, so that what was taken out stays where it is. */
export type KeyWriter = {
  block: Buffer;
  view: DataView;
  at: number;
};

const blockBytesMin = 262_144;

export const keyWriter = (): KeyWriter => {
  const block = Buffer.allocUnsafeSlow(blockBytesMin);
  return { block, view: viewOf(block), at: 0 };
};

/** Makes sure that `bytes` more fit without a new block. Bytes written before stay in the old one. */
export const reserve = (writer: KeyWriter, bytes: number): void => {
  if (writer.at + bytes <= writer.block.length) return;
  writer.block = Buffer.allocUnsafeSlow(Math.max(blockBytesMin, bytes));
  writer.view = viewOf(writer.block);
  writer.at = 0;
};

/** Room that the elements of a key and its end take at most. */
export const elementBytesMax = (key: IndexKey): number => {
  let bytes = 1;
  for (const element of key) bytes += typeof element === 'string' ? 2 + 3 * element.length : 18;
  return bytes;
};

/** Writes the elements; the room must have been reserved. */
export const writeElements = (writer: KeyWriter, key: IndexKey): void => {
  for (const element of key) {
    if (typeof element === 'string') writeString(writer, element);
    else if (typeof element === 'bigint') writeWhole(writer, element);
    else writeNumber(writer, element);
  }
};

/** Ends a whole key, so that a shorter key comes before the longer ones that begin with it. */
export const writeEnd = (writer: KeyWriter): void => {
  writer.block[writer.at++] = endOfKey;
};

/** Two byte strings: every key of a range lies at or above `low` and below `high`. */
export type Bounds = { readonly low: Buffer; readonly high: Buffer };

export type Within = {
  /** The bytes before the elements of every key. */
  readonly prefix: Uint8Array;
  readonly within: IndexKey;
  readonly after?: string | number | bigint;
  readonly before?: string | number | bigint;
};

/** The keys that begin with `within` and whose next element lies strictly between `after` and `before`. */
export const boundsOf = ({ prefix, within, after, before }: Within): Bounds => {
  const bytesOf = (key: IndexKey, last?: number): Buffer => {
    const writer = keyWriterOf(prefix.length + elementBytesMax(key) + 1);
    writer.block.set(prefix);
    writer.at = prefix.length;
    writeElements(writer, key);
    if (last !== undefined) writer.block[writer.at++] = last;
    return writer.block.subarray(0, writer.at);
  };
  // A key without a next element is not below anything.
  const first = before === undefined ? undefined : endOfKey + 1;
  return {
    low: after === undefined ? bytesOf(within, first) : bytesOf([...within, after], extension),
    high: before === undefined ? bytesOf(within, extension) : bytesOf([...within, before]),
  };
};

const keyWriterOf = (bytes: number): KeyWriter => {
  const block = Buffer.alloc(bytes);
  return { block, view: viewOf(block), at: 0 };
};

const viewOf = (block: Buffer): DataView => new DataView(block.buffer, block.byteOffset, block.length);

const writeString = (writer: KeyWriter, text: string): void => {
  const { block } = writer;
  let at = writer.at;
  block[at++] = string;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    if (unit === 0 || unit > 0x7f) {
      at = writeRest(block, at, text.slice(index));
      break;
    }
    block[at++] = unit;
  }
  block[at++] = endOfKey;
  writer.at = at;
};

/** The way for what is not plain ASCII. */
const writeRest = (block: Buffer, from: number, text: string): number => {
  let at = from;
  for (const byte of Buffer.from(text)) {
    block[at++] = byte;
    if (byte === 0) block[at++] = escape;
  }
  return at;
};

const writeWhole = (writer: KeyWriter, value: bigint): void => {
  if (value > magnitudeMax || value < -magnitudeMax) throw new UnorderableKey(value);
  writer.block[writer.at] = value < 0n ? negative : natural;
  writer.view.setBigUint64(writer.at + 1, value);
  writer.at += 9;
};

const twoTo32 = 2 ** 32;

const writeNumber = (writer: KeyWriter, value: number): void => {
  if (!Number.isFinite(value)) throw new UnorderableKey(value);
  const whole = Math.floor(value);
  if (!Number.isSafeInteger(whole)) {
    writeWhole(writer, BigInt(whole));
    return;
  }
  const upper = Math.floor(whole / twoTo32);
  writer.block[writer.at] = whole < 0 ? negative : natural;
  writer.view.setInt32(writer.at + 1, upper);
  writer.view.setUint32(writer.at + 5, whole - upper * twoTo32);
  writer.at += 9;
  if (whole !== value) writeFraction(writer, value);
};

/** Among numbers with the same whole part, the double's own bits sort: turned round for negative ones. */
const writeFraction = (writer: KeyWriter, value: number): void => {
  writer.block[writer.at] = extension;
  writer.view.setFloat64(writer.at + 1, value);
  if (value < 0) {
    for (let at = writer.at + 1; at < writer.at + 9; at += 1) writer.block[at] = ~(writer.block[at] ?? 0);
  }
  writer.at += 9;
};
