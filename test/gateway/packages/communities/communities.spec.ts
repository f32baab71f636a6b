import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { MessageEvent } from '../../../../src/domain/messages/events.js';
import { membershipsMax, refusedAnother } from '../../../../src/gateway/packages/communities/membershipsLimit.js';
import { Channels } from '../../../../src/gen/communities.js';
import { ChannelType, NotifPrefs } from '../../../../src/gen/types.js';
import { channelChat } from '../../../../src/kernel/chat.js';
import type { EventOf } from '../../../../src/kernel/event.js';
import type { ChannelId, MessageId, UserId } from '../../../../src/kernel/ids.js';
import { allPermissions, usualPermissions } from '../../../../src/kernel/permissions.js';
import { memberships } from '../../../../src/projections/members/queries.js';
import { encode } from '../../../../src/wire/codec.js';
import type { Bare } from '../../../support/bare.js';
import { of } from '../../../../src/container/tokens.js';
import { ada } from '../../../support/house/cast.js';
import { communityNamed, openTown, settledTown, type SettledTown } from '../../../support/house/town.js';

/** A message of Ada's in a channel, which names Bob when it is to. */
const write = async (town: SettledTown, channel: ChannelId, mentions: readonly UserId[] = []): Promise<MessageId> => {
  const message = town.ids.next() as MessageId;
  const chat = channelChat(town.community, channel);
  const sent: Bare<EventOf<MessageEvent, 'MessageSent'>> = {
    type: 'MessageSent',
    data: { message, chat, author: town.ada, mentions, text: 'hello', entities: [] },
  };
  await town.happened(`message-${message.toString()}`, sent);
  return message;
};

describe('CreateCommunity', () => {
  it('tells the founder of the community, then of its first channel', async () => {
    const town = await openTown();
    assert.deepEqual(await town.must(ada, 'communitiesCreateCommunity', { name: '  Chess ' }), {});
    const community = await communityNamed(town, ada, 'Chess');
    const [first, second, ...rest] = town.heard(ada);
    assert.deepEqual(first, {
      community: {
        communityId: community,
        community: {
          id: community,
          owner: true,
          name: 'Chess',
          permissions: allPermissions,
          notifPrefs: NotifPrefs.ALL,
        },
      },
    });
    assert.equal(second?.channel?.channel?.name, 'general');
    assert.equal(second.channel.channel.type, ChannelType.TEXT);
    assert.deepEqual(rest, []);
  });
  it('needs a name', async () => {
    const town = await openTown();
    assert.equal(await town.refused(ada, 'communitiesCreateCommunity', { name: '' }), 'INVALID_NAME');
  });
  it('is refused to who is in too many, not counting those that are gone', async () => {
    const town = await openTown();
    for (let index = 0; index < membershipsMax; index += 1) {
      await town.must(ada, 'communitiesCreateCommunity', { name: `number ${index.toString()}` });
    }
    assert.equal(await town.refused(ada, 'communitiesCreateCommunity', { name: 'one more' }), 'TOO_MANY');
    await town.must(ada, 'communitiesDeleteCommunity', { communityId: await communityNamed(town, ada, 'number 7') });
    await town.must(ada, 'communitiesCreateCommunity', { name: 'one more' });
    // However often that is done, what is kept of her does not grow.
    assert.equal((await memberships(town.reads, ada)).length, membershipsMax);
  });
  it('is refused to who is in too many, and takes none away that the read models do not know yet', async () => {
    const town = await openTown();
    for (let index = 0; index < membershipsMax; index += 1) {
      await town.must(ada, 'communitiesCreateCommunity', { name: `number ${index.toString()}` });
    }
    const { store } = town.reads;
    const streams = town.get(of.streams);
    const behind = { store: { ...store, getMany: () => Promise.resolve([]) } };
    const call = { caller: { user: ada }, run: () => assert.fail('left one') };
    assert.equal((await refusedAnother({ reads: behind, streams }, call))?.rejected, 'TOO_MANY');
  });
});

describe('GetCommunities', () => {
  it('shows each member their own rights', async () => {
    const town = await settledTown();
    const seenBy = async (user: UserId) => {
      const { communities } = await town.must(user, 'communitiesGetCommunities', {});
      return communities.communities.map(({ owner, permissions }) => ({ owner, permissions }));
    };
    assert.deepEqual(await seenBy(town.ada), [{ owner: true, permissions: allPermissions }]);
    assert.deepEqual(await seenBy(town.bob), [{ owner: false, permissions: usualPermissions }]);
    assert.deepEqual(await seenBy(town.cleo), []);
  });
  it('counts nothing from before the joining, nor from before the channel was shown', async () => {
    const town = await settledTown();
    await write(town, town.general, [town.cleo]);
    await town.must(town.cleo, 'authUseInvite', { code: town.code });
    const unreadOf = async () => {
      const { communities } = await town.must(town.cleo, 'communitiesGetCommunities', {});
      const [info] = communities.communityUserInfo;
      return [info?.unreadCount, info?.unreadMentionCount];
    };
    assert.deepEqual(await unreadOf(), [0, 0]);
    await write(town, town.general, [town.cleo]);
    assert.deepEqual(await unreadOf(), [1, 1]);
    const everybody = { communityId: town.community, channelId: town.general, roleId: 0n as never };
    const permissions = { pos: 0n, neg: 2n };
    await town.must(town.ada, 'communitiesCreateChannelOverride', { ...everybody, permissions });
    await write(town, town.general, [town.cleo]);
    await town.must(town.ada, 'communitiesDeleteChannelOverride', everybody);
    assert.deepEqual(await unreadOf(), [0, 0]);
  });
  it('sums up what is unread in the channels that the reader sees', async () => {
    const town = await settledTown();
    await town.must(town.ada, 'communitiesCreateChannel', { communityId: town.community, name: 'secret', type: 0 });
    const { channels } = (await town.must(town.ada, 'communitiesGetChannels', { communityId: town.community }))
      .channels;
    const secret = channels.find(({ name }) => name === 'secret')?.id ?? (0n as ChannelId);
    await town.must(town.ada, 'communitiesCreateChannelOverride', {
      communityId: town.community,
      channelId: secret,
      roleId: 0n as never,
      permissions: { pos: 0n, neg: 2n },
    });
    await write(town, town.general);
    await write(town, town.general, [town.bob]);
    await write(town, secret, [town.bob]);
    const { communities } = await town.must(town.bob, 'communitiesGetCommunities', {});
    assert.deepEqual(communities.communityUserInfo, [
      { communityId: town.community, unreadCount: 2, unreadMentionCount: 1 },
    ]);
  });
});

