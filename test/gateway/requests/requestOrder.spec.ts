import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { requestOrder } from '../../../src/gateway/requests/requestOrder.js';
import type { RequestOrdering } from '../../../src/gateway/contract/rpcPolicy.js';

/** Work that is under way until it is told to end, and what has begun so far. */
const day = () => {
  const taken = requestOrder();
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  const all: Promise<void>[] = [];
  const ask = (kind: RequestOrdering, name: string): void => {
    const work = (): Promise<void> => {
      begun.push(name);
      return new Promise((resolve) => ends.set(name, resolve));
    };
    all.push(taken.take(kind, work));
  };
  const end = async (name: string): Promise<void> => {
    ends.get(name)?.();
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { ask, begun, end, taken, all };
};

describe('the requests of one connection', () => {
  it('begin at once when nothing is under way', () => {
    const { ask, begun } = day();
    ask('alone', 'join');
    assert.deepEqual(begun, ['join']);
  });

  it('see what those before them did', async () => {
    const { ask, begun, end } = day();
    ask('alone', 'join');
    ask('read', 'list');
    assert.deepEqual(begun, ['join']);
    await end('join');
    assert.deepEqual(begun, ['join', 'list']);
  });

  it('go side by side when they are of one kind', () => {
    const { ask, begun } = day();
    ask('send', 'one');
    ask('send', 'two');
    assert.deepEqual(begun, ['one', 'two']);
  });

  it('go aside behind those before them, and hold nothing up', async () => {
    const { ask, begun, end } = day();
    ask('send', 'one');
    ask('aside', 'press');
    ask('alone', 'leave');
    assert.deepEqual(begun, ['one']);
    await end('one');
    assert.deepEqual(new Set(begun), new Set(['one', 'press', 'leave']));
    await end('leave');
    ask('read', 'list');
    assert.equal(begun.at(-1), 'list');
  });

  it('do not overtake one that waits', async () => {
    const { ask, begun, end } = day();
    ask('send', 'one');
    ask('alone', 'leave');
    ask('send', 'two');
    assert.deepEqual(begun, ['one']);
    await end('one');
    assert.deepEqual(begun, ['one', 'leave']);
    await end('leave');
    assert.deepEqual(begun, ['one', 'leave', 'two']);
  });

  it('wait for all that share the turn before', async () => {
    const { ask, begun, end } = day();
    ask('read', 'one');
    ask('read', 'two');
    ask('alone', 'edit');
    await end('two');
    assert.deepEqual(begun, ['one', 'two']);
    await end('one');
    assert.deepEqual(begun, ['one', 'two', 'edit']);
  });

  it('go on after one that failed', async () => {
    const { taken } = day();
    await assert.rejects(taken.take('alone', () => Promise.reject(new Error('no'))));
    assert.equal(await taken.take('alone', () => Promise.resolve('yes')), 'yes');
  });
});
