import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { slicesOf } from '../../src/kernel/slices.js';
import { handTimers } from '../support/handTimers.js';

describe('long work in slices', () => {
  it('goes on until a slice is over, and then when others have had their turn', async () => {
    const timers = handTimers();
    const { begin, turn } = slicesOf(timers, 5);
    timers.pass(4);
    assert.equal(turn(), undefined);
    begin();
    timers.pass(4);
    assert.equal(turn(), undefined);
    timers.pass(1);
    let others = 0;
    setImmediate(() => (others += 1));
    await turn();
    assert.equal(others, 1);
    timers.pass(4);
    assert.equal(turn(), undefined);
  });
});
