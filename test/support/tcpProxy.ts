import { proxyServer, type ProxyServer } from './proxyServer.js';

/** Stands between clients and a server, and can part them. */
export interface TcpProxy extends ProxyServer {
  /** What the server's URL becomes. */
  readonly url: string;
  /** From now on the server gets all that it is sent, and nothing of what it answers comes back. */
  loseAnswers(): void;
  /** Takes connections again; answers come back on them. */
  comeBack(): Promise<void>;
}

export const tcpProxy = async (url: string): Promise<TcpProxy> => {
  const { hostname: host, port } = new URL(url);
  let answers = true;
  const server = await proxyServer({
    target: { host, port: Number(port) },
    relay: (client, upstream) => {
      client.on('data', (bytes) => upstream.write(bytes));
      upstream.on('data', (bytes) => {
        if (answers) client.write(bytes);
      });
    },
  });
  const here = new URL(url);
  here.host = server.address;
  return {
    ...server,
    url: here.href,
    loseAnswers: () => {
      answers = false;
    },
    comeBack: () => {
      answers = true;
      return server.comeBack();
    },
  };
};
