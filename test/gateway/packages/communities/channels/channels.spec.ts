import assert from 'node:assert/strict';
import { of } from '../../../../../src/container/tokens.js';
import { describe, it } from 'node:test';
import type { MessageEvent } from '../../../../../src/domain/messages/events.js';
import { channelChat } from '../../../../../src/kernel/chat.js';
import type { EventOf } from '../../../../../src/kernel/event.js';
import type { ChannelId, MessageId, RoleId, UserId } from '../../../../../src/kernel/ids.js';
import { permission } from '../../../../../src/kernel/permissions.js';
import type { Bare } from '../../../../support/bare.js';
import { channelNamed, empowered, settledTown, type SettledTown } from '../../../../support/house/town.js';

const { viewChannel, modifyChannel } = permission;
const nobody = 0n as RoleId;
const category = 2;

const create = async (town: SettledTown, name: string, { type = 0, parentId = 0n } = {}): Promise<ChannelId> => {
  await town.must(town.ada, 'communitiesCreateChannel', {
    communityId: town.community,
    name,
    type: type as 0,
    parentId: parentId as ChannelId,
  });
  const id = await channelNamed(town, town.ada, name);
  forget(town);
  return id;
};
const forget = (town: SettledTown): void => {
  for (const user of [town.ada, town.bob, town.cleo]) town.heard(user);
  town.told();
};
const refOf = (town: SettledTown, channelId: ChannelId) => ({ communityId: town.community, channelId });
/** From everybody but those who are above overrides. */
const hide = async (town: SettledTown, channelId: ChannelId): Promise<void> => {
  const permissions = { pos: 0n, neg: viewChannel };
  const override = { ...refOf(town, channelId), roleId: nobody, permissions };
  await town.must(town.ada, 'communitiesCreateChannelOverride', override);
};
/** Which channels the user was told of, and what. */
const channelsHeard = (town: SettledTown, user: UserId): readonly unknown[] =>
  town.heard(user).map(({ channel, channelDeleted, conversationPermissions: permissions }) => {
    if (channel !== undefined) return ['channel', channel.channel?.id, channel.channel?.position];
    if (channelDeleted !== undefined) return ['deleted', channelDeleted.channel?.channelId];
    return ['permissions', permissions?.chatRef?.channel?.channelId, permissions?.permissions];
  });

describe('CreateChannel', () => {
  it('tells all who see it', async () => {
    const town = await settledTown();
    await town.must(town.ada, 'communitiesCreateChannel', { communityId: town.community, name: 'random', type: 0 });
    for (const user of [town.ada, town.bob]) {
      const [update, ...rest] = town.heard(user);
      assert.equal(update?.channel?.channel?.name, 'random');
      assert.deepEqual(rest, []);
    }
    assert.deepEqual(town.heard(town.cleo), []);
  });
  it('under a hidden category tells only those who see that', async () => {
    const town = await settledTown();
    const staff = await create(town, 'staff', { type: category });
    await hide(town, staff);
    assert.deepEqual(channelsHeard(town, town.bob), [['deleted', staff]]);
    await create(town, 'plans', { parentId: staff });
    const plans = await channelNamed(town, town.ada, 'plans');
    assert.deepEqual(town.heard(town.bob), []);
    const edit = { channel: refOf(town, plans), name: 'x' };
    assert.equal(await town.refused(town.bob, 'communitiesEditChannel', edit), 'CHANNEL_NOT_FOUND');
  });
  it('takes the permission', async () => {
    const town = await settledTown();
    const request = { communityId: town.community, name: 'random', type: 0 } as const;
    assert.equal(await town.refused(town.bob, 'communitiesCreateChannel', request), 'MISSING_PERMISSION');
    assert.equal(await town.refused(town.cleo, 'communitiesCreateChannel', request), 'COMMUNITY_NOT_FOUND');
    await empowered(town, modifyChannel);
    await town.must(town.bob, 'communitiesCreateChannel', request);
  });
  it('knows three types, and categories one sees', async () => {
    const town = await settledTown();
    const request = { communityId: town.community, name: 'random', type: 0 } as const;
    const strange = { ...request, type: 7 as 0 };
    assert.equal(await town.refused(town.ada, 'communitiesCreateChannel', strange), 'INVALID_ARGUMENT');
    const staff = await create(town, 'staff', { type: category });
    await hide(town, staff);
    await empowered(town, modifyChannel);
    const under = { ...request, parentId: staff };
    assert.equal(await town.refused(town.bob, 'communitiesCreateChannel', under), 'INVALID_PARENT');
  });
});

