import { request, type IncomingHttpHeaders } from 'node:http';
import { of } from '../../../src/container/tokens.js';
import { newToken } from '../../../src/gateway/packages/auth/tokens.js';
import { serve, type Server } from '../../../src/gateway/sockets/server.js';
import type { FileId, UserId } from '../../../src/kernel/ids.js';
import { sessionOf, type Node } from '../../support/house/node.js';

/** A node of a house, as browsers reach it. */
export type Site = { readonly port: number; readonly node: Node; readonly close: () => Promise<void> };

export const siteOf = async (node: Node, options: { readonly origins?: readonly string[] } = {}): Promise<Site> => {
  const { get } = node;
  const server: Server = await serve({
    host: '127.0.0.1',
    port: 0,
    origins: [],
    trustedProxies: [],
    sockets: { ...get(of.gateway).sockets, close: () => Promise.resolve() },
    readiness: () => Promise.resolve({ ready: true }),
    logger: get(of.logger),
    web: get(of.web),
    ...options,
  });
  return { port: server.port, node, close: () => server.close() };
};

export type WebAnswer = {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** The connection ended before the answer did. */
  readonly isCut: boolean;
};

export type Asked = {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
};

export const asked = (
  { port }: Pick<Site, 'port'>,
  path: string,
  { body, ...options }: Asked = {},
): Promise<WebAnswer> =>
  new Promise((resolve, reject) => {
    const asking = request({ host: '127.0.0.1', port, path, agent: false, ...options }, (answer) => {
      const { statusCode: status = 0, headers } = answer;
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('error', () => undefined);
      answer.on('close', () => {
        resolve({ status, headers, body: Buffer.concat(chunks), isCut: !answer.complete });
      });
    });
    asking.on('error', reject);
    asking.end(body);
  });

export const json = (answer: WebAnswer): Readonly<Record<string, unknown>> =>
  JSON.parse(answer.body.toString()) as Readonly<Record<string, unknown>>;

/** The header by which a session that the house has opened shows itself. */
export const bearer = (user: UserId, session = 0n): { readonly authorization: string } => {
  const token = newToken(user, sessionOf(user, session).session, { bytes: (length) => new Uint8Array(length) });
  return { authorization: `Bearer ${token.text}` };
};

/** The address of a link to a file, which the user asks for. */
export const linkTo = async (site: Site, user: UserId, id: FileId, session = 0n): Promise<string> => {
  const headers = { ...bearer(user, session), 'content-type': 'application/json' };
  const answer = await asked(site, '/files/links', {
    method: 'POST',
    headers,
    body: JSON.stringify({ files: [{ id: id.toString() }] }),
  });
  const { links } = json(answer) as { readonly links?: readonly { readonly url: string }[] };
  const [link] = links ?? [];
  if (link === undefined) throw new Error(`no link: ${answer.status.toString()} ${answer.body.toString()}`);
  return link.url;
};
