import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { mergeDeletions } from '../../../src/gateway/packages/messages/deletions.js';
import { gatherEventsMax, gatheredParts, gatherMillisMax } from '../../../src/gateway/updates/gatheredParts.js';
import type { Ready } from '../../../src/gateway/updates/sender.js';
import type { MessageId, UserId } from '../../../src/kernel/ids.js';
import { eventsPerAppendMax } from '../../../src/kernel/ports/eventLog.js';
import { handTimers } from '../../support/handTimers.js';

const audience = [1n as UserId];
const of = (position: number) => ({ about: 'self.1', actor: '1', position: BigInt(position) });

const deletion = (message: number): Ready => ({
  ...of(message),
  deliveries: [
    { audience, update: { messageDeleted: { messageIds: [BigInt(message) as MessageId] } }, merge: mergeDeletions },
  ],
});

/** Says something that nothing can be merged with. */
const unlike = (message: number): Ready => ({
  ...of(message),
  deliveries: [{ audience, update: { messageDeleted: { messageIds: [BigInt(message) as MessageId] } } }],
});

/** The ids of each update that was sent, and the position that it was sent with. */
const gathering = () => {
  const sent: (readonly [ids: readonly number[], position: number])[] = [];
  const timers = handTimers();
  let overdue = 0;
  const parts = gatheredParts({
    timers,
    send: ({ deliveries, position }) => {
      const ids = deliveries.flatMap(({ update }) =>
        'messageDeleted' in update ? (update.messageDeleted.messageIds ?? []) : [],
      );
      sent.push([ids.map(Number), Number(position)]);
    },
    overdue: () => {
      overdue += 1;
    },
  });
  return { ...parts, sent, pass: timers.pass, overdue: () => overdue };
};

describe('the parts of a request', () => {
  it('are sent as one update, in the place of the last, whatever comes between', () => {
    const { passed, came, sent } = gathering();
    for (const message of [1, 2, 3]) {
      passed();
      came('a', { index: message, of: 3 }, deletion(message));
      passed();
      came('b', { index: message, of: 2 }, unlike(10 + message));
    }
    assert.deepEqual(sent, [
      [[11], 11],
      [[12], 12],
      [[1, 2, 3], 3],
      [[13], 13],
    ]);
  });

  it('are counted also where nobody is told of them', () => {
    const { came, sent } = gathering();
    came('a', { index: 1, of: 3 }, deletion(1));
    came('a', { index: 2, of: 3 }, undefined);
    came('a', { index: 3, of: 3 }, undefined);
    assert.deepEqual(sent, [[[1], 1]]);
  });

  it('of another chat are another update', () => {
    const { came, sent } = gathering();
    came('a', { index: 1, of: 2 }, deletion(1));
    came('a', { index: 2, of: 2 }, { ...deletion(2), about: 'self.2' });
    assert.deepEqual(sent, [
      [[1], 1],
      [[2], 2],
    ]);
  });

  it('are complete in any order', () => {
    const { came, sent } = gathering();
    for (const index of [3, 1, 2]) came('a', { index, of: 3 }, deletion(index));
    assert.deepEqual(sent, [[[3, 1, 2], 2]]);
  });

  it('are waited for so long, and then told as far as they are there', () => {
    const { came, sent, pass, overdue } = gathering();
    for (const index of [1, 2, 3]) came('a', { index, of: 7 }, deletion(index));
    pass(gatherMillisMax - 1);
    assert.deepEqual([sent, overdue()], [[], 0]);
    pass(1);
    assert.deepEqual([sent, overdue()], [[[[1, 2, 3], 3]], 1]);
    came('a', { index: 4, of: 7 }, deletion(4));
    assert.deepEqual(sent.at(-1), [[4], 4]);
    pass(10 * gatherMillisMax);
    assert.deepEqual([sent.length, overdue()], [2, 1]);
  });

  it('are waited for so many events, and then told as far as they are there', () => {
    const { passed, came, sent, pass, overdue } = gathering();
    passed();
    came('a', { index: 1, of: 2 }, deletion(1));
    for (let event = 1; event <= gatherEventsMax; event += 1) passed();
    assert.deepEqual(sent, []);
    passed();
    assert.deepEqual(sent, [[[1], 1]]);
    pass(gatherMillisMax);
    assert.equal(overdue(), 0);
  });

  it('are told at once when all are released, and those that follow by themselves', () => {
    const { came, release, sent, pass } = gathering();
    for (const index of [1, 2]) came('a', { index, of: 4 }, deletion(index));
    release();
    for (const index of [3, 4]) came('a', { index, of: 4 }, deletion(index));
    pass(gatherMillisMax);
    assert.deepEqual(sent, [
      [[1, 2], 2],
      [[3], 3],
      [[4], 4],
    ]);
  });

  it('are not waited for when there are more than one append takes', () => {
    const { came, sent } = gathering();
    came('a', { index: 1, of: eventsPerAppendMax + 1 }, deletion(1));
    assert.deepEqual(sent, [[[1], 1]]);
  });
});
