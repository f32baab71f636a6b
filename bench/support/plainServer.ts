import type { IncomingMessage } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { open, type Database } from 'lmdb';
import { WebSocketServer, type WebSocket } from 'ws';
import { serveCalls } from './helper.js';
import { memoryOfProcess } from './memory.js';

/**
 * What no server that sends WebSocket messages can do without, and nothing else: it writes frames that were made
 * beforehand to every socket, and, as a relay, puts each message on the disk before that.
 */
type Frames = { readonly one: Buffer; readonly many: Buffer; readonly perWrite: number };

/**
 * How frames come into one write. `coalesced`: each message is queued for each connection as it comes, and once per tick
 * a connection's queue is written as one; as all wait for the same frames, they are put together once. `ready`: the same
 * bytes, that stand ready before anything is sent, go to everybody, which no server of messages can do.
 */
export type Way = 'coalesced' | 'ready';

/** A connection, and what waits for it. */
type Peer = { readonly stream: Socket; readonly queue: Buffer[] };

const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false });
const peers = new Set<Peer>();
let way: Way = 'coalesced';
let frames: Frames = { one: Buffer.alloc(0), many: Buffer.alloc(0), perWrite: 1 };
let allowed = 0;
let scheduled = false;
let disk: Database<Buffer, number> | undefined;
let relayed = 0;

server.on('connection', (socket: WebSocket, { socket: stream }: IncomingMessage) => {
  const peer: Peer = { stream, queue: [] };
  peers.add(peer);
  stream.setNoDelay(true);
  socket.on('message', (message) => {
    void relay(message as Buffer); // With the default binary type a message is one Buffer.
  });
  socket.on('close', () => peers.delete(peer));
});

const relay = async (message: Buffer): Promise<void> => {
  relayed += 1;
  await disk?.put(relayed, message);
  for (const { stream } of peers) stream.write(frames.one);
};

const writeAll = (): void => {
  scheduled = false;
  if (allowed < frames.perWrite) return;
  allowed -= frames.perWrite;
  if (way === 'ready') for (const { stream } of peers) stream.write(frames.many);
  else {
    for (let message = 0; message < frames.perWrite; message += 1) queueForAll(Buffer.from(frames.one));
    flushAll();
  }
  schedule();
};

const queueForAll = (frame: Buffer): void => {
  for (const { queue } of peers) queue.push(frame);
};

const flushAll = (): void => {
  let last: readonly Buffer[] = [];
  let bytes = Buffer.alloc(0);
  for (const { stream, queue } of peers) {
    if (!isSame(queue, last)) {
      last = [...queue];
      bytes = Buffer.concat(last);
    }
    queue.length = 0;
    stream.write(bytes);
  }
};

const isSame = (queue: readonly Buffer[], other: readonly Buffer[]): boolean => {
  if (queue.length !== other.length) return false;
  for (let index = 0; index < queue.length; index += 1) if (queue[index] !== other[index]) return false;
  return true;
};

const schedule = (): void => {
  if (scheduled) return;
  scheduled = true;
  setImmediate(writeAll);
};

const frameOf = (payloadBytes: number): Buffer => {
  const header = payloadBytes < 126 ? Buffer.of(0x82, payloadBytes) : Buffer.of(0x82, 126, 0, 0);
  if (payloadBytes >= 126) header.writeUInt16BE(payloadBytes, 2);
  return Buffer.concat([header, Buffer.alloc(payloadBytes, 0x20)]);
};

const calls = {
  port: async (): Promise<number> => {
    // It listens on a TCP port, whose address is of this kind.
    if (server.address() === null) await new Promise((resolve) => server.once('listening', resolve));
    return (server.address() as AddressInfo).port;
  },
  /** Makes the frames. */
  prepare: (what: { readonly payloadBytes: number; readonly perWrite: number; readonly way: Way }): void => {
    const { payloadBytes, perWrite } = what;
    way = what.way;
    const one = frameOf(payloadBytes);
    frames = { one, many: Buffer.concat(Array.from({ length: perWrite }, () => one)), perWrite };
    allowed = 0;
  },
  /** So many more messages may be sent to everybody, as many in one write as was prepared. */
  allow: ({ messages }: { readonly messages: number }): void => {
    allowed += messages;
    schedule();
  },
  memory: memoryOfProcess,
  /** From here on whatever is received is stored before it is sent on. */
  store: ({ folder }: { readonly folder: string }): void => {
    disk = open({ path: folder, encoding: 'binary', keyEncoding: 'uint32', overlappingSync: false });
  },
};

export type PlainCalls = typeof calls;

serveCalls(calls);
