import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { WaitingFrames } from '../../../src/gateway/sockets/waitingFrames.js';

/** A frame of so many bytes, which differs from its neighbours. */
const frame = (length: number, index: number): Uint8Array => new Uint8Array(length).fill(index % 251);

const lengths = [2, 0, 1, 300, 4_095, 4_096, 2, 70_000, 1_000, 1_000, 4_095, 4_095, 4_095, 4_095, 4_095, 5];

describe('frames that wait', () => {
  it('come out as they came in, of any length, also while others are added', () => {
    const waiting = new WaitingFrames();
    const all = [...lengths, ...lengths, ...lengths].map(frame);
    const out: (Uint8Array | undefined)[] = [];
    for (const [index, one] of all.entries()) {
      waiting.add(one);
      if (index % 3 === 0) out.push(waiting.shift());
    }
    while (!waiting.isEmpty) out.push(waiting.shift());
    assert.deepEqual(out, all);
    assert.deepEqual([waiting.shift(), waiting.bytes], [undefined, 0]);
  });

  it('take little more memory than their bytes, and none of what they came in', () => {
    const waiting = new WaitingFrames();
    const read = new Uint8Array(65_536);
    for (let sent = 0; sent < 8_000; sent += 1) waiting.add(read.subarray(sent * 8, sent * 8 + 2));
    assert.equal(waiting.bytes, 32_000);
    const first = waiting.shift();
    assert.deepEqual([first?.length, first?.buffer.byteLength], [2, 2]);
  });

  it('are forgotten at once', () => {
    const waiting = new WaitingFrames();
    waiting.add(frame(3, 1));
    waiting.clear();
    waiting.add(frame(4, 2));
    assert.deepEqual([waiting.shift(), waiting.isEmpty], [frame(4, 2), true]);
  });
});
