import { comparable } from '../../kernel/text.js';

/**
 * Texts that somebody would call the same word have one normal form: compatibility forms are resolved, case is folded in
 * full (`ß` is `ss`, the Turkish letters `İ` and `ı` are `i`), the marks of Latin, Greek and Cyrillic letters are dropped,
 * and so is all that shows nothing. Marks of other scripts tell words apart, so they stay.
 *
 * The index holds hashes of this form, so it must never come out differently for a character that Unicode knows. The
 * functions of the engine follow Unicode's promise of stability, and a test holds the form of all characters.
 */
export const normalForm = (text: string): string => {
  // None of the rules but that of case is about ASCII, and most texts are nothing else.
  if (isAscii(text)) return text.slice(0, normalUnitsMax).toLowerCase();
  const plain = withoutMarks(comparable(text, 'NFKD').replace(ignorable, '').slice(0, normalUnitsMax));
  // Lower case first, because the capital sharp s has no upper case.
  const cased = plain.toLowerCase().toUpperCase().toLowerCase().replaceAll('ς', 'σ');
  return comparable(withoutMarks(comparable(cased, 'NFKD')).replace(alike, likeOthers), 'NFC');
};

const ascii = /^[\0-\x7f]*$/;
export const isAscii = (text: string): boolean => ascii.test(text);

/** More of a text than this, in UTF-16 units of its decomposed form, is not looked at: one character can stand for eighteen. */
export const normalUnitsMax = 16_384;

const ignorable = /\p{Default_Ignorable_Code_Point}+/gu;
const marked = /([\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}])\p{M}+/gu;

const withoutMarks = (text: string): string => text.replace(marked, '$1');

/** Keyboards make these signs from the plain ones. */
const plainSigns: ReadonlyMap<string, string> = new Map([
  ...Array.from('‘’‛ʼ', (sign) => [sign, "'"] as const),
  ...Array.from('“”„‟«»', (sign) => [sign, '"'] as const),
  ...Array.from('‐‑‒–—―−', (sign) => [sign, '-'] as const),
]);
const alike = new RegExp(`[${[...plainSigns.keys()].join('')}]`, 'gu');
const likeOthers = (sign: string): string => plainSigns.get(sign) ?? sign;
