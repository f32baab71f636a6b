import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { openParts, slowCloseMillis, type ClosingPart } from '../../src/container/openParts.js';

const setting = () => {
  let now = 0;
  const slow: ClosingPart[] = [];
  const parts = openParts({ timers: { now: () => now }, slow: (closed) => slow.push(closed) });
  return { parts, slow, pass: (millis: number) => (now += millis) };
};

describe('the parts of a server', () => {
  it('are closed once, the last one first, one after another', async () => {
    const { parts, slow } = setting();
    const closed: string[] = [];
    for (const part of ['log', 'documents', 'sockets'])
      parts.add(part, () => {
        assert.equal(parts.closing()?.part, part);
        closed.push(part);
        return Promise.resolve();
      });
    await parts.close();
    await parts.close();
    assert.deepEqual([closed, slow, parts.closing()], [['sockets', 'documents', 'log'], [], undefined]);
  });

  it('tell which of them is waited for, and which took long', async () => {
    const { parts, slow, pass } = setting();
    let done: () => void = () => undefined;
    parts.add('log', () => Promise.resolve());
    parts.add('documents', () => new Promise((resolve) => (done = resolve)));
    const closing = parts.close();
    pass(slowCloseMillis + 1);
    assert.deepEqual(parts.closing(), { part: 'documents', millis: slowCloseMillis + 1 });
    done();
    await closing;
    assert.deepEqual(slow, [{ part: 'documents', millis: slowCloseMillis + 1 }]);
  });
});
