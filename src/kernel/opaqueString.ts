import { composed } from './text.js';

const blanks = /\p{Zs}/gu;

/**
 * The password in the form in which it is hashed and compared: the OpaqueString profile of RFC 8265, which turns every
 * kind of blank into a space and composes the text, so that all keyboards come to the same. Undefined when that form has
 * more than `unitsMax` UTF-16 code units.
 */
export const opaqueString = (password: string, unitsMax: number): string | undefined => {
  const prepared = composed(password, unitsMax);
  return prepared.length > unitsMax ? undefined : prepared.replace(blanks, ' ');
};

// The FreeformClass of RFC 8264. JavaScript has no property for the letters of old Hangul and the exceptions of the RFC,
// so the second class lists them. Characters that the RFC allows in some contexts are allowed in all, but for joiners.
const outside = /[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/u;
const exceptions =
  /[\p{Default_Ignorable_Code_Point}\u302e\u302f\u0640\u07fa\u3031-\u3035\u303b\u1100-\u11ff\ua960-\ua97f\ud7b0-\ud7ff]/u;
// A joiner belongs to the text behind a virama, the non-joiner also behind letters that join.
const joined = /(?<=\p{M})[\u200c\u200d]|(?<=[\p{Script=Arabic}\p{Script=Syriac}\p{Script=Mongolian}])\u200c/gu;

/**
 * Whether a prepared password has only characters that the profile allows: no controls, no invisible characters, no
 * private and no unassigned code points, because two systems would write them differently. Only new passwords are judged.
 */
export const isFreeform = (prepared: string): boolean => {
  const rest = prepared.replace(joined, '');
  return !outside.test(rest) && !exceptions.test(rest);
};
