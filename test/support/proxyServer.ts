import { once } from 'node:events';
import { createServer, Socket, type AddressInfo } from 'node:net';

/** Takes connections in the place of a server, and can be gone as a whole. */
export interface ProxyServer {
  /** Where it is, as `127.0.0.1:PORT`. */
  readonly address: string;
  /** Cuts all connections and takes no more. */
  goAway(): Promise<void>;
  comeBack(): Promise<void>;
  close(): Promise<void>;
}

export type ProxyServerNeeds = {
  readonly target: { readonly host: string; readonly port: number };
  /** What goes from one side to the other. When one of them ends, so does the other. */
  readonly relay: (client: Socket, upstream: Socket, address: string) => void;
};

export const proxyServer = async ({ target, relay }: ProxyServerNeeds): Promise<ProxyServer> => {
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = new Socket();
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      // What a cut connection says is what the test is about.
      socket.on('error', () => undefined);
      socket.on('close', () => {
        sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    upstream.connect(target);
    relay(client, upstream, address);
  });
  const listen = async (port: number): Promise<void> => {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
  };
  const goAway = async (): Promise<void> => {
    const closed = once(server, 'close');
    server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  await listen(0);
  const { port } = server.address() as AddressInfo; // It listens on a port, not on a pipe.
  const address = `127.0.0.1:${port.toString()}`;
  return {
    address,
    goAway,
    comeBack: () => listen(port),
    close: async () => {
      if (server.listening) await goAway();
    },
  };
};
