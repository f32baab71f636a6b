import type { IndexKey, IndexRange } from '../../kernel/ports/documentStore.js';

type Element = IndexKey[number];

/** The order of index keys as the port words it, plainly: the model that every encoding is held against. */
export const compareKeys = (a: IndexKey, b: IndexKey): number => {
  for (const [index, element] of a.entries()) {
    const other = b[index];
    if (other === undefined) return 1;
    const order = compareElements(element, other);
    if (order !== 0) return order;
  }
  return a.length - b.length;
};

/** Numbers and bigints alike by value, before strings. */
export const compareElements = (a: Element, b: Element): number => {
  if (typeof a === 'string') return typeof b === 'string' ? compareText(a, b) : 1;
  if (typeof b === 'string') return -1;
  // JavaScript compares a number with a bigint exactly, without turning one into the other.
  return a < b ? -1 : a > b ? 1 : 0;
};

/** By code point. JavaScript's own order is by UTF-16 unit, which puts U+FFFF above an emoji. */
export const compareText = (a: string, b: string): number => {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index += 1) {
    const unit = a.charCodeAt(index);
    const other = b.charCodeAt(index);
    if (unit !== other) return codePointOrder(unit) - codePointOrder(other);
  }
  return a.length - b.length;
};

const surrogateMin = 0xd800;
const surrogateMax = 0xdfff;
const codePointOrder = (unit: number): number =>
  unit >= surrogateMin && unit <= surrogateMax ? unit + 0x1_0000 : unit;

/** Whether the key begins with `within` and its next element lies strictly between `after` and `before`. */
export const inRange = (key: IndexKey, { within, after, before }: IndexRange): boolean => {
  if (within.some((element, index) => differs(key[index], element))) return false;
  const next = key[within.length];
  if (next === undefined) return after === undefined && before === undefined;
  if (after !== undefined && compareElements(next, after) <= 0) return false;
  return before === undefined || compareElements(next, before) < 0;
};

const differs = (found: Element | undefined, wanted: Element): boolean =>
  found === undefined || compareElements(found, wanted) !== 0;
