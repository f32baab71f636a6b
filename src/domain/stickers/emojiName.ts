import { reject, type Rejection } from '../../kernel/decider.js';
import { composed } from '../../kernel/text.js';

/** In UTF-16 code units, as typed and as kept. */
export const emojiNameUnitsMin = 2;
export const emojiNameUnitsMax = 32;

// Letters of any script with their marks, digits, and what joins words in the names that other services let their users give.
const form = /^[\p{L}\p{M}\p{N}_+-]+$/u;
const unfit = /[^\p{L}\p{M}\p{N}_+-]+/gu;

/** The name as it is kept, composed. Refuses with `INVALID_NAME` what clients could not write between two colons. */
export const emojiName = (typed: string): string | Rejection => {
  if (typed.length > emojiNameUnitsMax) return wrongLength;
  const name = composed(typed, emojiNameUnitsMax);
  if (name.length < emojiNameUnitsMin || name.length > emojiNameUnitsMax) return wrongLength;
  return form.test(name) ? name : reject('INVALID_NAME', 'a name of an emoji has letters, digits, _, - and + alone');
};

const wrongLength = reject(
  'INVALID_NAME',
  `a name of an emoji has ${emojiNameUnitsMin.toString()} to ${emojiNameUnitsMax.toString()} characters`,
);

/** The name of a file, without its ending, in a form that an emoji may be called by, since it was not given as the name of one. */
export const nameFromFile = (file: string): string => {
  const stem = file.slice(0, file.includes('.') ? file.lastIndexOf('.') : file.length).slice(0, emojiNameUnitsMax);
  return composed(stem, emojiNameUnitsMax)
    .replace(unfit, '_')
    .replace(/^_+|_+$/g, '');
};

/** One letter in upper case may have three code units. */
const keyUnitsMax = 3 * emojiNameUnitsMax;

/** The same for names that differ in case alone: upper case first makes one letter of those that have two small forms. */
export const emojiNameKeyed = (name: string): string => composed(name.toUpperCase().toLowerCase(), keyUnitsMax);
