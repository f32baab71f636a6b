import type { RequestListener, Server } from 'node:http';
import type { FastifyHttpOptions } from 'fastify';
import { httpConnections, type HttpConnections, type HttpConnectionsOptions } from './httpConnections.js';
import { timeouts } from './timeouts.js';
import { serverBehindProxies, trustedAmong } from './trustedProxies.js';

export type HttpServerOptions = HttpConnectionsOptions & {
  readonly requestMillis: number;
  /** Addresses and networks of proxies that may say for whom they connect. Default: none. */
  readonly trustedProxies?: readonly string[];
};

/** Fastify's options for a port, with bounds on its connections, in number and in time; and these connections. */
export const httpServer = (
  options: HttpServerOptions,
): { readonly fastifyOptions: FastifyHttpOptions<Server>; readonly connections: HttpConnections } => {
  const { requestMillis, trustedProxies = [] } = options;
  const connections = httpConnections(options);
  const limits = timeouts(requestMillis);
  const isTrusted = trustedAmong(trustedProxies);
  const serverFactory = (handler: RequestListener): Server => {
    const server = serverBehindProxies(handler, {
      isTrusted,
      headerMillisMax: requestMillis,
      options: limits.http ?? {},
      begun: (connection) => {
        const { remoteAddress = '' } = connection;
        if (!isTrusted(remoteAddress)) connections.from(connection, remoteAddress);
      },
    });
    // Before the header of a proxy, which may never come.
    server.prependListener('connection', connections.enter);
    server.on('request', (request, answer) => {
      connections.asks(request.socket, answer);
    });
    // Fastify sets these only on servers of its own making.
    const { keepAliveTimeout, requestTimeout, connectionTimeout } = limits;
    Object.assign(server, { keepAliveTimeout, requestTimeout });
    return server.setTimeout(connectionTimeout);
  };
  // Fastify takes the address from X-Forwarded-For. Without the setting that is not believed.
  const trustProxy = trustedProxies.length > 0 && [...trustedProxies];
  return { fastifyOptions: { ...limits, trustProxy, serverFactory }, connections };
};
