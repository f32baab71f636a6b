import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { serveCalls } from './helper.js';

/** Takes what comes and drops it: the least that any server has to do with an attacker's bytes. */
const server = createServer((socket) => {
  socket.on('error', () => undefined);
  socket.resume();
});

const calls = {
  listen: async (): Promise<number> => {
    server.listen({ port: 0, host: '127.0.0.1', backlog: backlogMax });
    await once(server, 'listening');
    return (server.address() as AddressInfo).port; // A TCP server that listens has an address of this kind.
  },
};

const backlogMax = 4_096;

export type SinkCalls = typeof calls;

serveCalls(calls);
