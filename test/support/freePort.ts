import { createServer } from 'node:net';

/**
 * Below those that the system gives to outgoing connections: who tries again and again to reach a port of those where
 * nobody listens is some day connected to itself, and the server cannot have its port any more.
 */
const portMin = 15_000;
const portMax = 30_000;

/** A port on which nobody listens now, to start servers on one after the other. */
export const freePort = async (): Promise<number> => {
  for (;;) {
    const port = portMin + Math.floor(Math.random() * (portMax - portMin));
    if (await canListen(port)) return port;
  }
};

const canListen = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => {
      resolve(false);
    });
    server.listen(port, '127.0.0.1', () => {
      server.close(() => {
        resolve(true);
      });
    });
  });
