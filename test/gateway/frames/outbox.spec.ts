import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { it } from 'node:test';
import { flusher } from '../../../src/gateway/frames/flusher.js';
import { Outbox } from '../../../src/gateway/frames/outbox.js';
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
