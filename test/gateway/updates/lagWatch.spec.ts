import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { behindMillisMax, endLookMillis, lagWatch } from '../../../src/gateway/updates/lagWatch.js';
import { nodeTimers } from '../../support/nodeTimers.js';

const watching = () => {
  const timers = nodeTimers();
  const at = { end: 0n, fanOut: 0n };
  const lag = lagWatch({
    log: { end: () => Promise.resolve(at.end) },
    fanOut: { position: () => at.fanOut },
    timers,
  });
  lag.start();
  /** The log is asked where it ends as often as it is due. */
  const pass = async (millis: number): Promise<void> => {
    for (let passed = 0; passed < millis; passed += endLookMillis) {
      await turn();
      timers.pass(Math.min(endLookMillis, millis - passed));
    }
    await turn();
  };
  return { at, lag, pass, timers };
};

describe('a fan-out', () => {
  it('is behind once it has not come to an end that was seen for more than two seconds', async () => {
    const { at, lag, pass } = watching();
    at.end = 5n;
    await pass(endLookMillis + behindMillisMax);
    assert.equal(lag.isBehind(), false);
    await pass(1);
    assert.equal(lag.isBehind(), true);
    at.fanOut = 5n;
    assert.equal(lag.isBehind(), false);
  });

  it('is behind also while the end moves on and it stands still', async () => {
    const { at, lag, pass } = watching();
    for (let end = 1n; end <= 10n; end += 1n) {
      at.end = end;
      await pass(endLookMillis);
    }
    assert.equal(lag.isBehind(), true);
  });

  it('is not behind as long as it follows at a distance of less', async () => {
    const { at, lag, pass } = watching();
    for (let end = 1n; end <= 30n; end += 1n) {
      at.fanOut = at.end;
      at.end = end;
      await pass(1_000);
      assert.equal(lag.isBehind(), false);
    }
  });

  it('is no longer watched once the node closes', async () => {
    const { lag, pass, timers } = watching();
    await pass(1_000);
    lag.close();
    await pass(1_000);
    assert.equal(timers.waiting(), 0);
  });
});
