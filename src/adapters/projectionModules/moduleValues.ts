import {
  documentsPerEventMax,
  moduleDocumentBytesMax,
  moduleIndexKeyBytesMax,
  moduleIndexKeysMax,
  moduleKeyBytesMax,
  type ModuleIndexKeys,
} from '../../kernel/ports/projectionModule.js';
import type { Json } from '../../kernel/schema.js';

/** Checks of the values that functions of a module give back. Each throws an error that says how they must be. */

export const checkedKeys = (given: unknown): readonly string[] => {
  if (!Array.isArray(given)) throw new Error('the keys of an event must be a list');
  const keys = [...new Set(given as readonly unknown[])];
  if (keys.length > documentsPerEventMax)
    throw new Error(`an event may be folded into ${documentsPerEventMax.toString()} documents of one type`);
  return keys.map((key) => {
    if (typeof key !== 'string' || key === '' || Buffer.byteLength(key) > moduleKeyBytesMax)
      throw new Error(`a key must be a text of 1 to ${moduleKeyBytesMax.toString()} bytes`);
    return key;
  });
};

/** `null` for a document that is no more. */
export const checkedDocument = (given: unknown): Json => {
  if (given === undefined) return null;
  if (!isPlainObject(given)) throw new Error('a document must be a plain object, or undefined');
  const document = plain(given, depthMax);
  if (Buffer.byteLength(JSON.stringify(document)) > moduleDocumentBytesMax)
    throw new Error(`a document must have at most ${moduleDocumentBytesMax.toString()} bytes as JSON`);
  return document;
};

const depthMax = 32;

const isPlainObject = (given: unknown): given is Readonly<Record<string, unknown>> => {
  if (typeof given !== 'object' || given === null) return false;
  const prototype: unknown = Object.getPrototypeOf(given);
  return prototype === Object.prototype || prototype === null;
};

/** A copy that nobody else holds. */
const plain = (given: unknown, depthLeft: number): Json => {
  if (depthLeft === 0) throw new Error(`a document must be at most ${depthMax.toString()} levels deep`);
  if (typeof given === 'string' || typeof given === 'boolean' || given === null) return given;
  if (typeof given === 'number' && Number.isFinite(given)) return given;
  if (Array.isArray(given)) return (given as readonly unknown[]).map((item) => plain(item, depthLeft - 1));
  if (!isPlainObject(given))
    throw new Error('a document must be made of texts, finite numbers, true, false, null, lists and plain objects');
  const fields = Object.entries(given).filter(([, value]) => value !== undefined);
  return Object.fromEntries(fields.map(([name, value]) => [name, plain(value, depthLeft - 1)]));
};

export const checkedIndexKeys = (
  indexes: Readonly<Record<string, (document: unknown) => unknown>>,
  document: Json,
): ModuleIndexKeys =>
  Object.fromEntries(Object.entries(indexes).map(([name, of]) => [name, checkedIndex(name, of(document))]));

const checkedIndex = (name: string, given: unknown): readonly (readonly (string | number)[])[] => {
  if (!Array.isArray(given) || given.length > moduleIndexKeysMax)
    throw new Error(`the index ${name} must give a list of at most ${moduleIndexKeysMax.toString()} keys`);
  return (given as readonly unknown[]).map((key) => checkedIndexKey(name, key));
};

const checkedIndexKey = (name: string, given: unknown): readonly (string | number)[] => {
  const isElement = (element: unknown): boolean =>
    typeof element === 'string' || (typeof element === 'number' && Number.isFinite(element));
  if (!Array.isArray(given) || given.length === 0 || !given.every(isElement))
    throw new Error(`a key of the index ${name} must be a list of texts and finite numbers`);
  const key = given as readonly (string | number)[]; // Each element was looked at.
  const bytes = key.reduce<number>((sum, element) => sum + elementBytes(element), 0);
  if (bytes > moduleIndexKeyBytesMax)
    throw new Error(`a key of the index ${name} must have at most ${moduleIndexKeyBytesMax.toString()} bytes`);
  return key;
};

const numberBytes = 18;
const elementBytes = (element: string | number): number =>
  typeof element === 'string' ? Buffer.byteLength(element) + 2 : numberBytes;

/** A fold that changes what it is given would lose the change, so it is told. */
export const frozen = <T>(value: T): T => {
  if (typeof value === 'object' && value !== null) {
    for (const inner of Object.values(value)) frozen(inner);
    Object.freeze(value);
  }
  return value;
};
