import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Delivery, MergeUpdates } from '../../../src/gateway/contract/updates.js';
import { deletedTogetherMax, mergeDeletions } from '../../../src/gateway/packages/messages/deletions.js';
import { areMergeable, mergeDeliveries } from '../../../src/gateway/updates/mergeDeliveries.js';
import type { MessageId, UserId } from '../../../src/kernel/ids.js';

const ids = (from: number, count: number): readonly MessageId[] =>
  Array.from({ length: count }, (_, index) => BigInt(from + index) as MessageId);
const deletion = (audience: readonly bigint[], messageIds: readonly MessageId[]): Delivery => ({
  audience: audience as readonly UserId[],
  update: { messageDeleted: { messageIds } },
  merge: mergeDeletions,
});

describe('deliveries of two events', () => {
  it('are merged for the audience of the later event', () => {
    assert.deepEqual(mergeDeliveries([deletion([1n, 2n], ids(1, 2))], [deletion([2n], ids(3, 1))]), [
      deletion([2n], ids(1, 3)),
    ]);
  });

  it('stay two when there are more messages than one update tells of', () => {
    const most = [deletion([1n], ids(1, deletedTogetherMax - 1))];
    assert.deepEqual(mergeDeliveries(most, [deletion([1n], ids(5_000, 1))])?.length, 1);
    assert.equal(mergeDeliveries(most, [deletion([1n], ids(5_000, 2))]), undefined);
  });

  it('stay two when one of them has no counterpart', () => {
    const [one, two] = [deletion([1n], ids(1, 1)), deletion([2n], ids(2, 1))];
    assert.equal(mergeDeliveries([one], [one, two]), undefined);
    assert.equal(mergeDeliveries([one, two], [one]), undefined);
  });

  it('are offered to no other way of merging than that of both', () => {
    const latest: MergeUpdates = (_, later) => later;
    const other: Delivery = { audience: [1n as UserId], update: { user: { userId: 1n as UserId } }, merge: latest };
    assert.equal(mergeDeliveries([deletion([1n], ids(1, 1))], [other]), undefined);
    assert.deepEqual(mergeDeliveries([other], [other]), [other]);
  });

  it('wait for each other only when all can be merged', () => {
    const plain: Delivery = { audience: [1n as UserId], update: { user: { userId: 1n as UserId } } };
    assert.equal(areMergeable([deletion([1n], ids(1, 1)), deletion([2n], ids(1, 1))]), true);
    assert.equal(areMergeable([deletion([1n], ids(1, 1)), plain]), false);
    assert.equal(areMergeable([]), false);
  });
});
