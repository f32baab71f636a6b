import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { underWayMillisMax, unitsUnderWay } from '../../../src/gateway/requests/underWay.js';
import { deferred } from '../../../src/kernel/timing.js';
import { nodeTimers, settled } from '../../support/nodeTimers.js';

const counting = (followed?: () => Promise<unknown> | undefined) => {
  const timers = nodeTimers();
  const line = { units: 0 };
  const underWay = (units: number): void => void (line.units += units);
  const request = () => unitsUnderWay({ underWay }, { timers, ...(followed && { followed }) });
  return { timers, line, request };
};

describe('units under way', () => {
  it('count from the beginning of a request until its end, with those that it turned out to be', () => {
    const { line, request } = counting();
    const one = request();
    one.begin(5);
    one.add(80);
    assert.equal(line.units, 85);
    one.end();
    assert.equal(line.units, 0);
    one.add(10);
    assert.equal(line.units, 0);
  });

  it('count until all that was written is folded, whether that succeeds or not', async () => {
    for (const fold of ['resolve', 'reject'] as const) {
      const folding = deferred<undefined>();
      const { line, request } = counting(() => folding.promise);
      const one = request();
      one.begin(5);
      one.end();
      await settled();
      assert.equal(line.units, 5);
      if (fold === 'resolve') folding.resolve(undefined);
      else folding.reject(new Error('closed'));
      await settled();
      assert.equal(line.units, 0);
    }
  });

  it('count for no longer than a request may hold up others', () => {
    const { timers, line, request } = counting();
    const one = request();
    one.begin(5);
    timers.pass(underWayMillisMax);
    assert.equal(line.units, 0);
    one.add(7);
    one.end();
    assert.equal(line.units, 0);
  });

  it('are none of a request that never begins', () => {
    const { line, request } = counting();
    const one = request();
    one.end();
    one.begin(5);
    assert.equal(line.units, 0);
  });
});
