import type { SealedValue } from '../../kernel/sealed.js';
import { uuidOf } from '../../kernel/uuid.js';
import { textAt, type KnownTexts } from './texts.js';

/**
 * The bytes of the sealed values of one document, one after the other: id of the event (16), position (8), the numbers
 * of stream, type, subject and scope (2 each), length of the sealed bytes (4), sealed bytes.
 */
const headBytes = 36;
const idBytes = 16;
const noSubject = 0xffff;

export const writeValues = (bytes: Buffer, start: number, { values, numberOf }: WrittenValues): void => {
  let at = start;
  for (const { event, position, stream, type, subject, scope, sealed } of values) {
    writeId(bytes, at, event);
    bytes.writeBigUInt64BE(position, at + 16);
    bytes.writeUInt16BE(numberOf(stream), at + 24);
    bytes.writeUInt16BE(numberOf(type), at + 26);
    bytes.writeUInt16BE(subject === undefined ? noSubject : numberOf(subject), at + 28);
    bytes.writeUInt16BE(numberOf(scope), at + 30);
    bytes.writeUInt32BE(sealed.length, at + 32);
    bytes.set(sealed, at + headBytes);
    at += headBytes + sealed.length;
  }
};

export type WrittenValues = {
  readonly values: readonly SealedValue[];
  readonly numberOf: (text: string) => number;
};

export const bytesOfValues = ({ values }: Pick<WrittenValues, 'values'>): number =>
  values.reduce((sum, { sealed }) => sum + headBytes + sealed.length, 0);

/** The values share the memory of `bytes`. */
export const valuesFromBytes = (
  bytes: Uint8Array,
  known: KnownTexts,
  spelled: readonly string[],
): readonly SealedValue[] => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const textOf = (at: number): string => textAt(view.getUint16(at), known, spelled);
  const values: SealedValue[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = at + headBytes + view.getUint32(at + 32);
    const value = {
      event: idAt(view, at),
      position: view.getBigUint64(at + 16),
      stream: textOf(at + 24),
      type: textOf(at + 26),
      scope: textOf(at + 30),
      sealed: bytes.subarray(at + headBytes, end),
    };
    values.push(view.getUint16(at + 28) === noSubject ? value : { subject: textOf(at + 28), ...value });
    at = end;
  }
  return values;
};

const hexOfId = /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/;

const writeId = (bytes: Buffer, at: number, id: string): void => {
  if (!hexOfId.test(id)) throw new Error(`${id} is no id of an event`);
  bytes.write(id.replaceAll('-', ''), at, 'hex');
};

const idAt = (view: DataView, at: number): string =>
  uuidOf(Buffer.from(view.buffer, view.byteOffset + at, idBytes).toString('hex'));
