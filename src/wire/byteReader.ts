/**
 * Reading the protobuf wire format: protobufjs' reader, and what our generated code wants besides. 64-bit numbers are
 * bigints under names of their own, so that nothing of protobufjs is overridden with another type and its globals stay
 * as the rest of the process has them. Runs in browsers.
 */
import { Reader } from 'protobufjs/minimal.js';

/** The low three bits of a tag. */
export const wireType = { varint: 0, fixed64: 1, delimited: 2, groupStart: 3, groupEnd: 4, fixed32: 5 } as const;

const fixed64Bytes = 8;

/** A list in a request goes beyond its bound. Thrown before the item that is too many is read. */
export class TooManyItems extends Error {
  constructor(itemsMax: number, name: string) {
    super(`at most ${itemsMax.toString()} ${name}`);
    this.name = 'TooManyItems';
  }
}

/**
 * The texts of a request have so many bytes at most, all together. A message and its quote, which are the longest, take
 * a third of that as they are stored; decoding a megabyte of ideographs would take the thread for ten milliseconds.
 */
export const textBytesMax = 131_072;

/** The texts of a request go beyond their bound. Thrown before the one that is too much is decoded. */
export class TooMuchText extends Error {
  constructor() {
    super(`its texts have at most ${textBytesMax.toString()} bytes together`);
    this.name = 'TooMuchText';
  }
}

// Bigints go through this view: two halves in, one bigint out, on a machine of any byte order.
const halves = new DataView(new ArrayBuffer(8));

const bigintOf = (low: number, high: number): bigint => {
  halves.setUint32(0, low, true);
  halves.setUint32(4, high, true);
  return halves.getBigUint64(0, true);
};

/**
 * Reads from `pos` up to `len`, and throws an Error (RangeError and TypeError among them) on bytes that are not what
 * they should be. After that the reader is of no more use.
 */
export class ByteReader extends Reader {
  private holdsBounds = false;
  private textBytes = 0;

  /**
   * Throws TooManyItems where a list goes beyond the bound that proto/ gives it, and TooMuchText where the texts go beyond
   * theirs. Without this neither has any.
   */
  static bounded(bytes: Uint8Array): ByteReader {
    const reader = new ByteReader(bytes);
    reader.holdsBounds = true;
    return reader;
  }

  bigFixed64(): bigint {
    const low = this.fixed32();
    return bigintOf(low, this.fixed32());
  }

  // protobufjs' own uint64 gives a Long or a rounded number, depending on what others have set `util.Long` to.
  bigUint64(): bigint {
    const fifth = this.pos + 4;
    // Checks the whole varint and keeps its lowest 32 bits.
    const low = this.uint32();
    if (this.pos <= fifth) return BigInt(low);
    let high = 0;
    for (let at = this.pos - 1; at > fifth; at -= 1) high = (high << 7) | (this.byteAt(at) & 127);
    return bigintOf(low, (high << 3) | ((this.byteAt(fifth) & 127) >>> 4));
  }

  /** Reads a length-delimited sub-message; `from` is an earlier part of the same one, to be merged into. */
  message<Value>(read: (reader: ByteReader, from?: Value) => Value, from?: Value): Value {
    const outerLen = this.enter();
    const value = read(this, from);
    this.len = outerLen;
    return value;
  }

  /** Throws TooManyItems when a list is about to have more than `itemsMax` items. `name` is the field's in proto/. */
  checkItems(items: number, itemsMax: number, name: string): void {
    if (this.holdsBounds && items > itemsMax) throw new TooManyItems(itemsMax, name);
  }

  /** Appends the values of a packed repeated field, of which there may be `itemsMax` with those that came before. */
  bigFixed64s(values: bigint[], itemsMax = Infinity, name = ''): void {
    const outerLen = this.enter();
    this.checkItems(values.length + (this.len - this.pos) / fixed64Bytes, itemsMax, name);
    while (this.pos < this.len) values.push(this.bigFixed64());
    this.len = outerLen;
  }

  override stringVerify(): string {
    if (this.holdsBounds) this.countText();
    return super.stringVerify();
  }

  /** Passes over the value of a field that nobody knows, or that has another wire type than expected. */
  skipField(tag: number): void {
    this.skipType(tag & 7, 0, tag >>> 3);
  }

  // protobufjs passes over varints of any length; more than ten bytes are no varint.
  override skip(length?: number): this {
    if (length === undefined) this.uint32();
    else super.skip(length);
    return this;
  }

  // A view, not a copy, so a caller that keeps it keeps the whole frame. Of a Buffer, `subarray` would be a Buffer
  // again.
  override raw(start: number, end: number): Uint8Array {
    return new Uint8Array(this.buf.buffer, this.buf.byteOffset + start, end - start);
  }

  /** Narrows the reader to the length-delimited field ahead and returns where it ended before. */
  private enter(): number {
    const outerLen = this.len;
    const length = this.size();
    if (length > outerLen - this.pos) throw new RangeError('field longer than its message');
    this.len = this.pos + length;
    return outerLen;
  }

  /** Looks at the length of the text ahead and stays before it. */
  private countText(): void {
    const from = this.pos;
    this.textBytes += this.uint32();
    this.pos = from;
    if (this.textBytes > textBytesMax) throw new TooMuchText();
  }

  private byteAt(at: number): number {
    // `uint32` has been here before; the zero only satisfies the compiler.
    return this.buf[at] ?? 0;
  }
}
