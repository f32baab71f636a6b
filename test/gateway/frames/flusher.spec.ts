import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { coalesceMillisMax, flusher, type Flushable } from '../../../src/gateway/frames/flusher.js';

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

  it('is over with its last write, also one that took long, and lets the next one wait', async () => {
    const done: string[] = [];
    const flushing = flusher();
    let endedAt = 0;
    flushing.add({
      flush: () => {
        setImmediate(() => done.push('other work'));
        for (const until = performance.now() + 20; performance.now() < until;);
        endedAt = performance.now();
      },
    });
    await flushing.settled();
    done.push('settled');
    const rested = new Promise<number>((resolve) => {
      flushing.add({
        flush: () => {
          resolve(performance.now() - endedAt);
        },
      });
    });
    // A timer counts whole milliseconds, and may be early by one more.
    assert.ok((await rested) >= coalesceMillisMax - 2);
    assert.deepEqual(done, ['settled', 'other work']);
  });
});
