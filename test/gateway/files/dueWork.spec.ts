import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { duePageItems, dueWork, failuresInRowMax, type Due } from '../../../src/gateway/files/dueWork.js';
import type { Millis } from '../../../src/kernel/ids.js';
import { nextTurn } from '../../../src/kernel/timing.js';

type Thing = { readonly id: number; readonly since: Millis };

/** Things that are not found any more once they were seen to, or only after `forget`. */
const rig = (ages: readonly number[], work: (id: number) => boolean = () => true) => {
  let left: readonly Thing[] = ages.map((since, id) => ({ id, since: since as Millis }));
  const [worked, gone] = [[] as number[], new Set<number>()];
  let heldMax = 0;
  const due: Due<Thing> = {
    find: ({ after = -1, before }, limit) => {
      const found = left.filter(({ since }) => since > after && since < before).slice(0, limit);
      heldMax = Math.max(heldMax, found.length);
      return Promise.resolve(found);
    },
    since: ({ since }) => since,
    name: ({ id }) => id.toString(),
    work: async ({ id }) => {
      await nextTurn();
      worked.push(id);
      if (!work(id)) throw new Error(`${id.toString()} fails`);
      gone.add(id);
    },
  };
  const { pass } = dueWork(due);
  return {
    worked,
    heldMax: () => heldMax,
    forget: () => {
      left = left.filter(({ id }) => !gone.has(id));
    },
    pass: (before = 1_000_000_000, signal = new AbortController().signal) => pass(before as Millis, signal),
  };
};
const ages = (count: number): readonly number[] => Array.from({ length: count }, (_, index) => index);

describe('work that is due', () => {
  it('is all done in one pass, page by page, once for each thing', async () => {
    const { pass, worked, heldMax } = rig(ages(5_003));
    assert.deepEqual(await pass(), { done: 5_003, failed: 0 });
    assert.deepEqual(
      worked.toSorted((one, other) => one - other),
      ages(5_003),
    );
    assert.equal(heldMax(), duePageItems);
    assert.deepEqual(await rig(ages(10)).pass(4), { done: 4, failed: 0 });
  });

  it('goes past things that fail, and says which was the first', async () => {
    const { pass, worked } = rig(ages(1_000), (id) => id % 7 !== 3);
    const { done, failed, first } = await pass();
    assert.deepEqual([done, failed, worked.length], [857, 143, 1_000]);
    assert.match(String(first), /3 fails/);
  });

  it('has many of one moment, and those that are left of them the next time', async () => {
    const { pass, forget, worked } = rig([...Array.from({ length: 3 * duePageItems }, () => 5), 6, 7]);
    await pass();
    assert.ok(worked.includes(3 * duePageItems + 1), 'those behind that moment were not come to');
    for (let times = 0; times < 3; times += 1) {
      forget();
      await pass();
    }
    assert.equal(new Set(worked).size, 3 * duePageItems + 2);
  });

  it('ends while everything fails, and goes on behind that the next time', async () => {
    const { pass, worked } = rig(ages(150), (id) => id >= 100);
    const stopped = (count: number) => count >= failuresInRowMax && count < failuresInRowMax + 10;
    assert.ok(stopped((await pass()).failed));
    const { done, failed } = await pass();
    assert.deepEqual([done, stopped(failed + 10)], [50, true]);
    worked.length = 0;
    await pass();
    assert.equal(worked[0], 0);
  });

  it('ends when it is told to', async () => {
    const ending = new AbortController();
    const { pass } = rig(ages(1_000), (id) => {
      if (id === 20) ending.abort();
      return true;
    });
    assert.ok((await pass(undefined, ending.signal)).done < 40);
  });
});
