import { varintSize, writeVarint } from '../../wire/byteWriter.js';
import { frameSize, writeFrame, type Body } from '../../wire/envelope.js';
import { splicedSize, writeSpliced, type Spliceable } from '../../wire/spliceable.js';

/**
 * Whole WebSocket frames with a ServerMessage in them, header included: final, binary, unmasked. Every connection gets
 * the same bytes but for the message's id and, in some, the recipient's own count at the end, so each is made once and
 * then copied.
 */
export type Frame = {
  readonly bytes: Uint8Array;
  readonly size: number;
  /** Where the varint of the id goes. */
  readonly idAt: number;
  /** Where the varint of the count goes: up to the end. */
  readonly countAt: number;
};

/** Of an update that has no count, and of a result. */
export const noCount = -1;

/** An update that ends in a count of each recipient's own. `tailOf` encodes the one field that holds it. */
export type CountedUpdate = { readonly update: Spliceable; readonly tailOf: (count: number) => Uint8Array };

/** One update for many connections. */
export class Broadcast {
  /** Without header and id; with the longest count, for one that has counts. */
  readonly bytesMax: number;
  private readonly update: Body | CountedUpdate;
  /** By how many bytes id and count take. Nearly all connections need the same one or two. */
  private readonly frames: (Frame | undefined)[] = [];

  constructor(update: Body | CountedUpdate) {
    this.update = update;
    this.bytesMax =
      update instanceof Uint8Array ? update.length : update.update.common.length + overheadBytesMax + tailBytesMax;
  }

  /** For messages whose id and count take as many bytes as these. Without a count: `noCount`. */
  frame(id: number, count: number): Frame {
    const key = varintSize(id) * (tailBytesMax + 1) + (count <= 0 ? 0 : varintSize(count));
    return (this.frames[key] ??= frameOf(this.update, id, count));
  }
}

/** A tag, and a varint of 32 bits. */
const tailBytesMax = 6;

/** The tags and lengths around what all viewers share. */
const overheadBytesMax = 16;

const idTagBytes = 1;
const noTail = new Uint8Array(0);

const frameOf = (update: Body | CountedUpdate, id: number, count: number): Frame => {
  if (update instanceof Uint8Array) {
    const payload = frameSize(id, update);
    const bytes = new Uint8Array(headerSize(payload) + payload);
    const start = writeHeader(bytes, 0, payload);
    writeFrame(bytes, start, id, update);
    return { bytes, size: bytes.length, idAt: start + idTagBytes, countAt: bytes.length };
  }
  const tail = count === noCount ? noTail : update.tailOf(count);
  const delivery = { id, update: update.update, tail };
  const payload = splicedSize(delivery);
  const bytes = new Uint8Array(headerSize(payload) + payload);
  const start = writeHeader(bytes, 0, payload);
  writeSpliced(bytes, start, delivery);
  return { bytes, size: bytes.length, idAt: start + idTagBytes, countAt: bytes.length - varintSize(count) };
};

export const copyFrame = ({ bytes }: Frame, target: Uint8Array, at: number): void => {
  target.set(bytes, at);
};

/** Writes what differs by connection over that of another one, and returns where the frame ends. */
export const patchFrame = (
  { size, idAt, countAt }: Frame,
  target: Uint8Array,
  at: number,
  own: { readonly id: number; readonly count: number },
): number => {
  writeVarint(target, at + idAt, own.id);
  // Zero is the meaning of a field that is left out, so it has no bytes.
  if (own.count > 0) writeVarint(target, at + countAt, own.count);
  return at + size;
};

/** Size of the WebSocket header before `bytes` of payload. */
export const headerSize = (bytes: number): number => (bytes < 126 ? 2 : bytes < 65_536 ? 4 : 10);

const finalBinary = 0x82;

/** Writes the WebSocket header of a whole binary message and returns where its payload begins. */
export const writeHeader = (target: Uint8Array, at: number, bytes: number): number => {
  target[at] = finalBinary;
  if (bytes < 126) {
    target[at + 1] = bytes;
    return at + 2;
  }
  if (bytes < 65_536) {
    target[at + 1] = 126;
    target[at + 2] = bytes >>> 8;
    target[at + 3] = bytes;
    return at + 4;
  }
  // The length is 64 bits wide; ours fits in the lower 32.
  target[at + 1] = 127;
  target.fill(0, at + 2, at + 6);
  target[at + 6] = bytes >>> 24;
  target[at + 7] = bytes >>> 16;
  target[at + 8] = bytes >>> 8;
  target[at + 9] = bytes;
  return at + 10;
};
