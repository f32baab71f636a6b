import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sharedTurns, type SharedTurns } from '../../../../src/gateway/packages/reactions/sharedTurns.js';
import { deferred } from '../../../../src/kernel/timing.js';

/** Work that is seen to begin, and that ends when it is told to. */
const works = (turns: SharedTurns) => {
  const begun: string[] = [];
  const start = (how: 'share' | 'alone', name: string, key = 'key') => {
    const { promise, resolve, reject } = deferred<string>();
    const ended = turns[how](key, () => {
      begun.push(name);
      return promise;
    });
    return { ended, end: () => (resolve(name), ended), fail: () => (reject(new Error(name)), ended) };
  };
  return { begun, start };
};
/** Until everything that can begin has begun. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('turns that are shared or alone', () => {
  it('share with each other', async () => {
    const { begun, start } = works(sharedTurns());
    const all = [start('share', 'one'), start('share', 'two')];
    assert.deepEqual(begun, ['one', 'two']);
    assert.deepEqual(await Promise.all(all.map(({ end }) => end())), ['one', 'two']);
  });
  it('come one after the other where they are alone, and keep back what comes later', async () => {
    const { begun, start } = works(sharedTurns());
    const one = start('share', 'one');
    const two = start('alone', 'two');
    const three = start('share', 'three');
    const four = start('alone', 'four');
    const five = start('share', 'five');
    await settled();
    assert.deepEqual(begun, ['one']);
    await one.end();
    await settled();
    assert.deepEqual(begun, ['one', 'two']);
    await two.end();
    await settled();
    assert.deepEqual(begun, ['one', 'two', 'three']);
    await three.end();
    await settled();
    assert.deepEqual(begun, ['one', 'two', 'three', 'four']);
    await four.end();
    assert.equal(await five.end(), 'five');
  });
  it('go on after work that fails', async () => {
    const { begun, start } = works(sharedTurns());
    const one = start('share', 'one');
    const two = start('alone', 'two');
    const three = start('share', 'three');
    await assert.rejects(one.fail());
    await settled();
    await assert.rejects(two.fail());
    await settled();
    assert.deepEqual(begun, ['one', 'two', 'three']);
    assert.equal(await three.end(), 'three');
  });
  it('of different keys do not wait for each other', async () => {
    const { begun, start } = works(sharedTurns());
    start('alone', 'one');
    start('alone', 'two', 'another key');
    await settled();
    assert.deepEqual(begun, ['one', 'two']);
  });
});
