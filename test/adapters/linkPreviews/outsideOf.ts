import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer, type ServerOptions } from 'node:https';
import { connect, type AddressInfo } from 'node:net';
import type { Outside } from '../../../src/adapters/linkPreviews/outside.js';
import { handTimers, type HandTimers } from '../../support/handTimers.js';

/** A public address, to which nobody connects in a test. */
export const somewhere = '93.184.216.34';

/** An outside in this process: each name leads to `names`, otherwise to `somewhere`, and each connection to one server. */
export type SmallOutside = {
  readonly outside: Outside;
  readonly timers: HandTimers;
  /** The names that were looked up. */
  readonly resolved: string[];
  /** The addresses with their ports that connections were opened to. */
  readonly connected: string[];
  readonly asked: string[];
  readonly close: () => Promise<void>;
};

export type Given = {
  readonly names?: Readonly<Record<string, readonly string[]>>;
  /** Addresses of the machine on which the server runs. */
  readonly own?: readonly string[];
  readonly tls?: ServerOptions & { readonly authorities: readonly string[] };
};

export const outsideOf = async (
  answer: RequestListener,
  { names = {}, own = [], tls }: Given = {},
): Promise<SmallOutside> => {
  const [resolved, connected, asked]: string[][] = [[], [], []];
  const listener: RequestListener = (request, response) => {
    asked?.push(`${request.headers.host ?? ''}${request.url ?? ''}`);
    answer(request, response);
  };
  const server: Server = tls === undefined ? createServer(listener) : createTlsServer(tls, listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const timers = handTimers();
  return {
    timers,
    resolved: resolved ?? [],
    connected: connected ?? [],
    asked: asked ?? [],
    outside: {
      timers,
      resolve: async (name) => {
        resolved?.push(name);
        return names[name] ?? [somewhere];
      },
      connect: (addresses, to) => {
        connected?.push(`${addresses.join(' ')}:${to.toString()}`);
        return connect(port, '127.0.0.1');
      },
      own: () => own,
      ...(tls === undefined ? {} : { authorities: tls.authorities }),
    },
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
};
