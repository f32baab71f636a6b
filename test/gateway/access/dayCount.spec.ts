import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { dayCount, dayMillis, type DayCount } from '../../../src/gateway/access/dayCount.js';
import { kernelInMemory } from '../../support/house/kernel.js';

const hourMillis = 3_600_000;

/** A log, and nodes that count its days by a clock that passes when the test says so. */
const setting = async () => {
  const { clock, now, execute, streams, ids } = await kernelInMemory();
  const uptime = { now: () => clock.at };
  return {
    clock,
    node: async (): Promise<DayCount> => {
      const one = dayCount({ execute, streams, ids, clock: { now }, uptime });
      await one.look();
      await one.begin();
      return one;
    },
    /** Looks once an hour. */
    pass: async (node: DayCount, hours: number): Promise<number> => {
      for (let hour = 0; hour < hours; hour += 1) {
        clock.at += hourMillis;
        await node.count();
      }
      return node.today();
    },
  };
};

describe('the days that a node counts', () => {
  it('go by one after the other', async () => {
    const { node, pass } = await setting();
    const one = await node();
    assert.equal(await pass(one, 23), 0);
    assert.equal(await pass(one, 1), 1);
    assert.equal(await pass(one, 24 * 364), 365);
  });

  it('do not add up the lateness of looks', async () => {
    const { clock, node } = await setting();
    const one = await node();
    for (let looks = 0; looks < 24 * 4; looks += 1) {
      clock.at += hourMillis * 1.25;
      await one.count();
    }
    assert.equal(one.today(), 5);
  });

  it('are one more after a pause of any length', async () => {
    const { clock, node, pass } = await setting();
    await node();
    clock.at += 30 * dayMillis;
    const later = await node();
    assert.equal(await pass(later, 1), 1);
    assert.equal(await pass(later, 22), 1);
  });

  it('go on where a server stops every night', async () => {
    const { clock, node, pass } = await setting();
    await node();
    for (let days = 0; days < 10; days += 1) {
      await pass(await node(), 16);
      clock.at += 8 * hourMillis;
    }
    assert.equal(await pass(await node(), 1), 10);
  });

  it('are hardly more by a clock that goes ten years ahead, and none too few once it is right again', async () => {
    const { clock, node, pass } = await setting();
    const one = await node();
    clock.ahead = 3_650 * dayMillis;
    assert.equal(await pass(one, 3), 0);
    for (let starts = 0; starts < 20; starts += 1) await pass(await node(), 1);
    const wrong = await node();
    assert.equal(await pass(wrong, 1), 1);
    clock.ahead = 0;
    const right = await node();
    assert.equal(await pass(right, 1), 1);
    assert.equal(await pass(right, 24), 2);
    assert.equal(await pass(await node(), 24 * 10), 12);
  });

  it('are the same on a node that only looks, and counted on by it when it has to', async () => {
    const { node, pass } = await setting();
    const [one, other] = [await node(), await node()];
    await pass(one, 24 * 3 + 12);
    await other.look();
    assert.equal(other.today(), 3);
    await pass(one, 12);
    await other.look();
    assert.equal(other.today(), 4);
    assert.equal(await pass(other, 23), 4);
    assert.equal(await pass(other, 1), 5);
  });

  it('are one for two nodes that count at the same moment', async () => {
    const { clock, node } = await setting();
    const [one, other] = await Promise.all([node(), node()]);
    clock.at += dayMillis;
    await Promise.all([one.count(), other.count()]);
    await Promise.all([one.count(), other.count()]);
    assert.deepEqual([one.today(), other.today()], [1, 1]);
  });
});