describe('EditChannel', () => {
  it('tells each channel that moved', async () => {
    const town = await settledTown();
    const random = await create(town, 'random');
    await town.must(town.ada, 'communitiesEditChannel', { channel: refOf(town, random), position: 0 });
    assert.deepEqual(channelsHeard(town, town.bob), [
      ['channel', random, 0],
      ['channel', town.general, 1],
    ]);
  });
  it('into a hidden category takes it from sight, and out of it leaves it hidden', async () => {
    const town = await settledTown();
    const staff = await create(town, 'staff', { type: category });
    const random = await create(town, 'random');
    await hide(town, staff);
    forget(town);
    await town.must(town.ada, 'communitiesEditChannel', { channel: refOf(town, random), parentId: staff });
    assert.deepEqual(channelsHeard(town, town.bob), [['deleted', random]]);
    const out = { channel: refOf(town, random), parentId: 0n as ChannelId };
    await town.must(town.ada, 'communitiesEditChannel', out);
    assert.deepEqual(town.heard(town.bob), []);
  });
  it('highlights a message of the channel, and takes it down', async () => {
    const town = await settledTown();
    const message = town.ids.next() as MessageId;
    const chat = channelChat(town.community, town.general);
    const data = { message, chat, author: town.ada, mentions: [], text: 'hello', entities: [] };
    const sent: Bare<EventOf<MessageEvent, 'MessageSent'>> = { type: 'MessageSent', data };
    await town.happened(`message-${message.toString()}`, sent);
    town.heard(town.bob);
    const highlighting = (id?: MessageId, channelId = town.general) =>
      ({ channel: refOf(town, channelId), highlightedMsgId: { highlightedMsgId: id } }) as const;
    const highlighted = () => town.heard(town.bob).map(({ channel }) => channel?.channel?.highlightedMsgId);

    await town.must(town.ada, 'communitiesEditChannel', highlighting(message));
    assert.deepEqual(highlighted(), [message]);
    await town.must(town.ada, 'communitiesEditChannel', highlighting());
    assert.deepEqual(highlighted(), [undefined]);
    const random = await create(town, 'random');
    const elsewhere = highlighting(message, random);
    assert.equal(await town.refused(town.ada, 'communitiesEditChannel', elsewhere), 'MESSAGE_NOT_FOUND');
  });
  it('highlights no message that was deleted, not even while it was asked for', async (t) => {
    const town = await settledTown();
    const message = town.ids.next() as MessageId;
    const about = { message, chat: channelChat(town.community, town.general), author: town.ada };
    const stream = `message-${message.toString()}`;
    const sent: Bare<EventOf<MessageEvent, 'MessageSent'>> = {
      type: 'MessageSent',
      data: { ...about, mentions: [], text: 'hello', entities: [] },
    };
    await town.happened(stream, sent);
    const { caughtUp } = town.get(of.streams);
    const thenDeleted: typeof caughtUp = async (...wanted) => {
      const found = await caughtUp(...wanted);
      await town.happened(stream, { type: 'MessageDeleted', data: { ...about, by: town.ada } });
      return found;
    };
    t.mock.method(town.get(of.streams), 'caughtUp').mock.mockImplementationOnce(thenDeleted);
    const edit = { channel: refOf(town, town.general), highlightedMsgId: { highlightedMsgId: message } };
    await town.must(town.ada, 'communitiesEditChannel', edit);
    const { channels } = (await town.must(town.bob, 'communitiesGetChannels', { communityId: town.community }))
      .channels;
    assert.deepEqual(
      channels.map(({ highlightedMsgId }) => highlightedMsgId),
      [undefined],
    );
    assert.equal(await town.refused(town.ada, 'communitiesEditChannel', edit), 'MESSAGE_NOT_FOUND');
  });
  it('takes the permission and the channel', async () => {
    const town = await settledTown();
    const edit = (channelId: ChannelId) => ({ channel: refOf(town, channelId), name: 'x' });
    const lost = town.ids.next() as ChannelId;
    assert.equal(await town.refused(town.bob, 'communitiesEditChannel', edit(town.general)), 'MISSING_PERMISSION');
    assert.equal(await town.refused(town.ada, 'communitiesEditChannel', edit(lost)), 'CHANNEL_NOT_FOUND');
    assert.equal(await town.refused(town.cleo, 'communitiesEditChannel', edit(town.general)), 'COMMUNITY_NOT_FOUND');
    assert.equal(await town.refused(town.ada, 'communitiesEditChannel', { name: 'x' }), 'INVALID_ARGUMENT');
  });
});

