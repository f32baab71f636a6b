import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  blockIdsMax,
  bytesOfIds,
  idsOfBytes,
  noIds,
  withId,
  withoutId,
} from '../../../src/projections/search/postings.js';

const listOf = (...ids: readonly bigint[]) => ids.reduce(withId, noIds);
const many = Array.from({ length: blockIdsMax + 2 }, (_, at) => BigInt(at + 1));

describe('a list of messages', () => {
  it('holds each id once, in order', () => {
    assert.deepEqual([...listOf(5n, 9n, 7n, 9n, 5n, 1n)], [1n, 5n, 7n, 9n]);
    assert.deepEqual([...listOf(...many)], many);
  });

  it('stays as it is when others are made of it', () => {
    const one = listOf(1n, 2n, 3n);
    const made = [withId(one, 4n), withId(one, 5n), withId(withoutId(one, 3n), 6n), withId(withoutId(one, 2n), 7n)];
    assert.deepEqual([...one], [1n, 2n, 3n]);
    assert.deepEqual(
      made.map((list) => [...list]),
      [
        [1n, 2n, 3n, 4n],
        [1n, 2n, 3n, 5n],
        [1n, 2n, 6n],
        [1n, 3n, 7n],
      ],
    );
  });

  it('is not copied for each message, and has room for no more than a block', () => {
    const memories = new Set<ArrayBufferLike>();
    let list = noIds;
    for (const id of many.slice(0, blockIdsMax)) {
      list = withId(list, id);
      memories.add(list.buffer);
    }
    assert.ok(memories.size <= 10, `${memories.size.toString()} copies`);
    assert.equal(list.buffer.byteLength, 8 * blockIdsMax);
  });

  it('is stored without the room behind it', () => {
    const list = listOf(1n, 2n, 3n);
    assert.ok(list.byteLength < list.buffer.byteLength);
    assert.equal(bytesOfIds(list).length, 24);
    assert.deepEqual(idsOfBytes(bytesOfIds(list)), list);
  });
});
