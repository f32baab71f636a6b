import type { AddressInfo, Socket } from 'node:net';
import websocket, { type WebsocketPluginOptions } from '@fastify/websocket';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { WebSocket } from 'ws';
import type { Logger } from 'pino';
import { closeAnswerMillisMax, signedOutMessageBounds } from './connection.js';
import {
  listensOnLoopback,
  mayAsk,
  mayConnect,
  originHeadersOf,
  refusalReport,
  type OriginHeaders,
} from './origins.js';
import type { Connections } from './connections.js';
import { noSchemas } from './noSchemas.js';
import type { HttpConnectionsOptions } from './httpConnections.js';
import { httpServer } from './httpServer.js';
import { pieceBytesMax } from './socketPieces.js';
import { requestMillisMax, upgradeDeadline } from './timeouts.js';
import type { MessageBounds } from './webSocketInside.js';
import { rememberedReadiness, type Readiness } from '../operations/health.js';
import { clientAddress } from './trustedProxies.js';

/** Where clients connect: the protocol's own path, and one that some clients were written for. */
export const gatewayPaths = ['/', '/api/v1/gateway'] as const;

export type ServerNeeds = HttpConnectionsOptions & {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Origins of pages that may connect besides the server's own; see `OriginRules`. */
  readonly origins: readonly string[];
  readonly sockets: Connections;
  /** Addresses and networks of proxies that may say for whom they connect. */
  readonly trustedProxies: readonly string[];
  readonly readiness: () => Promise<Readiness>;
  readonly logger: Pick<Logger, 'debug' | 'warn'>;
  /** Default: WebSockets alone. */
  readonly web?: WebRoutes;
  /** Default: `requestMillisMax`. */
  readonly requestMillis?: number;
};

/** Pages and files over plain HTTP, beside the verdicts on this server. */
export type WebRoutes = {
  /** As the routes name them: pages of strangers are refused there, as they are refused a WebSocket. */
  readonly pagePaths: readonly (string | undefined)[];
  readonly routes: (routes: FastifyInstance) => void;
  /** Answers a browser that comes to the address of the WebSocket. False: nobody who can be shown a page asks. */
  readonly frontPage: (request: FastifyRequest, reply: FastifyReply) => boolean;
};

export interface Server {
  readonly port: number;
  /** Accepts no more connections, then closes those that there are with 1012 once their requests are answered. */
  close(): Promise<void>;
}

type SocketOptions = NonNullable<WebsocketPluginOptions['options']> &
  MessageBounds & { readonly closeTimeout: number; readonly maxPendingAutoPongs: number };

const socketOptions: SocketOptions = {
  // A connection takes more once it has a session.
  ...signedOutMessageBounds,
  // Answers are written below the library, which could not be with compression.
  perMessageDeflate: false,
  // The library's defaults, stated because memory and order rely on them: a client that pings and does not read is cut.
  autoPong: true,
  maxPendingAutoPongs: 60,
  skipUTF8Validation: false,
  allowSynchronousEvents: true,
  // No client of the protocol offers one; by default the library would take the first that is offered.
  handleProtocols: () => false,
  // Newer than the library's types.
  closeTimeout: closeAnswerMillisMax,
};

/** Throws when the address cannot be listened on. */
export const serve = async (needs: ServerNeeds): Promise<Server> => {
  const requestMillis = needs.requestMillis ?? requestMillisMax;
  const { fastifyOptions, connections } = httpServer({ ...needs, requestMillis });
  const app = fastify({ forceCloseConnections: true, ...noSchemas, ...fastifyOptions });
  refuseEarlyFrames(app.server);
  const upgraded = upgradeDeadline(app.server, requestMillis);
  await app.register(websocket, {
    options: socketOptions,
    // The library has answered with the right close code already; its default here would cut that answer off.
    errorHandler: (error) => {
      needs.logger.debug({ err: error }, 'a connection failed');
    },
    preClose: (done) => {
      needs.sockets.close().then(() => {
        done();
      }, done);
    },
  });
  app.addHook('preClose', (done) => {
    connections.close();
    done();
  });
  refuseStrangers(app, needs);
  await app.register((routes: FastifyInstance) => {
    const isWebSocket = (connection: Socket): void => {
      upgraded(connection);
      connections.leave(connection);
    };
    gatewayRoutes(routes, { ...needs, isWebSocket });
    operationRoutes(routes, needs);
    needs.web?.routes(routes);
  });
  await app.listen({ host: needs.host, port: needs.port });
  // A TCP server that listens has an address of this kind.
  const { port } = app.server.address() as AddressInfo;
  return { port, close: () => app.close() };
};

