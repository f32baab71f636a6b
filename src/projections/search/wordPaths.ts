import type { ScopeHasher } from '../../kernel/ports/sealer.js';
import type { HashedTerm } from './documents.js';
import { isAscii } from './normalForm.js';

/** Words of fewer letters have no path. Letters are code points. */
export const pathLettersMin = 4;
/** A letter behind these has no mark: a longer word ends with a hash of all of it. */
export const pathLettersMax = 16;
/** Letters in base64url, which are 3 bytes. */
export const markLength = 4;

/** The first letters of a word, at most `count`, as far as there are any. */
export const firstLetters = (word: string, count: number): string =>
  isAscii(word)
    ? word.slice(0, count)
    : Array.from(word.slice(0, 2 * count))
        .slice(0, count)
        .join('');

/** Counted up to a few more than a path has. */
export const lettersIn = (word: string): number =>
  isAscii(word) ? word.length : Array.from(word.slice(0, 2 * pathLettersMax + 2)).length;

/**
 * The hash of a word is its path: a hash of its first four letters, and for each letter that follows a mark, which is made
 * of all letters up to it. So the lists of all words with one beginning lie side by side in a store that is ordered by key:
 * their keys begin with the path of that beginning. Two beginnings with one path are as rare as 1 in 2^24, and harmless.
 */
export const pathOfWord = (word: string, hash: ScopeHasher): HashedTerm => {
  const letters = lettersIn(word);
  if (letters < pathLettersMin) return hash(`w${word}`);
  const path = pathOfBeginning(word, hash);
  return letters > pathLettersMax ? [path, hash(`w${word}`)].join('') : path;
};

/** Of at least four letters; those behind the sixteenth do not count. */
export const pathOfBeginning = (beginning: string, hash: ScopeHasher): HashedTerm => {
  const count = Math.min(lettersIn(beginning), pathLettersMax);
  const parts = [hash(`o${firstLetters(beginning, pathLettersMin)}`)];
  for (let letters = pathLettersMin + 1; letters <= count; letters += 1) {
    parts.push(hash(`o${firstLetters(beginning, letters)}`).slice(0, markLength));
  }
  // Joined, because a text that was added up keeps all that it was made of for as long as it is remembered.
  return parts.join('');
};

/** Hashes that a word of so many letters takes besides the one that each has: its marks, and that of all of a long one. */
export const marksIn = (letters: number): number => Math.max(0, Math.min(letters, pathLettersMax + 1) - pathLettersMin);
