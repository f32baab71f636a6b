import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Delivery, LatestOnly } from '../../../src/gateway/contract/updates.js';
import { latestDeliveries } from '../../../src/gateway/updates/latestDeliveries.js';
import type { ChannelId, CommunityId, UserId } from '../../../src/kernel/ids.js';

const community = 'community.1';
const placeOf = (channel: number): string => `channel.1.${channel.toString()}`;
const mergeOf = (channel: number, what: string): LatestOnly => ({ place: placeOf(channel), what });
const update = (channel: number, position: number, audience: readonly number[], what = 'channel') => ({
  audience: audience.map((user) => BigInt(user) as UserId),
  update: { channel: { channel: { id: BigInt(channel) as ChannelId, communityId: 1n as CommunityId, position } } },
  merge: mergeOf(channel, what),
  actor: undefined,
});
const told = (deliveries: readonly Delivery[]): readonly unknown[] =>
  deliveries.map(({ update: { ...of }, audience }) =>
    'channel' in of ? [Number(of.channel.channel?.id), of.channel.channel?.position, ...[...audience].map(Number)] : of,
  );

const held = (...deliveries: readonly ReturnType<typeof update>[]) => {
  const latest = latestDeliveries();
  for (const delivery of deliveries) latest.add(community, delivery);
  return latest;
};

describe('updates of which only the latest counts', () => {
  it('are one for each channel, the last', () => {
    const latest = held(update(5, 1, [1, 2]), update(6, 1, [1, 2]), update(5, 2, [1, 2]));
    assert.equal(latest.size(), 2);
    assert.deepEqual(told([...latest.all()].flat()), [
      [5, 2, 1, 2],
      [6, 1, 1, 2],
    ]);
    assert.equal(latest.size(), 0);
  });

  it('leave nobody out whom the later one does not reach', () => {
    assert.deepEqual(told([...held(update(5, 1, [1, 2, 3]), update(5, 2, [2])).all()].flat()), [
      [5, 1, 1, 3],
      [5, 2, 2],
    ]);
  });

  it('are kept apart by what they say', () => {
    assert.equal(held(update(5, 1, [1]), update(5, 2, [1], 'permissions')).size(), 2);
  });

  it('say nothing more about what has ended for somebody', () => {
    const gone = update(5, 3, [1]);
    const latest = held(update(5, 1, [1, 2]), update(5, 2, [1, 2], 'permissions'), {
      ...gone,
      merge: { ...gone.merge, ends: 'permissions' },
    });
    assert.equal(latest.size(), 3);
    assert.deepEqual(told([...latest.all()].flat()), [
      [5, 1, 2],
      [5, 3, 1],
      [5, 2, 2],
    ]);
    assert.equal(latest.size(), 0);
  });

  it('are sent before a message in their channel, and all of them before anything else of the community', () => {
    const latest = held(update(5, 1, [1]), update(6, 1, [1]), update(7, 1, [1]));
    assert.deepEqual(told(latest.before('channel.2.5')), []);
    assert.deepEqual(told(latest.before(placeOf(6))), [[6, 1, 1]]);
    assert.deepEqual(told(latest.before(community)), [
      [5, 1, 1],
      [7, 1, 1],
    ]);
  });
});
