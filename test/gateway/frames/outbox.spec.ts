import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { it } from 'node:test';
import { flusher } from '../../../src/gateway/frames/flusher.js';
import { Outbox } from '../../../src/gateway/frames/outbox.js';
import { sharedBytesMax } from '../../../src/gateway/frames/writeBuffers.js';
import { encodeResult } from '../../../src/wire/envelope.js';

/** A socket of which so many bytes wait after each write. */
const toldBy = (waiting: number): readonly string[] => {
  const told: string[] = [];
  const socket = { writableLength: 0, write: () => (socket.writableLength = waiting) };
  const owner = {
    cut: () => void told.push('cut'),
    fellBehind: () => void told.push('fell behind'),
    tookAtOnce: () => void told.push('took at once'),
  };
  const flushing = flusher();
  // Nothing else of a socket is asked for.
  const outbox = new Outbox({ readyState: 1 }, socket as unknown as Socket, flushing, owner);
  outbox.send(encodeResult(7, {}));
  flushing.flush(outbox);
  return told;
};

it('an outbox tells whether the socket took a write at once, of which no drain tells', () => {
  assert.deepEqual([toldBy(0), toldBy(100)], [['took at once'], ['fell behind']]);
});

it('an outbox writes a long answer as it is, in one write with all that goes before and behind it', () => {
  const done: (string | Uint8Array)[] = [];
  const socket = {
    writableLength: 0,
    write: (piece: Uint8Array) => void done.push(piece),
    cork: () => void done.push('cork'),
    uncork: () => void done.push('uncork'),
  };
  const flushing = flusher();
  const owner = { cut: nothing, fellBehind: nothing, tookAtOnce: nothing };
  // Nothing else of a socket is asked for.
  const outbox = new Outbox({ readyState: 1 }, socket as unknown as Socket, flushing, owner);
  const long = encodeResult(2, { filePart: { data: new Uint8Array(sharedBytesMax) } });
  for (const body of [encodeResult(1, {}), long, encodeResult(3, {})]) outbox.send(body);
  flushing.flush(outbox);
  assert.deepEqual([done.length, done[0], done.at(-1)], [5, 'cork', 'uncork']);
  assert.equal(done[2], long);
});

const nothing = (): void => undefined;
