import { crc32 } from 'node:zlib';
import { DamagedRecord, type NewEvent, type StoredEvent } from '../../../kernel/ports/eventLog.js';
import type { Millis } from '../../../kernel/ids.js';
import { uuidOf } from '../../../kernel/uuid.js';
import type { Head } from './head.js';

/**
 * How events lie on disk. A segment is what one commit wrote in a row, one record after another; its key is the
 * position of its first record, and the positions of a segment are dense. Many events in one value cost the
 * database one put and a replay one read.
 *
 * A record, little-endian:
 *
 *     0  4  CRC-32 of everything after it
 *     4  4  length of the record in bytes, all of it
 *     8  8  position
 *    16  8  revision
 *    24  8  at, milliseconds as a double
 *    32 16  event id
 *    48  4  length of the metadata
 *    52  2  length of the stream name
 *    54  2  length of the type
 *    56  1  1 in the last record of a segment: so a cut segment is noticed
 *    57  1  version of this layout
 *    58  2  zero
 *    60     stream name, type, metadata, data
 */
export type Unwritten = {
  readonly head: Head;
  readonly event: NewEvent;
  /** Packed. */
  readonly id: string;
  readonly revision: number;
  readonly position: number;
  /** In a segment of its own, so that it can be removed by itself. */
  readonly alone: boolean;
  readonly streamBytes: number;
  readonly typeBytes: number;
  /** The length of the whole record. */
  readonly bytes: number;
};

export type Segment = {
  readonly first: number;
  readonly bytes: Buffer;
  /** Where each record begins, in bytes. */
  readonly offsets: readonly number[];
  /** Packed ids. */
  readonly ids: readonly string[];
  readonly events: readonly StoredEvent[];
};

/** A segment is closed before it gets larger than this, unless one record alone is. */
export const segmentBytesMax = 32_768;

const at = {
  crc: 0,
  length: 4,
  position: 8,
  revision: 16,
  millis: 24,
  id: 32,
  metadataLength: 48,
  streamLength: 52,
  typeLength: 54,
  isLast: 56,
  version: 57,
} as const;
const headerBytes = 60;
const layoutVersion = 1;

/** The next record of `head`, whose revision is already that of the event. */
export const unwritten = (record: Pick<Unwritten, 'head' | 'event' | 'id' | 'position' | 'alone'>): Unwritten => {
  const { head, event, id, position, alone } = record;
  const streamBytes = Buffer.byteLength(head.stream);
  const typeBytes = Buffer.byteLength(event.type);
  const bytes = headerBytes + streamBytes + typeBytes + event.metadata.length + event.data.length;
  return { head, event, id, position, alone, revision: head.revision, streamBytes, typeBytes, bytes };
};

export const segmentsOf = (records: readonly Unwritten[], taken: Millis): readonly Segment[] => {
  const segments: Segment[] = [];
  let group: Unwritten[] = [];
  let bytes = 0;
  const close = (): void => {
    if (group.length > 0) segments.push(segmentOf(group, bytes, taken));
    group = [];
    bytes = 0;
  };
  for (const record of records) {
    if (record.alone || group[0]?.alone === true || bytes + record.bytes > segmentBytesMax) close();
    group.push(record);
    bytes += record.bytes;
  }
  close();
  return segments;
};

const segmentOf = (group: readonly Unwritten[], bytesTotal: number, taken: Millis): Segment => {
  const bytes = Buffer.allocUnsafeSlow(bytesTotal);
  const view = viewOf(bytes);
  const offsets: number[] = [];
  const events: StoredEvent[] = [];
  let offset = 0;
  for (const record of group) {
    offsets.push(offset);
    view.setUint8(offset + at.isLast, offsets.length === group.length ? 1 : 0);
    events.push(write({ bytes, view, offset, taken }, record));
    offset += record.bytes;
  }
  const [first] = group;
  return { first: first?.position ?? 0, bytes, offsets, ids: group.map(({ id }) => id), events };
};

type Target = { readonly bytes: Buffer; readonly view: DataView; readonly offset: number; readonly taken: Millis };

/** Gives the event as it will be read, on the very bytes that go to disk. */
const write = ({ bytes, view, offset, taken }: Target, record: Unwritten): StoredEvent => {
  const { event, streamBytes, typeBytes } = record;
  const { stream } = record.head;
  const position = BigInt(record.position);
  const revision = BigInt(record.revision);
  view.setUint32(offset + at.length, record.bytes, true);
  view.setBigUint64(offset + at.position, position, true);
  view.setBigUint64(offset + at.revision, revision, true);
  view.setFloat64(offset + at.millis, taken, true);
  writePackedId(bytes, record.id, offset + at.id);
  view.setUint32(offset + at.metadataLength, event.metadata.length, true);
  view.setUint16(offset + at.streamLength, streamBytes, true);
  view.setUint16(offset + at.typeLength, typeBytes, true);
  view.setUint16(offset + at.version, layoutVersion, true);
  view.setUint8(offset + headerBytes - 1, 0);
  const typeAt = offset + headerBytes + streamBytes;
  const metadataAt = typeAt + typeBytes;
  const dataAt = metadataAt + event.metadata.length;
  const end = offset + record.bytes;
  bytes.write(stream, offset + headerBytes);
  bytes.write(event.type, typeAt);
  bytes.set(event.metadata, metadataAt);
  bytes.set(event.data, dataAt);
  view.setUint32(offset + at.crc, crc32(bytes.subarray(offset + at.length, end)), true);
  const { id, type } = event;
  const data = slice(bytes, dataAt, end);
  return { id, type, data, metadata: slice(bytes, metadataAt, dataAt), stream, revision, position, at: taken };
};

