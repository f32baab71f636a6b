// Unicode has no property for the characters by number, for which fonts draw nothing: a filler of Khitan, the empty Braille
// pattern, annotation marks, format marks and blanks of hieroglyphs, the empty note head.
const visible =
  /[^\p{White_Space}\p{Cc}\p{Default_Ignorable_Code_Point}\u{16fe4}\u2800\ufff9-\ufffb\u{13430}-\u{13442}\u{1d159}]/u;

/** Whether there is anything to see in it: neither blanks nor joiners, marks of direction and the like show anything. */
export const isVisible = (text: string): boolean => visible.test(text);

/** One UTF-16 code unit of a composed text was up to four before, as in Greek with three marks. */
const decomposedUnitsMax = 4;

/** The bound of Stream-Safe Text (UAX #15), here in UTF-16 code units. No language puts nearly as many on one letter. */
const rowOfMarksUnitsMax = 30;
// The last two are letters that NFKC turns into marks.
const rowsOfMarks = /[\p{M}\uff9e\uff9f]+/gu;

/**
 * The text in its composed form, or as it is when it cannot be composed to within `unitsMax` UTF-16 code units. The
 * result may be longer than `unitsMax` in both cases, so the caller measures it again.
 *
 * Normalising takes time with the square of the length of a row of marks: 12 ms for 4,096 units, less than one for 1,024.
 * A text within `unitsMax`, which should be 1,024 at most, is therefore composed with any content. A longer one is
 * composed only without long rows of marks, in a fraction of a millisecond.
 */
export const composed = (text: string, unitsMax: number, form: 'NFC' | 'NFKC' = 'NFC'): string =>
  text.length <= unitsMax || (text.length <= unitsMax * decomposedUnitsMax && !hasLongRow(text))
    ? text.normalize(form)
    : text;

/** The text in a form for comparing, in linear time: rows of marks are cut to the bound of Stream-Safe Text. */
export const comparable = (text: string, form: 'NFC' | 'NFKD'): string =>
  text.replace(rowsOfMarks, (row) => row.slice(0, rowOfMarksUnitsMax)).normalize(form);

const hasLongRow = (text: string): boolean =>
  (text.match(rowsOfMarks) ?? []).some((row) => row.length > rowOfMarksUnitsMax);

/**
 * The same without the blanks around it, which do not count up to four times the limit. A longer text is not trimmed: the
 * short rest of it would keep all of it in memory.
 */
export const composedTrimmed = (text: string, unitsMax: number, form: 'NFC' | 'NFKC' = 'NFC'): string => {
  if (text.length > unitsMax * decomposedUnitsMax) return text;
  // NFKC makes new blanks.
  return composed(text.trim(), unitsMax, form).trim();
};

const fullWidth = /[\uff01-\uff5e]/g;
const fullWidthOffset = 0xfee0;

/** The text with full-width forms of ASCII characters, as East Asian keyboards type them, as those characters. */
export const halfWidth = (text: string): string =>
  text.replace(fullWidth, (character) => String.fromCharCode(character.charCodeAt(0) - fullWidthOffset));
