import type { Server } from 'node:http';
import type { Duplex } from 'node:stream';
import type { FastifyHttpOptions } from 'fastify';

/** How long a request over HTTP may take to arrive, headers and body. Later it is answered with 408 and cut off. */
export const requestMillisMax = 10_000;

/**
 * How long a connection may stay open after an answer. Proxies keep theirs for a minute, and one that is closed here
 * first would cost the proxy the request that it is just about to send.
 */
export const keepAliveMillisMax = 72_000;

/** Fastify's options. None of them holds for a connection that has become a WebSocket. */
export const timeouts = (
  requestMillis: number,
): Pick<FastifyHttpOptions<Server>, 'requestTimeout' | 'keepAliveTimeout' | 'connectionTimeout' | 'http'> => ({
  requestTimeout: requestMillis,
  keepAliveTimeout: keepAliveMillisMax,
  // Ends connections whose clients do not take their answers, which no other timeout sees. It is longer than the others,
  // so that those still answer with 408.
  connectionTimeout: Math.ceil(requestMillis * 1.5),
  http: {
    requestTimeout: requestMillis,
    headersTimeout: requestMillis,
    // Node looks for late requests only so often.
    connectionsCheckingInterval: Math.ceil(requestMillis / 5),
  },
});

/**
 * Destroys connections that have asked for a WebSocket and have none after so many milliseconds, because Node does not
 * look after them any more: those that asked while an earlier request waited for its answer are never answered.
 * Gives a function to call with the connection of each WebSocket.
 */
export const upgradeDeadline = (server: Server, millis: number): ((connection: Duplex) => void) => {
  const deadlines = new WeakMap<Duplex, () => void>();
  // Before the listener that opens the WebSocket, which may do so at once.
  server.prependListener('upgrade', (_, connection) => {
    const timer = setTimeout(() => connection.destroy(), millis);
    const over = (): void => {
      clearTimeout(timer);
      connection.off('close', over);
      deadlines.delete(connection);
    };
    connection.once('close', over);
    deadlines.set(connection, over);
  });
  return (connection) => {
    deadlines.get(connection)?.();
  };
};
