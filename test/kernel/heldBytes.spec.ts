import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { heldBytes } from '../../src/kernel/heldBytes.js';

describe('the bytes that a value holds', () => {
  it('are at least those of its texts and bytes, wherever they are', () => {
    const text = 'x'.repeat(1_000);
    const holders = [text, [text], { a: { b: text } }, new Map([[1n, text]]), new Map([[text, 1]]), new Set([text])];
    for (const holder of holders) assert.ok(heldBytes(holder) >= 2_000 && heldBytes(holder) < 2_200);
    assert.ok(heldBytes({ sealed: new Uint8Array(5_000) }) >= 5_000);
    assert.equal(heldBytes(undefined), 0);
  });

  it('are counted no further than asked', () => {
    let looked = 0;
    const counting = Object.defineProperty({}, 'text', { enumerable: true, get: () => ((looked += 1), 'x') });
    assert.ok(
      heldBytes(
        Array.from({ length: 1_000 }, () => counting),
        1_000,
      ) >= 1_000,
    );
    assert.ok(looked < 20);
  });
});
