import { isIP } from 'node:net';
import { previewedLinkUnitsMax } from '../../kernel/ports/linkPreviews.js';

/** An address that may be asked for, but for where its name leads. */
export type WebAddress = {
  /** Without a fragment, which stays with the client. */
  readonly url: string;
  readonly isTls: boolean;
  /** A name in ASCII, or an IP address in its one canonical form and without brackets. */
  readonly host: string;
  readonly isIp: boolean;
  readonly port: number;
  /** For the header: the name with its port where that is not the usual one. */
  readonly authority: string;
  readonly path: string;
};

/** The parser takes time with the square of a name's length, because of Punycode; no name in DNS is as long. */
const authorityUnitsMax = 512;
const openPorts: ReadonlySet<number> = new Set([80, 443]);
const form = /^(?:https?:)?[/\\]*([^/\\?#]*)/i;

/**
 * Undefined for all that is not http or https on port 80 or 443, and for links with a name and a password in them, which
 * belong to somebody. A reference without a scheme is read as one from `base`.
 */
export const webAddress = (text: string, base?: WebAddress): WebAddress | undefined => {
  if (text.length > previewedLinkUnitsMax) return undefined;
  const [, authority = ''] = form.exec(text) ?? [];
  if (authority.length > authorityUnitsMax && base === undefined) return undefined;
  const url = parsed(text, base?.url);
  return url === undefined ? undefined : addressOf(url);
};

const parsed = (text: string, base: string | undefined): URL | undefined => {
  try {
    return new URL(text, base);
  } catch {
    return undefined;
  }
};

const addressOf = (url: URL): WebAddress | undefined => {
  const isTls = url.protocol === 'https:';
  if (!isTls && url.protocol !== 'http:') return undefined;
  if (url.username !== '' || url.password !== '') return undefined;
  const port = url.port === '' ? (isTls ? 443 : 80) : Number(url.port);
  if (!openPorts.has(port)) return undefined;
  url.hash = '';
  // The parser has brought every spelling of an IPv4 address into the one form, and IPv6 addresses stand in brackets.
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const path = `${url.pathname}${url.search}`;
  return { url: url.href, isTls, host, isIp: isIP(host) !== 0, port, authority: url.host, path };
};
