import type { AbsentDocument, DocumentWrite, Plain, StoredDocument } from '../../../kernel/ports/documentStore.js';
import type { Packing } from './shapes.js';
import { elementBytesMax, reserve, writeElements, writeEnd, type KeyWriter } from '../indexKeys.js';

/**
 * The bytes of the two tables of a collection. `documents`: key → position (8), length of the heads (4), heads,
 * document. `entries`: head, key, length of the head (2) → nothing. A head is the number of an index, an index key in
 * bytes that sort, and its end. Of a removed document the position stays.
 */
/** In UTF-8. */
export const keyBytesMax = 500;
/** The encoded elements of one index key. */
export const indexKeyBytesMax = 1_400;

const headsAt = 12;

export const decoded = (packr: Packing, key: string, stored: Buffer): StoredDocument | AbsentDocument => {
  const position = stored.readBigUInt64BE(0);
  if (stored.length === removedBytes) return { key, position };
  const start = headsAt + stored.readUInt32BE(8);
  // `unpack` returns the `Plain` that was packed.
  return { key, document: packr.unpack(stored, { start, end: stored.length }) as Plain, position };
};

export const removedBytes = 8;

/** The numbers of a collection's indexes. */
export type IndexNumbers = ReadonlyMap<string, number>;

export const numberOf = (indexes: IndexNumbers, collection: string, index: string): number => {
  const number = indexes.get(index);
  if (number === undefined) throw new Error(`the collection ${collection} has no index ${index}`);
  return number;
};

/** Keys of the same length share a view on the same memory. */
const scratch = Buffer.alloc(keyBytesMax);
const views = Array.from({ length: keyBytesMax + 1 }, (_, length) => scratch.subarray(0, length));

/** To be used up before the next call, which may overwrite it. */
export const keyOf = (key: string): Buffer => {
  const view = views[key.length];
  if (view === undefined || key.length === 0) throw new Error(`a key takes 1 to ${keyBytesMax.toString()} bytes`);
  for (let index = 0; index < key.length; index += 1) {
    const unit = key.charCodeAt(index);
    if (unit > 0x7f) return unusualKey(key);
    scratch[index] = unit;
  }
  return view;
};

const unusualKey = (key: string): Buffer => {
  const bytes = Buffer.from(key);
  if (bytes.length > keyBytesMax) throw new Error(`a key takes 1 to ${keyBytesMax.toString()} bytes`);
  return bytes;
};

export const keyOfEntry = (entry: Buffer): string =>
  entry.toString('utf8', entry.readUInt16BE(entry.length - 2), entry.length - 2);

export const nothing = Buffer.alloc(0);

export const keptKey = (writer: KeyWriter, key: Buffer): Buffer => {
  reserve(writer, key.length);
  const start = writer.at;
  writer.block.set(key, start);
  writer.at += key.length;
  return writer.block.subarray(start, writer.at);
};

export const headsIn = (value: Buffer): Buffer => value.subarray(headsAt, headsAt + value.readUInt32BE(8));

export const removed = (writer: KeyWriter, { position }: DocumentWrite): Buffer => {
  reserve(writer, removedBytes);
  const start = writer.at;
  writer.view.setBigUint64(start, position);
  writer.at += removedBytes;
  return writer.block.subarray(start, writer.at);
};

export type Encoding = { readonly indexes: IndexNumbers; readonly packr: Packing; readonly writer: KeyWriter };

export const encoded = ({ indexes, packr, writer }: Encoding, write: DocumentWrite, document: Plain): Buffer => {
  const packed = packr.pack(document);
  reserve(writer, headsAt + headsBytesMax(write) + packed.length);
  const start = writer.at;
  writer.view.setBigUint64(start, write.position);
  writer.at = start + headsAt;
  writeHeads(writer, indexes, write);
  writer.view.setUint32(start + 8, writer.at - start - headsAt);
  writer.block.set(packed, writer.at);
  writer.at += packed.length;
  return writer.block.subarray(start, writer.at);
};

const headsBytesMax = ({ indexKeys }: DocumentWrite): number => {
  let bytes = 0;
  for (const index in indexKeys) for (const key of indexKeys[index] ?? []) bytes += 4 + elementBytesMax(key);
  return bytes;
};

/** Each head after its length. */
const writeHeads = (writer: KeyWriter, indexes: IndexNumbers, write: DocumentWrite): void => {
  for (const index in write.indexKeys) {
    const number = numberOf(indexes, write.collection, index);
    for (const key of write.indexKeys[index] ?? []) {
      const start = writer.at;
      writer.block[start + 2] = number;
      writer.at = start + 3;
      writeElements(writer, key);
      writeEnd(writer);
      const length = writer.at - start - 2;
      if (length > indexKeyBytesMax)
        throw new Error(`a key of ${index} takes more than ${indexKeyBytesMax.toString()} bytes`);
      writer.view.setUint16(start, length);
    }
  }
};

export const headList = (heads: Buffer): readonly Buffer[] => {
  const list: Buffer[] = [];
  for (let at = 0; at < heads.length;) {
    const end = at + 2 + heads.readUInt16BE(at);
    list.push(heads.subarray(at + 2, end));
    at = end;
  }
  return list;
};

export const entryOf = (writer: KeyWriter, head: Buffer, key: Buffer): Buffer => {
  reserve(writer, head.length + key.length + 2);
  const start = writer.at;
  writer.block.set(head, start);
  writer.block.set(key, start + head.length);
  writer.at = start + head.length + key.length;
  writer.view.setUint16(writer.at, head.length);
  writer.at += 2;
  return writer.block.subarray(start, writer.at);
};
