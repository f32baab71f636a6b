import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { boundedMap } from '../../src/kernel/boundedMap.js';

describe('a bounded map', () => {
  it('forgets the entry that was used least recently', () => {
    const map = boundedMap<string, number>({ entriesMax: 2 });
    map.set('a', 1);
    map.set('b', 2);
    assert.equal(map.get('a'), 1);
    map.set('c', 3);
    assert.deepEqual([map.peek('a'), map.peek('b'), map.peek('c'), map.size], [1, undefined, 3, 2]);
  });

  it('forgets in the same order and tells of it where it holds very many', () => {
    const dropped: number[] = [];
    const map = boundedMap<number, number>({ entriesMax: 50_000 }, (value) => dropped.push(value));
    for (let key = 0; key < 50_000; key += 1) map.set(key, key);
    assert.equal(map.get(0), 0);
    map.set(50_000, 50_000);
    map.set(50_001, 50_001);
    assert.deepEqual([map.size, map.has(0), dropped], [50_000, true, [1, 2]]);
  });

  it('takes setting again for use, and looking for none', () => {
    const map = boundedMap<string, number>({ entriesMax: 2 });
    map.set('a', 1);
    map.set('b', 2);
    map.set('a', 4);
    assert.equal(map.peek('b'), 2);
    map.set('c', 3);
    assert.deepEqual([map.has('a'), map.has('b')], [true, false]);
  });

  it('is bounded by the bytes of its values, of which one that is too large is not kept', () => {
    const map = boundedMap<string, string>({ bytesMax: 5, bytesOf: (value) => value.length });
    map.set('a', '123');
    map.set('b', '12');
    map.set('c', '1');
    assert.deepEqual([map.has('a'), map.has('b'), map.has('c')], [false, true, true]);
    map.set('d', '123456');
    assert.deepEqual([map.has('d'), map.size], [false, 2]);
  });

  it('is bounded by both where both are given', () => {
    const map = boundedMap<string, string>({ entriesMax: 2, bytesMax: 5, bytesOf: (value) => value.length });
    for (const key of ['a', 'b', 'c']) map.set(key, '1');
    assert.deepEqual([map.has('a'), map.size], [false, 2]);
    map.set('d', '12345');
    assert.deepEqual([map.has('d'), map.size], [true, 1]);
  });

  it('is empty once it is cleared, and lacks an entry that was deleted', () => {
    const map = boundedMap<string, number>({ entriesMax: 2 });
    map.set('a', 1);
    assert.deepEqual([map.delete('a'), map.delete('a'), map.size], [true, false, 0]);
    map.set('b', 2);
    map.clear();
    assert.equal(map.get('b'), undefined);
  });
});