describe('GetChannels', () => {
  it('gives each channel its conversation, and the newest message of it', async () => {
    const town = await settledTown();
    await town.must(town.ada, 'communitiesCreateChannel', { communityId: town.community, name: 'talk', type: 1 });
    await town.must(town.ada, 'communitiesCreateChannel', { communityId: town.community, name: 'staff', type: 2 });
    const message = await write(town, town.general);
    const answer = await town.must(town.bob, 'communitiesGetChannels', { communityId: town.community });
    const { channels, conversations, messages } = answer.channels;
    assert.deepEqual(
      channels.map(({ name }) => name),
      ['general', 'talk', 'staff'],
    );
    assert.deepEqual(conversations[0], {
      chatRef: { channel: { communityId: town.community, channelId: town.general } },
      lastMessageId: message,
      lastReadMessageId: town.rules.unreadFloorIn(channelChat(town.community, town.general))(town.bob),
      unreadCount: 1,
      permissions: { pos: 0n, neg: 0n },
      notifPrefs: NotifPrefs.DEFAULT,
      unreadMentionsCount: 0,
    });
    assert.equal(conversations[1]?.lastMessageId, channels[1]?.id);
    assert.equal(conversations.length, 2);
    assert.deepEqual(
      messages.map(({ messageId }) => messageId),
      [message],
    );
  });
  it('is for members', async () => {
    const town = await settledTown();
    const refused = await town.refused(town.cleo, 'communitiesGetChannels', { communityId: town.community });
    assert.equal(refused, 'COMMUNITY_NOT_FOUND');
  });
  it('stays below a megabyte, whatever there is to say', async () => {
    const town = await settledTown();
    const description = '…'.repeat(1024);
    for (let index = 0; index < 499; index += 1) {
      const channel = town.ids.next() as ChannelId;
      const about = { community: town.community, channel, by: town.ada };
      const stream = `community-${town.community.toString()}`;
      const made = { ...about, kind: 'text', position: index + 1, name: '…'.repeat(100) };
      await town.unnoticed(stream, { type: 'ChannelCreated', data: made });
      await town.unnoticed(stream, { type: 'ChannelDescribed', data: { ...about, description } });
    }
    await town.settled();
    const answer = await town.must(town.bob, 'communitiesGetChannels', { communityId: town.community });
    assert.equal(answer.channels.channels.length, 500);
    assert.ok(encode(Channels, answer.channels).length < 1_000_000);
  });
});

describe('LeaveCommunity', () => {
  it('tells the others of the member, and the leaver of the community', async () => {
    const town = await settledTown();
    const { ada, bob, community: communityId } = town;
    await town.must(bob, 'communitiesLeaveCommunity', { communityId });
    assert.deepEqual(town.heard(ada), [{ communityMemberDeleted: { communityId, memberId: bob } }]);
    assert.deepEqual(town.heard(bob), [{ communityDeleted: { communityId } }]);
    assert.equal(await town.refused(bob, 'communitiesLeaveCommunity', { communityId }), 'COMMUNITY_NOT_FOUND');
  });
  it('is not for the owner', async () => {
    const { ada, community: communityId, refused } = await settledTown();
    assert.equal(await refused(ada, 'communitiesLeaveCommunity', { communityId }), 'OWNER_CANNOT_LEAVE');
  });
});

describe('DeleteCommunity', () => {
  it('tells everybody who was in it, and nobody finds it after', async () => {
    const town = await settledTown();
    const { ada, bob, cleo, community: communityId } = town;
    await town.must(ada, 'communitiesDeleteCommunity', { communityId });
    for (const member of [ada, bob]) assert.deepEqual(town.heard(member), [{ communityDeleted: { communityId } }]);
    assert.equal(await town.refused(ada, 'communitiesGetRoles', { communityId }), 'COMMUNITY_NOT_FOUND');
    assert.equal(await town.refused(cleo, 'authUseInvite', { code: town.code }), 'INVITE_NOT_FOUND');
    const left = await town.must(bob, 'communitiesGetCommunities', {});
    assert.deepEqual(left.communities.communities, []);
  });
  it('is for the owner', async () => {
    const { bob, cleo, community: communityId, refused } = await settledTown();
    assert.equal(await refused(bob, 'communitiesDeleteCommunity', { communityId }), 'NOT_OWNER');
    assert.equal(await refused(cleo, 'communitiesDeleteCommunity', { communityId }), 'COMMUNITY_NOT_FOUND');
  });
});
