import { mkdir, open, readFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { WebSocketServer, type WebSocket } from 'ws';
import { serveCalls } from './helper.js';
import { plainKind, plainRequestBytes } from './plainParts.js';

/** What no server that takes files over WebSocket can do without: each part is a file that is on the disk when it is answered. */
const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false });
let folder = '';
let connections = 0;

server.on('connection', (socket) => {
  connections += 1;
  const own = connections;
  socket.on('message', (message: Buffer) => {
    const path = join(folder, `${own.toString()}-${message.readUInt32BE(1).toString()}`);
    void (message[0] === plainKind.store ? store(socket, path, message) : load(socket, path, message));
  });
});

const store = async (socket: WebSocket, path: string, message: Buffer): Promise<void> => {
  const file = await open(path, 'w', 0o600);
  await file.writeFile(message.subarray(plainRequestBytes));
  await file.sync();
  await file.close();
  socket.send(message.subarray(0, plainRequestBytes));
};

const load = async (socket: WebSocket, path: string, message: Buffer): Promise<void> => {
  socket.send(Buffer.concat([message.subarray(0, plainRequestBytes), await readFile(path)]));
};

const calls = {
  listen: async (where: { readonly folder: string }): Promise<number> => {
    folder = where.folder;
    await mkdir(folder, { recursive: true });
    // It listens on a TCP port, whose address is of this kind.
    if (server.address() === null) await new Promise((resolve) => server.once('listening', resolve));
    return (server.address() as AddressInfo).port;
  },
};

export type PlainFilesCalls = typeof calls;

serveCalls(calls);
