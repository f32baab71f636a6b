import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { UpdateView } from '../../../../../src/gateway/contract/updateView.js';
import type { ViewerPermissions } from '../../../../../src/gateway/contract/viewerPermissions.js';
import {
  communityUpdates,
  type CommunityUpdatesNeeds,
} from '../../../../../src/gateway/packages/communities/updates.js';
import type { ChannelId, CommunityId, UserId } from '../../../../../src/kernel/ids.js';

const community = 1n as CommunityId;
const members = Array.from({ length: 100 }, (_, at) => BigInt(at + 1_000) as UserId);
const ids = Array.from({ length: 500 }, (_, at) => BigInt(at + 10) as ChannelId);

/** What the rules are asked while somebody moves channels: these are under the parent before and after. */
const asked = async (parents: readonly [ChannelId | undefined, ChannelId | undefined]) => {
  const counts = { sights: 0, lookups: 0 };
  const [before, after] = parents.map((parent) => {
    const document = {
      channels: ids.map((id, position) => ({ id, kind: 'text', name: 'x', position, parent, synced: true })),
    };
    const rules = {
      community: () => {
        counts.lookups += 1;
        return document;
      },
      connectedMembers: () => new Set(members),
      member: () => ({ permissions: 1n, roles: [], membership: { roles: [] } }),
      inChannel: () => {
        counts.sights += 1;
        return 1n;
      },
      viewersOf: () => members,
    };
    // Nothing else is asked for.
    return rules as unknown as ViewerPermissions;
  });
  const { ChannelsArranged: told } = communityUpdates({} as CommunityUpdatesNeeds);
  const places = ids.map((channel, position) => ({ channel, position }));
  const event = { type: 'ChannelsArranged', data: { community, places, by: members[0] } };
  assert.ok(typeof told === 'function');
  const deliveries = await told(event as never, { before, after } as unknown as UpdateView);
  return { ...counts, deliveries: deliveries.length };
};

describe('a move of a channel', () => {
  it('within its category is told for each channel once, and nobody is asked anew for who sees them', async () => {
    const { sights, lookups, deliveries } = await asked([undefined, undefined]);
    assert.deepEqual({ sights, deliveries }, { sights: 0, deliveries: ids.length });
    assert.ok(lookups <= 4, lookups.toString());
  });

  it('under another one is asked for, because other overrides may count there', async () => {
    const { sights } = await asked([undefined, 9n as ChannelId]);
    assert.ok(sights >= 2 * ids.length, sights.toString());
  });
});
