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

/** Where the two digits of each byte begin in the text of an id, and where dashes stand between them. */
const digitsAt = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34];
const dashesAt = [8, 13, 18, 23];
const idUnits = 36;
const dash = '-'.charCodeAt(0);

/** The value of each hexadecimal digit by its code; -1 for all else. */
const digits = Int8Array.from({ length: 128 }, (_, code) => '0123456789abcdef'.indexOf(String.fromCharCode(code)));
const digitAt = (id: string, at: number): number => digits[id.charCodeAt(at)] ?? -1;

/** By hand, because a large community has a thousand of them, which are all written whenever it changes. */
const writeId = (bytes: Buffer, start: number, id: string): void => {
  let isId = id.length === idUnits && dashesAt.every((at) => id.charCodeAt(at) === dash);
  for (let place = 0; place < idBytes; place += 1) {
    const at = digitsAt[place] ?? 0;
    const [high, low] = [digitAt(id, at), digitAt(id, at + 1)];
    if (high < 0 || low < 0) isId = false;
    bytes[start + place] = high * 16 + low;
  }
  if (!isId) throw new Error(`${id} is no id of an event`);
};

const idAt = (view: DataView, at: number): string =>
  uuidOf(Buffer.from(view.buffer, view.byteOffset + at, idBytes).toString('hex'));