/** Clients send frames once they have the answer (RFC 6455, 4.1). These would be looked at before anything is known of them, in one piece. */
const refuseEarlyFrames = (server: FastifyInstance['server']): void => {
  server.prependListener('upgrade', (_, connection, head) => {
    if (head.length > pieceBytesMax) connection.destroy();
  });
};

/** Answered under any name, because supervisors and proxies ask by addresses and names of their own. */
const openPaths: readonly (string | undefined)[] = ['/healthz', '/readyz'];

const refuseStrangers = (app: FastifyInstance, { origins, logger, web }: ServerNeeds): void => {
  const report = refusalReport({
    warn: (details, message) => {
      logger.warn(details, message);
    },
    now: () => performance.now(),
  });
  const isWelcome = ({ ws, routeOptions }: FastifyRequest, headers: OriginHeaders): boolean => {
    const rules = { origins, onLoopback: listensOnLoopback(app.server) };
    if (ws) return mayConnect(rules, headers);
    if (openPaths.includes(routeOptions.url)) return true;
    const isForPages = web?.pagePaths.includes(routeOptions.url) === true;
    return mayAsk(rules, headers.hosts) && (!isForPages || mayConnect(rules, headers));
  };
  app.addHook('onRequest', (request, reply, done) => {
    const asked = originHeadersOf(request.raw);
    if (isWelcome(request, asked)) {
      done();
      return;
    }
    report(asked);
    // The connection of a refused upgrade is destroyed after the answer in any case, and a stranger's is not worth keeping.
    void reply.code(403).header('connection', 'close').send({ error: refusal });
  });
};

const refusal =
  'pages of other origins and names that are not this machine’s own are refused here; to allow a page, put its origin, ' +
  'such as https://chat.example, into OSMIUM_ORIGINS and start the server again';

type GatewayRoutesNeeds = Pick<ServerNeeds, 'sockets' | 'logger' | 'web'> & {
  readonly isWebSocket: (connection: Socket) => void;
};

const gatewayRoutes = (routes: FastifyInstance, { sockets, logger, isWebSocket, web }: GatewayRoutesNeeds): void => {
  const failed = (err: Error): void => {
    logger.debug({ err }, 'a connection failed');
  };
  for (const url of gatewayPaths) {
    routes.route({
      method: 'GET',
      url,
      handler: (request, reply) =>
        url === '/' && web?.frontPage(request, reply) === true
          ? reply
          : reply.code(426).header('upgrade', 'websocket').send({ error: 'connect with a WebSocket' }),
      preHandler: letGoOfAnswer,
      wsHandler: (socket: WebSocket, request: FastifyRequest) => {
        // The plugin's own listener would keep the request, its headers and its answer for as long as the connection lasts.
        socket.removeAllListeners('error').on('error', failed);
        isWebSocket(request.raw.socket);
        sockets.accept({ socket, stream: request.raw.socket, address: clientAddress(request.ip, request.raw.socket) });
      },
    });
  }
};

/** A socket knows the answer that is written to it. Of an upgrade there is none, and some 3 KB would stay in memory. */
const letGoOfAnswer = (request: FastifyRequest, reply: FastifyReply, done: () => void): void => {
  if (request.ws) reply.raw.detachSocket(request.raw.socket);
  done();
};

/** The verdict alone: details and metrics are the operator's, at a port of their own and at the operator's door. */
const operationRoutes = (routes: FastifyInstance, needs: ServerNeeds): void => {
  const readiness = rememberedReadiness(needs.readiness, () => performance.now());
  routes.get('/healthz', () => ({ ok: true }));
  routes.get('/readyz', async (_, reply) => {
    const state = await readiness();
    return reply.code(state.ready ? 200 : 503).send(state);
  });
};
