import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { communities } from '../../../../src/domain/communities/decide.js';
import type { Call } from '../../../../src/gateway/contract/call.js';
import { freeMeter } from '../../../../src/gateway/contract/meter.js';
import type { CommunityNeeds } from '../../../../src/gateway/packages/communities/needs.js';
import { communityRpcs } from '../../../../src/gateway/packages/communities/rpcs.js';
import { Channels, Communities } from '../../../../src/gen/communities.js';
import { NotifPrefs } from '../../../../src/gen/types.js';
import { isRejection } from '../../../../src/kernel/decider.js';
import type { UserId } from '../../../../src/kernel/ids.js';
import { nextTurn } from '../../../../src/kernel/timing.js';
import { decode, encode } from '../../../../src/wire/codec.js';
import { readsOf } from '../../../support/reads.js';
import { ada, bob, chatOfStaff, cleo, founded, guild, joined, left, sent } from '../../access/facts.js';
import { nodeOf, type Node } from '../../access/node.js';

let node: Node;
/** Happens in the wait of this number. */
let happening: { at: number; work: () => Promise<void> } | undefined;
let waits: number;

/** In which everything leaves memory that may. */
const wait = async (): Promise<void> => {
  waits += 1;
  if (waits === happening?.at) await happening.work();
  await nextTurn();
  await nextTurn();
  assert.equal(node.rules.community(guild), undefined);
};

const rpcs = () =>
  communityRpcs({
    access: node.access,
    reads: readsOf(node.store),
    streams: { caughtUp: () => wait().then(() => ({ state: { ...communities.initial, status: 'living' } })) },
  } as unknown as CommunityNeeds); // These requests need nothing else.

const callOf = (user: UserId): Call =>
  ({
    caller: { user, session: 11n },
    meter: { ...freeMeter, turn: wait },
    upToDate: () => node.project(),
    accessUpToDate: () => undefined,
    run: wait,
  }) as unknown as Call; // They ask for nothing else.

const channelsFor = async (user: UserId) => {
  const answer = await rpcs().communitiesGetChannels({ communityId: guild }, callOf(user));
  if (isRejection(answer)) return answer.rejected;
  const decoded = decode(Channels, encode(Channels, answer.channels));
  assert.ok(decoded.ok);
  const { channels, conversations } = decoded.value;
  return { channels: channels.length, unread: conversations.map(({ unreadCount }) => unreadCount) };
};

const communitiesOf = async (user: UserId): Promise<readonly unknown[]> => {
  const answer = await rpcs().communitiesGetCommunities({}, callOf(user));
  assert.ok(!isRejection(answer));
  const decoded = decode(Communities, encode(Communities, answer.communities));
  assert.ok(decoded.ok);
  const { communities: shown, communityUserInfo } = decoded.value;
  return [shown.map(({ id }) => id), communityUserInfo.map(({ communityId }) => communityId)];
};

describe('a community that leaves memory whenever a request waits', () => {
  beforeEach(async () => {
    [happening, waits] = [undefined, 0];
    node = await nodeOf({ communityBytesMax: 0 });
    await node.append(...founded(), joined(cleo), sent(1n, ada, chatOfStaff), joined(bob));
    await node.tell();
    for (const user of [ada, bob, cleo]) await node.renderer.connect(user);
    await nextTurn();
  });

  it('is shown with all its channels, and what is unread in them', async () => {
    assert.deepEqual(await channelsFor(cleo), { channels: 3, unread: [0, 1] });
    assert.deepEqual(await channelsFor(bob), { channels: 3, unread: [0, 0] }, 'Bob joined after the message');
  });

  it('is no empty one for somebody who left it meanwhile', async () => {
    await channelsFor(bob);
    happening = { at: waits, work: () => node.happens(left(bob)) };
    waits = 0;
    assert.equal(await channelsFor(bob), 'COMMUNITY_NOT_FOUND');
  });

  it('answers with its settings', async () => {
    const request = { communityId: guild, settings: { defaultNotifPrefs: NotifPrefs.NONE } };
    const answer = await rpcs().communitiesEditSettings(request, callOf(ada));
    assert.ok(!isRejection(answer), JSON.stringify(answer));
  });

  it('is listed, unless it was left while its messages were counted', async () => {
    assert.deepEqual(await communitiesOf(bob), [[guild], [guild]]);
    happening = { at: waits, work: () => node.happens(left(bob)) };
    waits = 0;
    assert.deepEqual(await communitiesOf(bob), [[], []]);
  });
});