describe('DeleteChannel', () => {
  it('tells those who saw it', async () => {
    const town = await settledTown();
    const random = await create(town, 'random');
    await town.must(town.ada, 'communitiesDeleteChannel', { channel: refOf(town, random) });
    assert.deepEqual(channelsHeard(town, town.bob), [['deleted', random]]);
    const again = await town.refused(town.ada, 'communitiesDeleteChannel', { channel: refOf(town, random) });
    assert.equal(again, 'CHANNEL_NOT_FOUND');
  });
  it('of a hidden category shows its channels to nobody else', async () => {
    const town = await settledTown();
    const staff = await create(town, 'staff', { type: category });
    await hide(town, staff);
    const plans = await create(town, 'plans', { parentId: staff });
    await town.must(town.ada, 'communitiesDeleteChannel', { channel: refOf(town, staff) });
    assert.deepEqual(channelsHeard(town, town.ada), [
      ['channel', plans, 2],
      ['deleted', staff],
    ]);
    assert.deepEqual(town.heard(town.bob), []);
  });
});

describe('an override', () => {
  it('is told to those whose sight or rights it changes, and to nobody else', async () => {
    const town = await settledTown();
    const silence = { ...refOf(town, town.general), roleId: nobody, permissions: { pos: 0n, neg: 4n } };
    const answer = await town.must(town.ada, 'communitiesCreateChannelOverride', silence);
    assert.deepEqual(answer.channelOverride.override, {
      communityId: town.community,
      channelId: town.general,
      roleId: nobody,
      permissions: { pos: 0n, neg: 4n },
    });
    assert.deepEqual(channelsHeard(town, town.bob), [['permissions', town.general, { pos: 0n, neg: 4n }]]);
    assert.deepEqual(town.heard(town.ada), []);
  });
  it('of the community’s own id is one of everybody, and is listed as such', async () => {
    const town = await settledTown();
    const roleId = town.community as bigint as RoleId;
    const about = refOf(town, town.general);
    await town.must(town.ada, 'communitiesCreateChannelOverride', {
      ...about,
      roleId,
      permissions: { pos: 0n, neg: 4n },
    });
    const { channelOverrides } = await town.must(town.bob, 'communitiesGetChannelOverrides', about);
    assert.deepEqual(
      channelOverrides.overrides.map((override) => override.roleId),
      [nobody],
    );
    await town.must(town.ada, 'communitiesDeleteChannelOverride', { ...about, roleId });
    const after = await town.must(town.bob, 'communitiesGetChannelOverrides', about);
    assert.deepEqual(after.channelOverrides, { overrides: [], parentSync: false });
  });
  it('in a category is told for each channel that follows it, and gives the channel back with its rights', async () => {
    const town = await settledTown();
    const staff = await create(town, 'staff', { type: category });
    const plans = await create(town, 'plans', { parentId: staff });
    await hide(town, staff);
    assert.deepEqual(channelsHeard(town, town.bob), [
      ['deleted', staff],
      ['deleted', plans],
    ]);
    const { channelOverrides } = await town.must(town.ada, 'communitiesGetChannelOverrides', refOf(town, plans));
    assert.equal(channelOverrides.parentSync, true);
    const mine = await empowered(town, 0n);
    const back = { ...refOf(town, staff), roleId: mine, permissions: { pos: viewChannel, neg: 4n } };
    await town.must(town.ada, 'communitiesCreateChannelOverride', back);
    assert.deepEqual(channelsHeard(town, town.bob), [
      ['channel', staff, 1],
      ['channel', plans, 0],
      ['permissions', plans, { pos: 0n, neg: 4n }],
    ]);
  });
  it('takes the permission', async () => {
    const town = await settledTown();
    const about = { ...refOf(town, town.general), roleId: nobody };
    const request = { ...about, permissions: { pos: 0n, neg: 4n } };
    assert.equal(await town.refused(town.bob, 'communitiesCreateChannelOverride', request), 'MISSING_PERMISSION');
    assert.equal(await town.refused(town.bob, 'communitiesDeleteChannelOverride', about), 'MISSING_PERMISSION');
    assert.equal(await town.refused(town.cleo, 'communitiesGetChannelOverrides', about), 'COMMUNITY_NOT_FOUND');
    await empowered(town, modifyChannel);
    await town.must(town.bob, 'communitiesCreateChannelOverride', request);
  });
});

