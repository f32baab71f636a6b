/** Writing the protobuf wire format: the other half of byteReader.ts. */
import { Writer } from 'protobufjs/minimal.js';
import { Encoded } from './encoded.js';

// Bigints go through this view: one bigint in, two halves out, on a machine of any byte order.
const halves = new DataView(new ArrayBuffer(8));

/** Text up to this many UTF-16 units is encoded in place, at three bytes each at the most. */
const scratchTextUnits = 4096;

const utf8Encoder = new TextEncoder();
const scratch = new Uint8Array(scratchTextUnits * 3);

/** A writer is for one message: `finish` and forget it. */
export class ByteWriter extends Writer {
  /** Throws TypeError on anything but a bigint: a number here would be an id that has lost its low bits. */
  bigFixed64(value: bigint): void {
    halves.setBigUint64(0, value, true);
    this.fixed32(halves.getUint32(0, true));
    this.fixed32(halves.getUint32(4, true));
  }

  /** Throws TypeError on anything but a bigint. */
  bigUint64(value: bigint): void {
    halves.setBigUint64(0, value, true);
    this.uint64({ low: halves.getUint32(0, true), high: halves.getUint32(4, true), unsigned: true });
  }

  /** Writes a packed repeated field. */
  bigFixed64s(values: readonly bigint[]): void {
    this.uint32(values.length * 8);
    for (const value of values) this.bigFixed64(value);
  }

  /** Writes a sub-message with its length in front. */
  message<Init>(value: Init | Encoded<Init>, write: (value: Init, writer: ByteWriter) => void): void {
    if (value instanceof Encoded) {
      this.bytes(value.bytes);
      return;
    }
    this.fork();
    write(value, this);
    this.ldelim();
  }

  // protobufjs goes unit by unit, which takes many times as long in long texts, and writes lone surrogates. UTF-8 has
  // no such thing and a strict reader refuses them; the platform's encoder puts U+FFFD in their place.
  override string(value: string): this {
    if (value.length > scratchTextUnits) this.bytes(utf8Encoder.encode(value));
    else this.bytes(scratch.subarray(0, utf8Encoder.encodeInto(value, scratch).written));
    return this;
  }
}

/** How many bytes `value`, an unsigned 32-bit number, takes as a varint. */
export const varintSize = (value: number): number => {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  if (value < 0x20_0000) return 3;
  return value < 0x1000_0000 ? 4 : 5;
};

/**
 * Writes an unsigned 32-bit number at `at` and returns where it ends. There must be room. A ByteWriter only writes into
 * a buffer of its own, and frames are put into the buffer of a connection.
 */
export const writeVarint = (target: Uint8Array, at: number, value: number): number => {
  let rest = value >>> 0;
  let end = at;
  while (rest > 127) {
    target[end] = (rest & 127) | 128;
    rest >>>= 7;
    end += 1;
  }
  target[end] = rest;
  return end + 1;
};
