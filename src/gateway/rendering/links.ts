/** Schemes that are harmless to follow. `javascript:` and the like would run in the reader's client. */
const linkSchemes = new Set(['http:', 'https:', 'mailto:']);

/**
 * The longest name in DNS, and the longest of its labels. Parsing takes time with the square of a label's length, because
 * of Punycode: 3 ms for 2,000 ideographs, 0.02 ms for 240 in labels of 60.
 */
export const hostUnitsMax = 253;
export const hostLabelUnitsMax = 63;

/** The reason why an address is no link; undefined for an http, https or mailto address. The caller bounds its length. */
export const linkFault = (url: string): 'not a link' | 'long host' | undefined => {
  const host = hostOf(url);
  if (host === undefined) return 'not a link';
  if (isLong(host)) return 'long host';
  try {
    return linkSchemes.has(new URL(url).protocol) ? undefined : 'not a link';
  } catch {
    return 'not a link';
  }
};

/** A byte that is written as a code counts as one, and every full stop of IDNA ends a label. */
const isLong = (host: string): boolean => {
  const name = host.replace(/%[0-9a-f]{2}/gi, 'x');
  return (
    name.length > hostUnitsMax || name.split(/[.\u3002\uff0e\uff61]/).some(({ length }) => length > hostLabelUnitsMax)
  );
};

// Of http and https any number of slashes of both kinds is passed over, also none. Mail has no host.
const linkForm = /^(?:mailto:|https?:[/\\]*([^/\\?#]*))/i;

/**
 * The part of an address that the parser of URLs takes for the host, sound or not, found in linear time. Empty where
 * there is none; undefined for any scheme that no link has.
 */
export const hostOf = (url: string): string | undefined => {
  const form = linkForm.exec(withoutIgnored(url));
  if (form === null) return undefined;
  const [, authority = ''] = form;
  // The user's name and password end at the last @, and may hold others.
  return authority.slice(authority.lastIndexOf('@') + 1).replace(/:\d*$/, '');
};

/** The parser passes over controls and blanks on both ends, and over tabs and line breaks everywhere. */
const withoutIgnored = (url: string): string => {
  let start = 0;
  let end = url.length;
  while (start < end && url.charCodeAt(start) <= blank) start += 1;
  while (start < end && url.charCodeAt(end - 1) <= blank) end -= 1;
  return url.slice(start, end).replace(/[\t\n\r]/g, '');
};

/** The last of those characters that are controls or blanks. */
const blank = 0x20;
