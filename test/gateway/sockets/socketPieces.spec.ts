import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { WebSocket, WebSocketServer } from 'ws';
import { pieceBytesMax, readInPieces } from '../../../src/gateway/sockets/socketPieces.js';

const shortest = Buffer.of(0x82, 0x82, 0, 0, 0, 0, 0x08, 0x01);
const floodFrames = 8_000;
const flood = Buffer.concat(Array.from({ length: floodFrames }, () => shortest));

/** A WebSocket at both ends, of which the near one is read in pieces. */
const ends = async (t: TestContext) => {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  const client = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port.toString()}`);
  t.after(() => {
    client.terminate();
    server.close();
  });
  // The emitter's types say nothing of its arguments.
  const [[socket, { socket: stream }]] = (await Promise.all([once(server, 'connection'), once(client, 'open')])) as [
    [WebSocket, IncomingMessage],
    [],
  ];
  readInPieces(stream, socket);
  const messages: number[] = [];
  const pieces: number[] = [];
  socket.on('message', (data: Buffer) => void messages.push(data.length));
  stream.on('data', (piece: Buffer) => void pieces.push(piece.length));
  const far = (client as unknown as { readonly _socket: Socket })._socket; // Declared nowhere.
  return { client, far, socket, stream, messages, pieces };
};

const sum = (numbers: readonly number[]): number => numbers.reduce((one, other) => one + other, 0);

const until = async (holds: () => boolean): Promise<void> => {
  while (!holds()) await new Promise(setImmediate);
};

describe('bytes from a socket', { timeout: 10_000 }, () => {
  it('are looked at in pieces, none behind a pause, and each once', async (t) => {
    const { far, socket, stream, messages, pieces } = await ends(t);
    stream.on('data', () => {
      socket.pause();
    });
    far.write(flood);
    const inPiece = pieceBytesMax / shortest.length;
    for (let piece = 1; piece <= 5; piece += 1) {
      await until(() => pieces.length === piece && stream.readableLength > 0);
      for (let round = 0; round < 3; round += 1) await new Promise(setImmediate);
      assert.deepEqual([pieces.length, messages.length], [piece, piece * inPiece]);
      socket.resume();
    }
    stream.removeAllListeners('data').on('data', () => undefined);
  });

  it('come whole to their reader', async (t) => {
    const { far, messages, pieces } = await ends(t);
    far.write(flood);
    await until(() => messages.length === floodFrames);
    assert.equal(sum(pieces), flood.length);
    assert.ok(Math.max(...pieces) <= pieceBytesMax);
  });

  it('are one piece where they are payload of a long message', async (t) => {
    const { client, messages, pieces } = await ends(t);
    const long = Buffer.alloc(1_048_576, 1);
    client.send(long);
    client.send(Buffer.alloc(3));
    await until(() => messages.length === 2);
    assert.deepEqual(messages, [long.length, 3]);
    assert.ok(pieces.length < long.length / pieceBytesMax / 4, pieces.length.toString());
  });

  it('are not looked at any more once the socket is destroyed', async (t) => {
    const { far, socket, stream, messages } = await ends(t);
    stream.once('data', () => {
      socket.pause();
    });
    far.write(flood);
    await until(() => messages.length > 0 && stream.readableLength > pieceBytesMax);
    const before = messages.length;
    stream.destroy();
    await once(socket, 'close');
    assert.equal(messages.length, before);
  });
});
