import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { underWay, underWayMillisMax } from '../../../src/gateway/requests/underWay.js';
import type { Position } from '../../../src/kernel/event.js';
import { deferred } from '../../../src/kernel/timing.js';
import { nodeTimers, settled } from '../../support/nodeTimers.js';

const counting = (followed?: (position: Position) => Promise<unknown> | undefined) => {
  const timers = nodeTimers();
  const line = { units: 0 };
  const count = (units: number): void => void (line.units += units);
  const begin = (units: number) => underWay({ underWay: count }, { timers, ...(followed && { followed }) }, units);
  return { timers, line, begin };
};

describe('units under way', () => {
  it('count while a request writes', () => {
    const { timers, line, begin } = counting();
    const written = begin(85);
    assert.equal(line.units, 85);
    written(7n);
    assert.equal(line.units, 0);
    assert.equal(timers.waiting(), 0);
  });

  it('count until the very events that it wrote are folded, whether that succeeds or not', async () => {
    for (const fold of ['resolve', 'reject'] as const) {
      const folding = deferred<undefined>();
      const asked: Position[] = [];
      const { line, begin } = counting((position) => {
        asked.push(position);
        return folding.promise;
      });
      begin(5)(7n);
      await settled();
      assert.deepEqual([line.units, asked], [5, [7n]]);
      if (fold === 'resolve') folding.resolve(undefined);
      else folding.reject(new Error('closed'));
      await settled();
      assert.equal(line.units, 0);
    }
  });

  it('count no longer where nothing was written, whatever is to be folded', () => {
    const { line, begin } = counting(() => new Promise(() => undefined));
    begin(5)();
    assert.equal(line.units, 0);
  });

  it('count for no longer than a write may hold up others', () => {
    const { timers, line, begin } = counting();
    const written = begin(5);
    timers.pass(underWayMillisMax);
    assert.equal(line.units, 0);
    written(7n);
    assert.equal(line.units, 0);
  });
});
