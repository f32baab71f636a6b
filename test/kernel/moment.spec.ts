import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { snowflakeOf, type Millis } from '../../src/kernel/ids.js';
import { momentOf } from '../../src/kernel/moment.js';
import { spansAfter, spansKeptAmong, spansMax, spansTogetherMax, withOldestMerged } from '../../src/kernel/span.js';

const at = 1_767_225_600_000 as Millis;
const metadata = { $correlationId: 'c', $causationId: 'c', command: 'Test', about: 'nobody' };

describe('the moment of an event', () => {
  it('is the id that was written with it, whatever the clock of the log says', () => {
    assert.equal(momentOf({ metadata: { ...metadata, moment: '77' }, at }), 77n);
  });
  it('is right before the ids of its millisecond where none was written, or nothing that is one', () => {
    for (const moment of [undefined, '', '-1', 'x', '1'.repeat(30), 5]) {
      const written = moment === undefined ? metadata : { ...metadata, moment: moment as string };
      assert.equal(momentOf({ metadata: written, at }), snowflakeOf({ at, node: 0, counter: 0 }) - 1n);
    }
  });
  it('is before all ids where the clock of the log is before their epoch', () => {
    assert.equal(momentOf({ metadata, at: 0 as Millis }), 0n);
  });
});

describe('a span', () => {
  const on = (moment: bigint) => ({ before: false, now: true, moment });
  const off = (moment: bigint) => ({ before: true, now: false, moment });
  const stays = (moment: bigint) => ({ before: true, now: true, moment });

  it('begins and ends with what it is about, and the next one follows it', () => {
    const begun = spansAfter([], on(5n));
    const ended = spansAfter(begun, off(7n));
    assert.deepEqual([begun, ended], [[{ from: 5n }], [{ from: 5n, to: 7n }]]);
    assert.deepEqual(spansAfter(ended, on(9n)), [{ from: 5n, to: 7n }, { from: 9n }]);
  });
  it('stays while nothing changes', () => {
    assert.deepEqual(spansAfter([{ from: 5n }], stays(6n)), [{ from: 5n }]);
    assert.deepEqual(spansAfter([], stays(6n)), []);
  });
  it('is since ever for what never changed', () => {
    assert.deepEqual(spansAfter([], off(7n)), [{ from: 0n, to: 7n }]);
  });
  it('is one with the next, and with the time between them, where fewer are kept', () => {
    const spans = [{ from: 1n, to: 2n }, { from: 3n, to: 4n }, { from: 5n }];
    assert.deepEqual(withOldestMerged(spans, 2), [{ from: 1n, to: 4n }, { from: 5n }]);
    assert.deepEqual(withOldestMerged(spans, 3), spans);
    assert.deepEqual(withOldestMerged([], 3), []);
  });
  it('is kept among few others, and among many fewer of each are', () => {
    assert.deepEqual([0, 1, 32, 33, 64, 1_000].map(spansKeptAmong), [spansMax, spansMax, spansMax, 7, 4, 1]);
    for (let things = 1; things <= spansTogetherMax; things += 1) {
      assert.ok(things * spansKeptAmong(things) <= spansTogetherMax);
    }
  });
});
