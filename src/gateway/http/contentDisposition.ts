/** A file is shown in the place of the page, or is kept. */
export type Disposition = 'inline' | 'attachment';

/**
 * The Content-Disposition of a file under the name that its sender gave it (RFC 6266). A name beyond ASCII comes in two
 * forms, the first for clients that know no other. Names of former releases may have characters that names must not have.
 */
export const contentDisposition = (disposition: Disposition, name: string | undefined): string => {
  if (name === undefined) return disposition;
  const shown = name.replace(unshowable, '_');
  const plain = shown.replace(beyondQuotedAscii, '_');
  const first = `${disposition}; filename="${plain}"`;
  return plain === shown ? first : `${first}; filename*=UTF-8''${encoded(shown)}`;
};

// Controls, halves of pairs, marks that turn the direction of what follows, breaks of lines, and what makes a path of a name.
const unshowable = /[\p{Cc}\p{Cs}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\u2028\u2029/\\]/gu;

/** A quote would end the name, and some clients decode what a percent sign begins. */
const beyondQuotedAscii = /[^\x20-\x7e]|["%]/gu;

/** Of what a URL leaves as it is, these have a meaning in this header. */
const encoded = (name: string): string =>
  encodeURIComponent(name).replace(/['()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
