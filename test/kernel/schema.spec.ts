import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { count, flag, Misshapen, text } from '../../src/kernel/schema.js';

describe('a stored value of another kind', () => {
  it('is told of by its kind and length alone, because it may be personal', () => {
    const secret = 'nobody may read this';
    const told = [secret, [secret], { secret }, null].map((found) => {
      try {
        count.decode(found);
      } catch (error) {
        assert.ok(error instanceof Misshapen);
        return error.message;
      }
      return 'decoded';
    });
    assert.deepEqual(told, [
      'expected whole number, found text of 20 characters',
      'expected whole number, found a list of 1',
      'expected whole number, found an object of 1 fields',
      'expected whole number, found null',
    ]);
    assert.throws(() => text.decode(7), /found a number$/);
    assert.throws(() => flag.decode('x'), /found text of 1 characters$/);
  });
});
