import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { epochMillis, idMillisMax, type Millis } from '../../src/kernel/ids.js';
import { aheadPace, idTime } from '../../src/kernel/idTime.js';

const start = epochMillis + 1_000_000_000_000;
const hourMillis = 3_600_000;

/** A clock that is set by the test, and one that only goes on. */
const clocks = (after = 0) => {
  const state = { set: 0, passed: 0 };
  const clock = { now: () => (start + state.set + state.passed) as Millis };
  const time = idTime({ clock, timers: { now: () => state.passed }, after: after as Millis });
  return { state, clock, time };
};

describe('the time of ids', () => {
  it('is that of the clock', () => {
    const { state, time } = clocks();
    for (state.passed of [0, 1, 500, 10 * hourMillis]) assert.equal(time.now(), start + state.passed);
  });

  it('goes on from the highest id at nine tenths of the pace, until the clock has caught up', () => {
    const { state, time } = clocks(start + hourMillis);
    for (state.passed of [0, 1_000, hourMillis, 9 * hourMillis]) {
      assert.equal(time.now(), start + hourMillis + 1 + state.passed * 0.9);
    }
    state.passed = 10 * hourMillis + 10;
    assert.equal(time.now(), start + state.passed);
    assert.equal(aheadPace, 0.9);
  });

  it('goes on from where it was when the clock is set back', () => {
    const { state, time } = clocks();
    state.set = hourMillis;
    assert.equal(time.now(), start + hourMillis);
    state.set = 0;
    assert.equal(time.now(), start + hourMillis);
    state.passed = 1_000;
    assert.equal(time.now(), start + hourMillis + 900);
  });

  it('is none that ids cannot carry, and as before once the clock is right', () => {
    const { state, time } = clocks();
    state.set = idMillisMax - start + 1;
    assert.throws(time.now, /when ids have ended/);
    state.set = 0;
    assert.equal(time.now(), start);
  });

  it('never goes back, is never behind the clock, and never goes faster than the faster of both', () => {
    const step = fc.record({ set: fc.integer({ min: -5_000, max: 5_000 }), passed: fc.nat({ max: 5_000 }) });
    const reached = fc.option(fc.integer({ min: -5_000, max: 5_000 }), { nil: undefined });
    fc.assert(
      fc.property(fc.array(fc.tuple(step, reached), { maxLength: 50 }), (steps) => {
        const { state, clock, time } = clocks();
        let last = time.now();
        for (const [{ set, passed }, reach] of steps) {
          state.set = set;
          state.passed += passed;
          const least = reach === undefined ? 0 : start + reach + state.passed;
          if (reach !== undefined) time.reach(least as Millis);
          const now = time.now();
          assert.ok(now >= last && now >= clock.now() && now >= least);
          assert.ok(now <= Math.max(clock.now(), least, last + 1 + passed * aheadPace));
          last = now;
        }
      }),
    );
  });
});
