import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { isRejection, reject, type Rejection } from '../../kernel/decider.js';
import type { Clock } from '../../kernel/ports/system.js';
import { rejectionOf, type IsAway } from '../contract/errors.js';
import { originHeadersOf } from '../sockets/origins.js';
import type { WebRoutes } from '../sockets/server.js';
import { clientAddress } from '../sockets/trustedProxies.js';
import type { FileName } from '../files/streaming.js';
import { guardingHeaders } from './fileHeaders.js';
import type { FileLinks } from './fileLinks.js';
import { answerFile, type FileRequestNeeds } from './fileRequest.js';
import { answerLinks, fileIdOf, fileKindOf, linkRequestBytesMax } from './linkRequest.js';
import { originHeaders, preflightHeaders } from './pageOrigins.js';
import { refuse } from './refusals.js';
import type { Visit, Visitors } from './visitors.js';
import type { Credentials, WebCall, WebCalls } from './webCalls.js';

export type FileRoutesNeeds = FileRequestNeeds & {
  readonly clock: Clock;
  readonly isAway: IsAway;
  readonly links: FileLinks;
  readonly log: Pick<Logger, 'error'>;
  /** As for `OriginRules`. */
  readonly origins: readonly string[];
  readonly visitors: Pick<Visitors, 'inOrder'>;
  readonly webCalls: WebCalls;
};

const linksPath = '/files/links';
const filePath = '/files/:id';

/** Files for browsers, which cannot ask for them over a WebSocket. */
export const fileRoutes = (needs: FileRoutesNeeds): Pick<WebRoutes, 'pagePaths' | 'routes'> => ({
  pagePaths: [linksPath, filePath],
  routes: (routes) => {
    // A plugin of its own, so that these hooks are for these routes alone.
    routes.register((own: FastifyInstance, _, done) => {
      own.addHook('onRequest', (request, reply, next) => {
        void reply.headers({
          ...guardingHeaders,
          ...originHeaders(needs.origins, originHeadersOf(request.raw).origin),
        });
        next();
      });
      own.setErrorHandler((error, _, reply) => refuse(reply, unreadable(error)));
      addLinks(own, needs);
      addFiles(own, needs);
      done();
    });
  },
});

const addLinks = (own: FastifyInstance, needs: FileRoutesNeeds): void => {
  own.options(linksPath, (_, reply) => reply.code(204).headers(preflightHeaders('POST')).send());
  own.post(linksPath, { bodyLimit: linkRequestBytesMax }, (request, reply) =>
    answer(needs, request, reply, {
      credentials: () => tokenIn(request),
      work: async ({ call }) => {
        const links = answerLinks(needs.links, call, request.body);
        if (isRejection(links)) return links;
        await reply.send(links);
        return undefined;
      },
    }),
  );
};

const addFiles = (own: FastifyInstance, needs: FileRoutesNeeds): void => {
  const answered = answerFile(needs);
  own.options(filePath, (_, reply) => reply.code(204).headers(preflightHeaders('GET, HEAD')).send());
  own.route({
    method: ['GET', 'HEAD'],
    url: filePath,
    handler: (request, reply) => {
      const asked = askedFile(needs, request);
      return answer(needs, request, reply, {
        credentials: () => asked.credentials,
        work: (call) => (asked.name === undefined ? refusedFile() : answered(call, asked.name, request, reply)),
      });
    },
  });
};

const refusedFile = (): Promise<Rejection> => Promise.resolve(reject('FILE_NOT_FOUND'));

type Answering = {
  readonly credentials: () => Credentials;
  /** Gives a refusal where nothing was answered yet. */
  readonly work: (call: WebCall) => Promise<Rejection | undefined>;
};

/** Every request is answered once, or cut. */
const answer = async (
  needs: FileRoutesNeeds,
  request: FastifyRequest,
  reply: FastifyReply,
  { credentials, work }: Answering,
): Promise<FastifyReply> => {
  const from: Visit = { socket: request.raw.socket, address: clientAddress(request.ip, request.raw.socket) };
  const done = needs.visitors.inOrder(from, async () => {
    const refused = await settled(needs, async () => {
      const opened = await needs.webCalls.open(from, credentials());
      if (isRejection(opened)) return opened;
      return work(opened).finally(opened.end);
    });
    if (refused !== undefined) await refusedOrCut(reply, refused);
  });
  if (isRejection(done)) return refuse(reply, done);
  await done;
  return reply;
};

/** An answer that has begun cannot be made a refusal. */
const refusedOrCut = async (reply: FastifyReply, refused: Rejection): Promise<void> => {
  if (reply.raw.headersSent || reply.sent) reply.raw.destroy();
  else await refuse(reply, refused);
};

const settled = async (
  { isAway, log }: FileRoutesNeeds,
  work: () => Promise<Rejection | undefined>,
): Promise<Rejection | undefined> => {
  try {
    return await work();
  } catch (err) {
    const rejection = rejectionOf(err, isAway);
    if (rejection.rejected === 'INTERNAL') log.error({ err }, 'a request over HTTP failed');
    return rejection;
  }
};

/** The header alone: a token in an address would stay in histories and logs. */
const tokenIn = ({ headers }: FastifyRequest): Credentials => {
  const [, token] = /^bearer +([\w~+/.=-]+) *$/i.exec(headers.authorization ?? '') ?? [];
  return token === undefined
    ? { kind: 'none', rejection: reject('NOT_AUTHORIZED', 'send the token as "Authorization: Bearer …"') }
    : { kind: 'token', token };
};

const isBearer = ({ headers }: FastifyRequest): boolean => /^bearer(?: |$)/i.test(headers.authorization ?? '');

type AskedFile = { readonly credentials: Credentials; readonly name: FileName | undefined };

const askedFile = ({ links, clock }: FileRoutesNeeds, request: FastifyRequest): AskedFile => {
  const { id } = request.params as { readonly id: string }; // The path has it.
  const query = request.query as Readonly<Record<string, unknown>>; // As Fastify reads one.
  const file = fileIdOf(id);
  // A proxy in front of the server may have a scheme of its own, which is not meant for the link.
  const isByToken = isBearer(request) || query['link'] === undefined;
  if (isByToken) {
    const kind = fileKindOf(query['kind']);
    const isFile = file !== undefined && kind !== undefined;
    return { credentials: tokenIn(request), name: isFile ? { file, kind } : undefined };
  }
  const text = query['link'];
  const link = file !== undefined && typeof text === 'string' ? links.opened(text, file) : undefined;
  if (link === undefined)
    return { credentials: { kind: 'none', rejection: reject('FILE_NOT_FOUND') }, name: undefined };
  if (clock.now() >= link.expiresAt) {
    const rejection = reject('FILE_NOT_FOUND', 'the link has expired');
    return { credentials: { kind: 'none', rejection }, name: undefined };
  }
  return { credentials: { kind: 'link', link }, name: { file: link.file, kind: link.kind } };
};

/** For a body that the framework could not read. */
const unreadable = (error: unknown): Rejection => {
  const status = error instanceof Error && 'statusCode' in error ? error.statusCode : undefined;
  if (status === 413) return reject('TOO_LARGE', `a body has at most ${linkRequestBytesMax.toString()} bytes`);
  return reject('MALFORMED', 'send JSON');
};
