import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { flusher, type Flushable } from '../../../src/gateway/frames/flusher.js';

describe('a flush', () => {
  it('lets others have the thread after each write that took long, and goes on behind them', async () => {
    const done: string[] = [];
    const flushing = flusher();
    const slow = (name: string): Flushable => ({
      flush: () => {
        done.push(name);
        setImmediate(() => done.push(`other work after ${name}`));
        for (const until = performance.now() + 20; performance.now() < until;);
      },
    });
    for (const name of ['first', 'second']) flushing.add(slow(name));
    await flushing.settled();
    assert.deepEqual(done.slice(0, 3), ['first', 'other work after first', 'second']);
  });
});