/** Where the records of a segment begin. Throws `DamagedRecord` when they do not fill it exactly. */
export const offsetsIn = (first: number, bytes: Buffer): readonly number[] => {
  const view = viewOf(bytes);
  const offsets: number[] = [];
  let last = false;
  for (let offset = 0; offset < bytes.length;) {
    const rest = bytes.length - offset;
    const length = rest < headerBytes ? 0 : view.getUint32(offset + at.length, true);
    if (length < headerBytes || length > rest || last) throw firstDamaged(first, bytes, offsets);
    offsets.push(offset);
    last = view.getUint8(offset + at.isLast) === 1;
    offset += length;
  }
  if (!last) throw firstDamaged(first, bytes, offsets);
  return offsets;
};

// Where the walk breaks is not where the damage is: a wrong length leads into the middle of a later record.
const firstDamaged = (first: number, bytes: Buffer, offsets: readonly number[]): Error => {
  for (const [index, offset] of offsets.entries()) {
    try {
      eventAt(bytes, offset, first + index);
    } catch (error) {
      if (error instanceof DamagedRecord) return error;
    }
  }
  return damaged(first + offsets.length);
};

/** A segment as it was read. Throws `DamagedRecord`. */
export const readSegment = (first: number, bytes: Buffer): Segment => {
  const offsets = offsetsIn(first, bytes);
  const ids = offsets.map((offset) => packedIdAt(bytes, offset + at.id));
  return { first, bytes, offsets, ids, events: offsets.map((offset, index) => eventAt(bytes, offset, first + index)) };
};

/** The event whose record begins at `offset`. Its bytes are views of `bytes`. Throws `DamagedRecord`. */
export const eventAt = (bytes: Buffer, offset: number, position: number): StoredEvent => {
  const rest = bytes.length - offset;
  if (rest < headerBytes) throw damaged(position);
  const view = viewOf(bytes);
  const length = view.getUint32(offset + at.length, true);
  if (length < headerBytes || length > rest) throw damaged(position);
  const end = offset + length;
  if (crc32(bytes.subarray(offset + at.length, end)) !== view.getUint32(offset + at.crc, true)) throw damaged(position);
  const found = view.getBigUint64(offset + at.position, true);
  if (found !== BigInt(position) || view.getUint8(offset + at.version) !== layoutVersion) throw damaged(position);
  const streamAt = offset + headerBytes;
  const typeAt = streamAt + view.getUint16(offset + at.streamLength, true);
  const metadataAt = typeAt + view.getUint16(offset + at.typeLength, true);
  const dataAt = metadataAt + view.getUint32(offset + at.metadataLength, true);
  return {
    id: idAt(bytes, offset + at.id),
    type: bytes.toString('utf8', typeAt, metadataAt),
    data: slice(bytes, dataAt, end),
    metadata: slice(bytes, metadataAt, dataAt),
    stream: bytes.toString('utf8', streamAt, typeAt),
    revision: view.getBigUint64(offset + at.revision, true),
    position: found,
    at: view.getFloat64(offset + at.millis, true) as Millis, // Written from a Millis, and the checksum holds.
  };
};

/** The length that the record at `offset` claims, not yet checked. */
export const claimedLength = (bytes: Buffer, offset: number): number =>
  bytes.length - offset < headerBytes ? 0 : bytes.readUInt32LE(offset + at.length);

export const idBytes = 16;
const scratch = Buffer.alloc(idBytes);

/** The sixteen bytes of a UUID as a string of as many characters: half the size, and quick to compare and to store. */
export const packedId = (id: string): string => {
  let to = 0;
  for (let from = 0; from < id.length; from += 2) {
    if (id.charCodeAt(from) === dash) from += 1;
    scratch[to] = (nibble(id.charCodeAt(from)) << 4) | nibble(id.charCodeAt(from + 1));
    to += 1;
  }
  return packedIdAt(scratch, 0);
};

export const packedIdAt = (bytes: Buffer, offset: number): string => bytes.toString('latin1', offset, offset + idBytes);

export const writePackedId = (bytes: Buffer, id: string, offset: number): void => {
  bytes.write(id, offset, 'latin1');
};

const dash = 45;
/** Of a digit or a lower-case letter. */
const nibble = (code: number): number => (code < 58 ? code - 48 : code - 87);

const idAt = (bytes: Buffer, offset: number): string => uuidOf(bytes.toString('hex', offset, offset + idBytes));

export const damaged = (position: number): DamagedRecord => new DamagedRecord(BigInt(position));

const viewOf = (bytes: Buffer): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);

const slice = (bytes: Buffer, start: number, end: number): Uint8Array =>
  new Uint8Array(bytes.buffer, bytes.byteOffset + start, end - start);
