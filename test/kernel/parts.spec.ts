import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { partIn, partOf, partOfStored } from '../../src/kernel/parts.js';

const stored = (metadata: object): Uint8Array => new TextEncoder().encode(JSON.stringify(metadata));

describe('a part of a request', () => {
  it('is read as it was written, parsed or not', () => {
    const metadata = { command: 'DeleteMessage', ...partIn(2, 7) };
    assert.deepEqual(partOf(metadata), { index: 2, of: 7 });
    assert.deepEqual(partOfStored(stored(metadata)), { index: 2, of: 7 });
  });

  it('is none when the event was alone, or is older', () => {
    assert.deepEqual(partIn(1, 1), {});
    assert.equal(partOf({}), undefined);
    assert.equal(partOfStored(stored({})), undefined);
  });

  it('is none when it is no such place', () => {
    for (const part of ['', '1', '1/', '/2', '-1/2', '1/2/3', 'a/b']) {
      assert.equal(partOf({ part }), undefined);
      assert.equal(partOfStored(stored({ part })), undefined);
    }
  });

  it('is not found inside of a text, or in bytes that are no JSON', () => {
    assert.equal(partOfStored(stored({ command: '"part":"1/2"' })), undefined);
    assert.equal(partOfStored(Uint8Array.from({ length: 256 }, (_, byte) => byte)), undefined);
  });
});
