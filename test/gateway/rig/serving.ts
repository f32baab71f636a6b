import { channel } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import type { TestContext } from 'node:test';
import { WebSocket } from 'ws';
import { serve, type ServerNeeds } from '../../../src/gateway/sockets/server.js';

/** A server without a gateway behind it: WebSockets are taken and nothing is answered on them. */
export type Serving = {
  readonly port: number;
  /** The details of its warnings. */
  readonly warnings: readonly object[];
  /** The WebSockets that it has taken. */
  readonly taken: readonly WebSocket[];
  /** Of each that is taken, as limits count it. */
  readonly addresses: readonly string[];
  readonly close: () => Promise<void>;
};

export type ServingOptions = Partial<
  Pick<
    ServerNeeds,
    | 'host'
    | 'origins'
    | 'requestMillis'
    | 'readiness'
    | 'trustedProxies'
    | 'web'
    | 'httpConnectionsMax'
    | 'httpPerAddressMax'
  >
>;

export const serving = async (t: TestContext, options: ServingOptions = {}): Promise<Serving> => {
  const warnings: object[] = [];
  const taken: WebSocket[] = [];
  const addresses: string[] = [];
  const server = await serve({
    host: '127.0.0.1',
    port: 0,
    origins: [],
    trustedProxies: [],
    readiness: () => Promise.resolve({ ready: true }),
    logger: { debug: () => undefined, warn: (details: object) => warnings.push(details) },
    sockets: {
      accept: ({ socket, address }) => {
        taken.push(socket);
        addresses.push(address);
      },
      count: () => taken.length,
      signedOut: () => 0,
      bufferedBytes: () => 0,
      receivedBytes: () => 0,
      slowReaders: { fellBehind: () => undefined, forget: () => undefined },
      close: () => {
        for (const socket of taken) socket.terminate();
        return Promise.resolve();
      },
    },
    ...options,
  });
  t.after(() => server.close());
  return { port: server.port, warnings, taken, addresses, close: () => server.close() };
};

export type Opening = { readonly port: number; readonly origin?: string; readonly headers?: Record<string, string> };

/** Opens a WebSocket as a client or a page does; gives the status of the answer, 101 when it is open. */
export const opened = async (t: TestContext, { port, ...options }: Opening): Promise<number> => {
  const socket = new WebSocket(`ws://127.0.0.1:${port.toString()}`, options);
  t.after(() => {
    socket.terminate();
  });
  return new Promise((resolve, reject) => {
    socket.on('open', () => {
      resolve(101);
    });
    socket.on('unexpected-response', (_, { statusCode }) => {
      resolve(statusCode ?? 0);
    });
    socket.on('error', reject);
  });
};

/** Sends bytes as they are, and no end; gives all that comes until the server closes. */
export const exchanged = async (port: number, request: string): Promise<string> => {
  const socket = connect({ port, host: '127.0.0.1' });
  socket.write(request);
  return text(socket);
};

/** The lines of a request, and the empty one after them. */
export const head = (...lines: readonly string[]): string => [...lines, '', ''].join('\r\n');

export const upgrade = (...more: readonly string[]): string =>
  head(
    'GET / HTTP/1.1',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
    ...more,
  );

/** A connection that reads nothing and never ends by itself, and the other end of it in the server. */
export const held = async (
  t: TestContext,
  port: number,
): Promise<{ readonly client: Socket; readonly server: Socket }> => {
  const accepted = channel('net.server.socket');
  const client = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  client.pause();
  client.on('error', () => undefined);
  t.after(() => client.destroy());
  const server = await new Promise<Socket>((resolve) => {
    const look = (message: unknown): void => {
      // Node documents the messages of this channel.
      const { socket } = message as { readonly socket: Socket };
      if (socket.localPort !== port) return;
      accepted.unsubscribe(look);
      resolve(socket);
    };
    accepted.subscribe(look);
  });
  if (client.connecting) await once(client, 'connect');
  return { client, server };
};
