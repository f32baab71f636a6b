import { reject, type Rejection } from './decider.js';
import type { Shredded } from './opened.js';
import { composed, composedTrimmed, isVisible } from './text.js';

/**
 * Controls, halves of surrogate pairs, private and unassigned code points, ends of lines, and the embeddings, overrides
 * and isolates of direction, which would turn the text around the name as well. Marks of direction stay allowed, because
 * names in Hebrew and Arabic need them.
 */
const unfit = /[\p{Cc}\p{Cs}\p{Co}\p{Cn}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u;
const blanks = /\p{Zs}+/gu;

/** Blanks do not count up to this many times the limit of a name. A longer text is refused before any work on it. */
const typedTimesMax = 4;

/**
 * A name of anything that people name, as it is kept: composed, on one line, without blanks around it and with one space
 * for each run of blanks in it. Refuses with `INVALID_NAME` a text that shows nothing, that has more than `unitsMax`
 * UTF-16 code units as it would be kept, or that has characters which are unfit for a name.
 *
 * `current` is the name until now. Typing it again changes nothing, so a name from before a rule stays as it is.
 */
export const displayName = (text: string, unitsMax: number, current?: string | Shredded): string | Rejection => {
  const typed = composedTrimmed(text, unitsMax);
  if (typed === current) return typed;
  if (text.length > unitsMax * typedTimesMax) return reject('INVALID_NAME', 'it is too long');
  const name = composed(text.trim().replace(blanks, ' '), unitsMax);
  if (name.length > unitsMax) return reject('INVALID_NAME', 'it is too long');
  if (!isVisible(name)) return reject('INVALID_NAME', 'it shows nothing');
  return unfit.test(name) ? reject('INVALID_NAME', 'it has characters that names must not have') : name;
};