describe('a category that a member does not see', () => {
  /** Of each update about a channel that the user was sent: the channel, and the category that it names. */
  const parentsHeard = (town: SettledTown, user: UserId): readonly unknown[] =>
    town
      .heard(user)
      .filter(({ channel, channelDeleted }) => channel !== undefined || channelDeleted !== undefined)
      .map(({ channel, channelDeleted }) =>
        channel === undefined
          ? ['deleted', channelDeleted?.channel?.channelId]
          : [channel.channel?.id, channel.channel?.parentId ?? 0n],
      );
  const parentListed = async (town: SettledTown, user: UserId, id: ChannelId): Promise<unknown> => {
    const { channels } = await town.must(user, 'communitiesGetChannels', { communityId: town.community });
    return channels.channels.find((channel) => channel.id === id)?.parentId ?? 0n;
  };
  const parentInChat = async (town: SettledTown, user: UserId, id: ChannelId): Promise<unknown> =>
    (await town.must(user, 'chatsGetChat', { chatRef: { channel: refOf(town, id) } })).chat.channel?.parentId ?? 0n;
  const shownTo = (channel: ChannelId, town: SettledTown) => ({
    ...refOf(town, channel),
    roleId: nobody,
    permissions: { pos: viewChannel, neg: 0n },
  });
  /** `plans` is in `staff`, has overrides of its own, and everybody sees both. */
  const staffed = async () => {
    const town = await settledTown();
    const staff = await create(town, 'staff', { type: category });
    const plans = await create(town, 'plans', { parentId: staff });
    await town.must(town.ada, 'communitiesCreateChannelOverride', shownTo(plans, town));
    forget(town);
    return { town, staff, plans };
  };

  it('is named by no list, chat or update', async () => {
    const { town, staff, plans } = await staffed();
    assert.equal(await parentListed(town, town.bob, plans), staff);
    await hide(town, staff);
    for (const ask of [parentListed, parentInChat]) {
      assert.equal(await ask(town, town.ada, plans), staff);
      assert.equal(await ask(town, town.bob, plans), 0n);
    }
    forget(town);
    await town.must(town.ada, 'communitiesEditChannel', { channel: refOf(town, plans), name: 'ideas' });
    assert.deepEqual(parentsHeard(town, town.ada), [[plans, staff]]);
    assert.deepEqual(parentsHeard(town, town.bob), [[plans, 0n]]);
  });

  it('is told of with the channels in it, as soon as it is hidden or shown', async () => {
    const { town, staff, plans } = await staffed();
    await hide(town, staff);
    assert.deepEqual(parentsHeard(town, town.bob), [
      [plans, 0n],
      ['deleted', staff],
    ]);
    assert.deepEqual(parentsHeard(town, town.ada), []);
    await town.must(town.ada, 'communitiesCreateChannelOverride', shownTo(staff, town));
    assert.deepEqual(parentsHeard(town, town.bob), [
      [staff, 0n],
      [plans, staff],
    ]);
    assert.deepEqual(parentsHeard(town, town.ada), []);
  });

  it('keeps a channel that somebody moves to where they were shown it', async () => {
    const { town, staff, plans } = await staffed();
    await empowered(town, modifyChannel);
    await hide(town, staff);
    const channel = refOf(town, plans);
    assert.equal(
      await town.refused(town.bob, 'communitiesEditChannel', { channel, parentId: staff }),
      'INVALID_PARENT',
    );
    await town.must(town.bob, 'communitiesEditChannel', { channel, parentId: 0n as ChannelId, name: 'ideas' });
    assert.equal(await parentListed(town, town.ada, plans), staff);
    await town.must(town.ada, 'communitiesEditChannel', { channel, parentId: 0n as ChannelId });
    assert.equal(await parentListed(town, town.ada, plans), 0n);
  });
});
