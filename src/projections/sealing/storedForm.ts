import type { Plain } from '../../kernel/ports/documentStore.js';
import { SealedField, type SealedValue } from '../../kernel/sealed.js';
import { knownTexts, numbering, textAt } from './texts.js';
import { bytesOfValues, valuesFromBytes, writeValues, type WrittenValues } from './values.js';

/**
 * A document with sealed fields is stored as a list: the document with a reference in the place of each such field, the
 * texts that its sealed values refer to, and these values, each once. Any other is stored as it is; a document is an
 * object, so the two are told apart.
 */
type WithValues = readonly [Plain, readonly string[], Uint8Array];

/** The form in which the document is handed to the store. `streams`: those that the key is folded from, if they can be listed. */
export const storedForm = (document: unknown, streams: readonly string[]): Plain => {
  // Folds make plain data but for the sealed fields, as a document type promises.
  if (!hasSealed(document)) return document as Plain;
  const values = new Map<SealedValue, number>();
  const names: string[] = [];
  const tree = withReferences(document, ({ value, name }) => {
    const number = values.get(value) ?? values.size;
    values.set(value, number);
    const known = names.indexOf(name);
    return reference(number, known < 0 ? names.push(name) - 1 : known);
  });
  const { spelled, numberOf } = numbering(knownTexts(tree, streams));
  return [tree, spelled, sectionOf(names.map(numberOf), { values: [...values.keys()], numberOf })];
};

/** A stored document with the values that it is sealed in. */
export type SealedDocument = {
  readonly values: readonly SealedValue[];
  /** The document with these fields; where there is `undefined` the field is left out. */
  readonly with: (field: (value: number, name: string) => unknown) => unknown;
};

/** `undefined` for a document that has nothing sealed in it, and is as it is stored. */
export const sealedDocument = (stored: Plain, streams: readonly string[]): SealedDocument | undefined => {
  if (!Array.isArray(stored)) return undefined;
  // `storedForm` made it: no other document is a list.
  const [tree, spelled, section] = stored as unknown as WithValues;
  const known = knownTexts(tree, streams);
  const { nameNumbers, bytes } = parted(section);
  const names = nameNumbers.map((number) => textAt(number, known, spelled));
  return {
    values: valuesFromBytes(bytes, known, spelled),
    with: (field) => withFields(tree, (value, name) => field(value, names[name] ?? '')),
  };
};

/** The document as folds go on with it. */
export const withSealedFields = (stored: Plain, streams: readonly string[]): unknown => {
  const document = sealedDocument(stored, streams);
  if (document === undefined) return stored;
  const { values } = document;
  return document.with((at, name) => {
    const value = values[at];
    return value && new SealedField(value, name);
  });
};

const hasSealed = (part: unknown): boolean => {
  if (typeof part !== 'object' || part === null || part instanceof Uint8Array) return false;
  return part instanceof SealedField || Object.values(part).some(hasSealed);
};

const withReferences = (part: unknown, refer: (field: SealedField) => Uint8Array): Plain => {
  // A document holds plain data and sealed fields: here, and where its parts are cast below.
  if (typeof part !== 'object' || part === null) return part as Plain;
  if (part instanceof SealedField) return refer(part);
  if (part instanceof Uint8Array) return ownBytes(part);
  if (Array.isArray(part)) return (part as readonly unknown[]).map((inner) => withReferences(inner, refer));
  const copy: Record<string, Plain> = {};
  for (const [name, inner] of Object.entries(part)) if (inner !== undefined) copy[name] = withReferences(inner, refer);
  return copy;
};

const withFields = (part: Plain, field: (value: number, name: number) => unknown): unknown => {
  if (typeof part !== 'object' || part === null) return part;
  if (part instanceof Uint8Array) return part[0] === isReference ? referredTo(part, field) : part.slice(1);
  if (Array.isArray(part)) {
    return (part as readonly Plain[]).map((inner) => withFields(inner, field)).filter((inner) => inner !== undefined);
  }
  const copy: Record<string, unknown> = {};
  for (const [name, inner] of Object.entries(part)) {
    const content = inner === undefined ? undefined : withFields(inner, field);
    if (content !== undefined) copy[name] = content;
  }
  return copy;
};

/** Beside references all bytes in a document are marked as its own. */
const isOwn = 0;
const isReference = 1;

/** References to a document's sealed values, and to the names of their fields, have two bytes each. */
export const sealedValuesMax = 0x1_0000;

const ownBytes = (bytes: Uint8Array): Uint8Array => {
  const marked = new Uint8Array(1 + bytes.length);
  marked[0] = isOwn;
  marked.set(bytes, 1);
  return marked;
};

const reference = (value: number, name: number): Uint8Array => {
  if (value >= sealedValuesMax) throw new Error(`a document may hold ${sealedValuesMax.toString()} sealed values`);
  const known = value < sharedValues && name < sharedNames ? shared[value * sharedNames + name] : undefined;
  return known ?? made(value, name);
};

const made = (value: number, name: number): Uint8Array => Uint8Array.of(isReference, value >> 8, value & 0xff, name);

/** Nobody writes into a reference, so those of the first values and names, which nearly every document has, are made once. */
const [sharedValues, sharedNames] = [2, 16];
const shared = Array.from({ length: sharedValues * sharedNames }, (_, at) =>
  made(Math.floor(at / sharedNames), at % sharedNames),
);

const referredTo = (bytes: Uint8Array, field: (value: number, name: number) => unknown): unknown => {
  const [, high = 0, low = 0, name = 0] = bytes;
  return field(high * 256 + low, name);
};

/** How many names there are (1), the number of each (2), the values. */
const sectionOf = (nameNumbers: readonly number[], written: WrittenValues): Uint8Array => {
  const start = 1 + 2 * nameNumbers.length;
  const section = new Uint8Array(start + bytesOfValues(written));
  const bytes = Buffer.from(section.buffer);
  bytes[0] = nameNumbers.length;
  for (const [index, number] of nameNumbers.entries()) bytes.writeUInt16BE(number, 1 + 2 * index);
  writeValues(bytes, start, written);
  return section;
};

const parted = (section: Uint8Array): { readonly nameNumbers: readonly number[]; readonly bytes: Uint8Array } => {
  const [count = 0] = section;
  const nameNumbers = Array.from(
    { length: count },
    (_, index) => (section[1 + 2 * index] ?? 0) * 256 + (section[2 + 2 * index] ?? 0),
  );
  return { nameNumbers, bytes: section.subarray(1 + 2 * count) };
};
