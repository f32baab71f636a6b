import type { IncomingMessage } from 'node:http';
import { BlockList, isIPv6, type AddressInfo, type Server } from 'node:net';

/** The headers by which a server tells its own pages from those of strangers. */
export type OriginHeaders = {
  /** Browsers send one with each WebSocket of a page, and no page can change it. Other programs send none. */
  readonly origin: string | undefined;
  /** Each Host header, as it came. Only a request with exactly one can be trusted to say under which name it came. */
  readonly hosts: readonly string[];
};

export const originHeadersOf = ({ headers, headersDistinct }: IncomingMessage): OriginHeaders => ({
  // No browser sends an empty one.
  origin: headers.origin === '' ? undefined : headers.origin,
  hosts: headersDistinct['host'] ?? [],
});

export type OriginRules = {
  /** Origins as browsers write them, such as `https://chat.example`, `app://name` or `null`; `*` stands for all. */
  readonly origins: readonly string[];
  /** The server can be reached from its own machine alone, so a page that reaches it under another name is a stranger's. */
  readonly onLoopback: boolean;
};

/**
 * Whether a WebSocket may be opened. Programs without an Origin may under any Host, because they act for their own user.
 * A page may when its origin is listed, or when the server sent it: when the Host is that of the origin.
 */
export const mayConnect = (rules: OriginRules, { origin, hosts }: OriginHeaders): boolean => {
  if (origin === undefined || rules.origins.includes('*') || rules.origins.includes(origin)) return true;
  return isOwn(origin, hosts) && (!rules.onLoopback || isLoopbackName(hosts));
};

/**
 * Whether any other request may be answered. A page that has had its own name pointed at a loopback address (DNS
 * rebinding) can read the answers, so on such an address the Host must be one that no stranger can point anywhere.
 */
export const mayAsk = (rules: OriginRules, hosts: readonly string[]): boolean =>
  !rules.onLoopback || isLoopbackName(hosts) || rules.origins.some((origin) => isOwn(origin, hosts));

/** Whether it can be reached from this machine alone. */
export const listensOnLoopback = (server: Pick<Server, 'address'>): boolean => {
  // Null while the server stops: then the stricter rule holds. Of a TCP server it is never a text.
  const bound = server.address() as AddressInfo | null;
  return bound === null || isLoopbackAddress(bound.address);
};

/** Of 127.0.0.0/8, or `::1`. */
export const isLoopbackAddress = (address: string): boolean =>
  loopback.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

const isOwn = (origin: string, hosts: readonly string[]): boolean => {
  const [, scheme = '', host = ''] = /^(https?:)\/\/(.*)$/i.exec(origin) ?? [];
  const page = authorityOf(scheme, [host]);
  if (page === undefined) return false;
  // A proxy that ends TLS passes a Host without a port on, which means the default port of the page's own scheme.
  const server = authorityOf(scheme, hosts);
  return server?.name === page.name && server.port === page.port;
};

const isLoopbackName = (hosts: readonly string[]): boolean => {
  const name = authorityOf('http:', hosts)?.name;
  return name !== undefined && (name === 'localhost' || isLoopbackAddress(name.replace(/^\[|\]$/g, '')));
};

type Authority = { readonly name: string; readonly port: string };

/** In the form in which two ways to write the same are equal: in lower case, without a dot at the end or the usual port. */
const authorityOf = (scheme: string, [host, ...others]: readonly string[]): Authority | undefined => {
  if (host === undefined || others.length > 0 || !hostPattern.test(host)) return undefined;
  try {
    const { hostname, port } = new URL(`${scheme}//${host}`);
    return { name: hostname.replace(/\.$/, ''), port };
  } catch {
    return undefined;
  }
};
// Narrower than a URL, which may have a user before the name and a path behind it; and no longer than a name can be,
// because the time that parsing takes grows with the square of some names.
const hostPattern = /^(\[[0-9a-f:.]{2,45}\]|[a-z0-9._~-]{1,254})(:\d{1,5})?$/i;

export type RefusalReportNeeds = {
  readonly warn: (details: object, message: string) => void;
  /** In milliseconds, and never going back. */
  readonly now: () => number;
};

/** At most one line is logged in this time, so that a stranger's page cannot fill the disk. */
export const refusalReportMillisMin = 60_000;

/** Of each header in a line of the log. */
export const shownHeaderUnitsMax = 100;

/** Tells the operator of refused requests: of the first at once, of later ones by their number since the last line. */
export const refusalReport = ({ warn, now }: RefusalReportNeeds): ((headers: OriginHeaders) => void) => {
  let reportedAt = Number.NEGATIVE_INFINITY;
  let refused = 0;
  return ({ origin, hosts }) => {
    refused += 1;
    if (now() - reportedAt < refusalReportMillisMin) return;
    const details = {
      origin: origin === undefined ? undefined : shown(origin),
      host: shown(hosts.join(', ')),
      refused,
    };
    reportedAt = now();
    refused = 0;
    warn(
      details,
      'refused a request that may come from a stranger’s page; a page of yours needs an entry in OSMIUM_ORIGINS',
    );
  };
};

const shown = (header: string): string => header.slice(0, shownHeaderUnitsMax).replace(/[^\x20-\x7e]/g, '?');
