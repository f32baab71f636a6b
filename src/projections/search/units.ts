import { isAscii, normalForm } from './normalForm.js';

/**
 * The smallest parts that are searched for: a word; one character of a script that puts no spaces between words; a sign,
 * such as `+` or an emoji.
 */
export type Unit = {
  readonly kind: 'word' | 'character' | 'sign';
  /** In the normal form. */
  readonly text: string;
  /** It follows the unit before it without a gap. */
  readonly isJoined: boolean;
};

/** In the order of the text, which comes as it was typed. */
export const unitsOf = (text: string): readonly Unit[] => {
  const normal = normalForm(text);
  const units: Unit[] = [];
  let end = -1;
  for (const { 0: found, 1: word, 2: character, index } of normal.matchAll(isAscii(normal) ? asciiUnit : unit)) {
    const kind = word !== undefined ? 'word' : character !== undefined ? 'character' : 'sign';
    units.push({ kind, text: found, isJoined: index === end });
    end = index + found.length;
  }
  return units;
};

/** The same as `unit` for texts of ASCII in the normal form, in half the time. */
const asciiUnit = /([a-z\d]+)|[!-~]/g;

/** Letters of these scripts, with the sign that makes a vowel long in Japanese. */
const unspaced =
  String.raw`(?=\p{L})[\p{scx=Han}\p{scx=Hiragana}\p{scx=Katakana}\p{scx=Bopomofo}\p{scx=Thai}\p{scx=Lao}` +
  String.raw`\p{scx=Khmer}\p{scx=Myanmar}\p{scx=Tibetan}]`;

/** Those which are units by themselves, each a code point. */
export const unspacedCharacter = new RegExp(unspaced, 'gu');

const unit = new RegExp(
  String.raw`((?!${unspaced})[\p{L}\p{N}](?:(?!${unspaced})[\p{L}\p{N}\p{M}])*)` +
    String.raw`|(${unspaced}\p{M}*)` +
    String.raw`|[^\s\p{Z}\p{Cc}]`,
  'gu',
);
