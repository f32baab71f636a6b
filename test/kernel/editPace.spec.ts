import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isRejection } from '../../src/kernel/decider.js';
import { editPaid, editPauseMillis, editsAtOnceMax } from '../../src/kernel/editPace.js';
import type { Millis } from '../../src/kernel/ids.js';

const start = 1_767_225_600_000;

/** How many seconds each edit has to wait; 0 for one that is let through. */
const waits = (times: readonly number[]): readonly number[] => {
  let paidUntil: Millis | undefined;
  return times.map((at) => {
    const paid = editPaid(paidUntil, (start + at) as Millis);
    if (isRejection(paid)) return paid.retryAfterSeconds ?? -1;
    paidUntil = paid;
    return 0;
  });
};
const every = (millis: number, count: number): readonly number[] =>
  Array.from({ length: count }, (_, at) => at * millis);
const atOnce = every(0, editsAtOnceMax);

describe('the pace of edits', () => {
  it('lets 30 through at once, and says after how many seconds the next one may come', () => {
    assert.deepEqual(waits([...atOnce, 0, 4_500, 10_000, 10_000]).slice(editsAtOnceMax), [10, 6, 0, 10]);
  });

  it('never refuses a bot that edits one message every 10 s for a day', () => {
    assert.equal(Math.max(...waits(every(editPauseMillis, 8_640))), 0);
  });

  it('gives back what was not used, up to 30', () => {
    const rested = [...atOnce, ...atOnce.map(() => 3_600_000), 3_600_000];
    assert.deepEqual(
      waits(rested).filter((wait) => wait > 0),
      [10],
    );
  });

  it('lets nobody wait for longer than one pause, however far a clock was ahead', () => {
    for (const ahead of [5_000, 60_000, 10 * 365 * 24 * 3_600_000]) {
      const [early = -1, later = -1] = waits([...atOnce.map(() => ahead), 0, 10_000]).slice(editsAtOnceMax);
      assert.ok(early <= 10 && later <= 10, ahead.toString());
      assert.equal(waits([...atOnce.map(() => ahead), 0, 20_000]).at(-1), 0);
    }
  });
});
