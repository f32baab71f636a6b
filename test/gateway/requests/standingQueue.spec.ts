import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { standingMax, standingQueue, takenBetweenEldest } from '../../../src/gateway/requests/standingQueue.js';

const allOf = <Item>(take: () => Item | undefined): readonly Item[] => {
  const taken: Item[] = [];
  for (let next = take(); next !== undefined; next = take()) taken.push(next);
  return taken;
};

describe('a queue by standing', () => {
  it('gives those of the highest standing first, and of one standing those that were added first', () => {
    const { add, take, isEmpty } = standingQueue<string>();
    assert.equal(isEmpty(), true);
    add('none');
    add('some', () => 3.7);
    add('much', () => standingMax);
    add('some too', () => 3);
    add('more than there is', () => standingMax + 1);
    add('less than none', () => -5);
    assert.equal(isEmpty(), false);
    const inOrder = ['much', 'more than there is', 'some', 'some too', 'none', 'less than none'];
    assert.deepEqual(allOf(take), inOrder);
    assert.equal(isEmpty(), true);
  });

  it('looks at a standing when it is to be taken', () => {
    const { add, take } = standingQueue<string>();
    let standing = 9;
    for (const name of ['first', 'second']) add(name, () => standing);
    add('other', () => 5);
    assert.equal(take(), 'first');
    standing = 1;
    assert.deepEqual(allOf(take), ['other', 'second']);
  });

  it('gives one whose standing has fallen before those that were added after it, however many there are', () => {
    const { add, take } = standingQueue<string>();
    let standing = standingMax;
    add('old', () => standing);
    for (let number = 0; number < 100; number += 1) add('young', () => 0);
    standing = 0;
    const taken = Array.from({ length: takenBetweenEldest }, () => {
      add('high', () => standingMax);
      return take();
    });
    assert.ok(taken.includes('old'), taken.join(' '));
  });

  it('gives one that was added long ago now and then, whatever its standing', () => {
    const { add, take } = standingQueue<number>();
    add(-1);
    const taken: (number | undefined)[] = [];
    for (let number = 0; number < takenBetweenEldest; number += 1) {
      add(number, () => standingMax);
      add(number, () => standingMax);
      taken.push(take());
    }
    assert.deepEqual(taken.indexOf(-1), takenBetweenEldest - 1);
  });
});
