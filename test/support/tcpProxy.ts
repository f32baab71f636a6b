import { once } from 'node:events';
import { createServer, Socket, type AddressInfo } from 'node:net';

/** Stands between clients and a server, and can part them. */
export interface TcpProxy {
  /** What the server's URL becomes. */
  readonly url: string;
  /** From now on the server gets all that it is sent, and nothing of what it answers comes back. */
  loseAnswers(): void;
  /** Cuts all connections and takes no more. */
  goAway(): Promise<void>;
  /** Takes connections again; answers come back on them. */
  comeBack(): Promise<void>;
  close(): Promise<void>;
}

export const tcpProxy = async (url: string): Promise<TcpProxy> => {
  const target = new URL(url);
  const sockets = new Set<Socket>();
  let answers = true;
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
    upstream.connect(Number(target.port), target.hostname);
    client.on('data', (bytes) => upstream.write(bytes));
    upstream.on('data', (bytes) => {
      if (answers) client.write(bytes);
    });
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
  const here = new URL(url);
  here.host = `127.0.0.1:${port.toString()}`;
  return {
    url: here.href,
    loseAnswers: () => {
      answers = false;
    },
    goAway,
    comeBack: () => {
      answers = true;
      return listen(port);
    },
    close: async () => {
      if (server.listening) await goAway();
    },
  };
};
