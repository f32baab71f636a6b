import { createHash } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import type { WebRoutes } from '../sockets/server.js';
import { trustedAmong } from '../sockets/trustedProxies.js';

export type FrontPageNeeds = {
  /** Of this server. */
  readonly version: string;
  /** Those that may say under which name and scheme they are reached. */
  readonly trustedProxies: readonly string[];
};

/** The page for browsers that come to the address of the WebSocket. Programs are told to connect with one, as ever. */
export const frontPage = ({ version, trustedProxies }: FrontPageNeeds): WebRoutes['frontPage'] => {
  const isTrusted = trustedAmong(trustedProxies);
  return (request, reply) => {
    void reply.header('vary', 'Accept');
    if (!/(^|[,\s])text\/html\b/i.test(request.headers.accept ?? '')) return false;
    const address = socketAddressOf(request, isTrusted);
    void reply.code(200).headers(pageHeaders).send(pageOf(version, address));
    return true;
  };
};

/**
 * Under which a client comes here as the browser did. Only a trusted proxy is believed about names and schemes, and a text that is no
 * name of a host is shown to nobody.
 */
const socketAddressOf = (request: FastifyRequest, isTrusted: (address: string) => boolean): string | undefined => {
  const { headers, socket } = request.raw;
  const isProxied = isTrusted(socket.remoteAddress ?? '');
  const forwarded = (name: string): string | undefined => (isProxied ? lastOf(headers[name]) : undefined);
  const host = forwarded('x-forwarded-host') ?? headers.host ?? '';
  const scheme = forwarded('x-forwarded-proto') === 'https' ? 'wss' : 'ws';
  return hostForm.test(host) ? `${scheme}://${host.toLowerCase()}/` : undefined;
};

/** Each proxy adds its own behind those before it. */
const lastOf = (header: string | readonly string[] | undefined): string | undefined =>
  header === undefined ? undefined : String(header).split(',').at(-1)?.trim();

const hostForm = /^(\[[0-9a-f:.]{2,45}\]|[a-z0-9._-]{1,254})(:\d{1,5})?$/i;

const style = `
:root { color-scheme: light dark; font: 1rem/1.6 system-ui, sans-serif; }
body { display: grid; min-height: 100vh; margin: 0; place-items: center; background: light-dark(#f4f5f7, #15171b); }
main { box-sizing: border-box; width: min(36rem, 100%); padding: 2rem clamp(1rem, 5vw, 2.5rem); color: light-dark(#1d2129, #e4e7ec); }
h1 { margin: 0; font-size: 1.75rem; line-height: 1.25; }
p { margin: 0.5rem 0 1.5rem; }
dl { margin: 0; border-top: 1px solid light-dark(#d5d9e0, #343a44); }
dl > div { display: grid; grid-template-columns: 9rem 1fr; gap: 0 1rem; padding: 0.6rem 0; border-bottom: 1px solid light-dark(#d5d9e0, #343a44); }
dt { color: light-dark(#5a6372, #9ba5b5); }
dd { margin: 0; overflow-wrap: anywhere; }
code { font: 0.95em ui-monospace, monospace; user-select: all; }
a { color: light-dark(#0b57d0, #8ab4f8); }
@media (max-width: 30rem) { dl > div { grid-template-columns: 1fr; } }
`;

const styleHash = createHash('sha256').update(style).digest('base64');

const pageHeaders = {
  'cache-control': 'no-store',
  'content-security-policy': `default-src 'none'; style-src 'sha256-${styleHash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  'content-type': 'text/html; charset=utf-8',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
} as const;

/** The project of the protocol, with the description that clients are written after. */
const protocolSite = 'https://osmium.chat/';

const pageOf = (version: string, address: string | undefined): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>Osmium Server</title>
<style>${style}</style>
</head>
<body>
<main>
<h1>Osmium Server</h1>
<p>A chat server. To use it, give this address to a client of the Osmium Chat Protocol.</p>
<dl>
${address === undefined ? '' : row('Address', `<code>${escaped(address)}</code>`)}
${row('Version', escaped(version))}
${row('Protocol', 'Osmium Chat Protocol: Protocol Buffers over WebSocket')}
${row('Documentation', `<a href="${protocolSite}" rel="noreferrer">osmium.chat</a>`)}
</dl>
</main>
</body>
</html>
`;

const row = (term: string, description: string): string => `<div><dt>${term}</dt><dd>${description}</dd></div>`;

const escaped = (text: string): string => text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0).toString()};`);
