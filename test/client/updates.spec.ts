import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { UpdatesOverrun } from '../../src/client/errors.js';
import { updatesWaitingMax, updateSource } from '../../src/client/updates.js';
import type { Update } from '../../src/gen/updates.js';

const typing = (userId: bigint): Update => ({ chatTyping: { userId: userId as never, typing: true } });
const end = { done: true, value: undefined };

describe('updates', () => {
  it('come to every listener of their kind until it stops', () => {
    const updates = updateSource();
    const heard: bigint[] = [];
    const listener = ({ userId }: { readonly userId: bigint }) => heard.push(userId);
    const stop = updates.on('chatTyping', listener);
    updates.on('chatTyping', listener);
    updates.on('userStatus', () => assert.fail('this is none'));
    updates.emit(typing(1n));
    stop();
    stop();
    updates.emit(typing(2n));
    assert.deepEqual(heard, [1n, 1n, 2n]);
  });

  it('do not come to a listener that was added by the listener before it', () => {
    const updates = updateSource();
    let calls = 0;
    updates.on('chatTyping', () => updates.on('chatTyping', () => (calls += 1)));
    updates.emit(typing(1n));
    assert.equal(calls, 0);
  });

  it('go on when a listener throws, whose error comes out elsewhere', async (t) => {
    // The test runner listens for these as well, and would fail the test.
    const listeners = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    t.after(() => listeners.forEach((listener) => process.on('uncaughtException', listener)));
    const uncaught = once(process, 'uncaughtException');
    const updates = updateSource();
    const reader = updates[Symbol.asyncIterator]();
    let calls = 0;
    updates.on('chatTyping', () => {
      throw new Error('a bug');
    });
    updates.on('chatTyping', () => (calls += 1));
    updates.emit(typing(1n));
    assert.equal(calls, 1);
    assert.deepEqual(await reader.next(), { done: false, value: typing(1n) });
    assert.match(String((await uncaught)[0]), /a bug/);
  });

  it('are read in order by several iterators, each from its own beginning', async () => {
    const updates = updateSource();
    const first = updates[Symbol.asyncIterator]();
    updates.emit(typing(1n));
    const second = updates[Symbol.asyncIterator]();
    updates.emit(typing(2n));
    updates.end();
    assert.deepEqual(await rest(first), [typing(1n), typing(2n)]);
    assert.deepEqual(await rest(second), [typing(2n)]);
  });

  it('answer who asks several times at once, in turn', async () => {
    const updates = updateSource();
    const reader = updates[Symbol.asyncIterator]();
    const answers = [reader.next(), reader.next(), reader.next()];
    updates.emit(typing(1n));
    updates.emit(typing(2n));
    updates.end();
    const values = (await Promise.all(answers)).map(({ value }) => value);
    assert.deepEqual(values, [typing(1n), typing(2n), undefined]);
  });

  it('end for who begins to read after the end', async () => {
    const updates = updateSource();
    updates.end();
    updates.emit(typing(1n));
    assert.deepEqual(await updates[Symbol.asyncIterator]().next(), end);
  });

  it('end for a loop that is left, and for who still waits in it', async () => {
    const updates = updateSource();
    const reader = updates[Symbol.asyncIterator]();
    const waiting = reader.next();
    await reader.return?.();
    updates.emit(typing(1n));
    assert.deepEqual([await waiting, await reader.next()], [end, end]);
  });

  it('overrun who reads too slowly, after what was kept for them', async () => {
    const updates = updateSource();
    const reader = updates[Symbol.asyncIterator]();
    for (let count = 0; count <= updatesWaitingMax; count += 1) updates.emit(typing(BigInt(count)));
    for (let count = 0; count < updatesWaitingMax; count += 1)
      assert.deepEqual((await reader.next()).value, typing(BigInt(count)));
    await assert.rejects(reader.next(), UpdatesOverrun);
    assert.deepEqual(await reader.next(), end);
  });
});

const rest = async (reader: AsyncIterator<Update, undefined>): Promise<readonly Update[]> => {
  const updates: Update[] = [];
  for (let result = await reader.next(); result.done !== true; result = await reader.next()) updates.push(result.value);
  return updates;
};
