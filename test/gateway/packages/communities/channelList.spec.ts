import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { memoryDocuments } from '../../../../src/adapters/documents/memory.js';
import { Channels } from '../../../../src/gen/communities.js';
import type { Call } from '../../../../src/gateway/contract/call.js';
import { freeMeter, type Meter } from '../../../../src/gateway/contract/meter.js';
import type { Access } from '../../../../src/gateway/contract/viewerPermissions.js';
import { channelsSeen } from '../../../../src/gateway/packages/communities/channels/list.js';
import { isRejection } from '../../../../src/kernel/decider.js';
import type { ChannelId, CommunityId, UserId } from '../../../../src/kernel/ids.js';
import { personal } from '../../../../src/kernel/personal.js';
import { collections } from '../../../../src/projections/registry.js';
import { decode, encode } from '../../../../src/wire/codec.js';
import { readsOf } from '../../../support/reads.js';
import { nobodySees } from '../../rig/stage.js';

const community = 1n as CommunityId;
const viewer = 2n as UserId;
const channelOf = (id: bigint, name: string) => ({
  id: id as ChannelId,
  kind: 'text',
  name: personal(name),
  position: 0,
  explicit: false,
});
type Records = readonly ReturnType<typeof channelOf>[];

const callOf = (meter: Meter): Call =>
  ({
    caller: { user: viewer, session: 1n },
    meter,
    accessUpToDate: () => undefined,
  }) as unknown as Call; // The list asks for nothing else.

/** The names in the answer, where the channels become others with the last turn that is taken for it. */
const namesShown = async (atFirst: Records, atLast: Records): Promise<readonly string[]> => {
  const store = memoryDocuments();
  await store.open(collections);
  let now = atFirst;
  const access = {
    load: () => undefined,
    now: {
      ...nobodySees,
      community: () => ({ id: community, channels: now }),
      member: () => ({ owner: false, permissions: 1n }),
      inChannel: (_: CommunityId, channel: ChannelId) => (now.some(({ id }) => id === channel) ? 1n : 0n),
    },
  } as unknown as Access; // Only as much of a community as its list shows.
  let turns = 0;
  const meter: Meter = {
    ...freeMeter,
    turn: () => {
      turns += 1;
      if (turns === 2) now = atLast;
      return undefined;
    },
  };
  const answer = await channelsSeen({ access, reads: readsOf(store) }, callOf(meter), community);
  assert.ok(!isRejection(answer));
  const decoded = decode(Channels, encode(Channels, answer));
  assert.ok(decoded.ok);
  assert.equal(decoded.value.conversations.length, decoded.value.channels.length);
  return decoded.value.channels.map(({ name }) => name);
};

describe('the channels of a community', () => {
  const [one, two, three] = [channelOf(11n, 'one'), channelOf(12n, 'two'), channelOf(13n, 'three')];

  it('are shown as they are when the answer is sent, which took waits', async () => {
    assert.deepEqual(await namesShown([one, two, three], [one, channelOf(12n, 'deux'), three]), [
      'one',
      'deux',
      'three',
    ]);
  });

  it('are left out that the viewer lost sight of meanwhile', async () => {
    assert.deepEqual(await namesShown([one, two, three], [one, three]), ['one', 'three']);
  });
});
