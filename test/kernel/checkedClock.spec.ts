import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { checkedClock, skewMillisMax, type ClockWrong } from '../../src/kernel/checkedClock.js';
import type { Millis } from '../../src/kernel/ids.js';

const start = 1_800_000_000_000;
const hourMillis = 3_600_000;

/** The store's clock is right, and looked at in the middle of a round trip. */
const setting = () => {
  const state = { passed: 0, ahead: 0 };
  const troubles: ClockWrong[] = [];
  const clock = checkedClock({
    wall: { now: () => (start + state.ahead + state.passed) as Millis },
    timers: { now: () => state.passed },
    onTrouble: (error) => {
      troubles.push(error);
    },
  });
  const check = (roundTripMillis = 0): Promise<void> =>
    clock.check(() => {
      state.passed += roundTripMillis / 2;
      const time = (start + state.passed) as Millis;
      state.passed += roundTripMillis / 2;
      return Promise.resolve(time);
    });
  return { state, clock, check, troubles };
};

describe('a clock that is compared with that of the store', () => {
  it('is the machine’s own where the two agree', async () => {
    for (const ahead of [0, skewMillisMax, -skewMillisMax]) {
      const { state, clock, check, troubles } = setting();
      state.ahead = ahead;
      await check();
      assert.equal(clock.now(), start + ahead);
      assert.deepEqual(troubles, []);
    }
  });

  it('is the store’s where they do not, carried on by the monotonic clock', async () => {
    for (const ahead of [skewMillisMax + 1, hourMillis, -skewMillisMax - 1]) {
      const { state, clock, check } = setting();
      state.ahead = ahead;
      await check();
      state.passed += 90_000;
      assert.equal(clock.now(), start + state.passed);
    }
  });

  it('does not count the round trip as a difference', async () => {
    const { state, clock, check, troubles } = setting();
    state.ahead = skewMillisMax + 400;
    await check(1_000);
    assert.equal(clock.now(), start + state.passed + state.ahead);
    assert.deepEqual(troubles, []);
    await check(0);
    assert.equal(clock.now(), start + state.passed);
  });

  it('is measured in the middle of the round trip', async () => {
    const { state, clock, check } = setting();
    state.ahead = hourMillis;
    await check(1_000);
    assert.equal(clock.now(), start + state.passed);
  });

  it('takes no notice of being set between two checks', async () => {
    const { state, clock, check } = setting();
    await check();
    for (state.ahead of [hourMillis, -hourMillis]) assert.equal(clock.now(), start + state.passed);
    state.ahead = 0;
    assert.equal(clock.now(), start + state.passed);
  });

  it('names both times, once each time that they come to differ', async () => {
    const { state, check, troubles } = setting();
    for (state.ahead of [hourMillis, hourMillis, 0, hourMillis]) await check();
    assert.equal(troubles.length, 2);
    for (const time of [start, start + hourMillis]) {
      assert.ok(troubles[0]?.message.includes(new Date(time).toISOString()), troubles[0]?.message);
    }
  });

  it('goes on with the last comparison when the store cannot be asked', async () => {
    const { state, clock, check } = setting();
    state.ahead = hourMillis;
    await check();
    await assert.rejects(
      clock.check(() => Promise.reject(new Error('away'))),
      /away/,
    );
    assert.equal(clock.now(), start);
  });

  it('is the machine’s own where the store has none', async () => {
    const { state, clock } = setting();
    state.ahead = hourMillis;
    await clock.check(() => Promise.resolve(undefined));
    assert.equal(clock.now(), start + hourMillis);
  });
});
