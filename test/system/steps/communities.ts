import { ChannelType } from '../../../src/gen/types.js';
import { permission } from '../../../src/kernel/permissions.js';
import { createChannel, inviteTo } from '../places.js';
import { everybody } from '../townsfolk.js';
import { all, alices, both, idOf, members, membersAndEve, secretRef, usual, type Step } from './step.js';

export const comingAndGoing: readonly Step[] = [
  {
    title: 'a new community is told to its founder',
    when: (w) => w.alice.do('communitiesCreateCommunity', { name: 'Village' }),
    hears: alices(`community Village, owner with ${all}`, 'channel general of Village, position 0'),
  },
  {
    title: 'who joins is told of the community and of what they see in it, and everybody of them',
    when: async (w) => w.eve.do('authUseInvite', { code: await inviteTo(w.alice, { community: w.town, ...w }) }),
    hears: {
      ...members('eve (Eve) joins Town'),
      eve: [`community Town, member with ${usual}`, 'channel general of Town, position 0', 'eve (Eve) joins Town'],
    },
  },
  {
    title: 'who joins again is told nothing, and neither is anybody else',
    when: async (w) => w.eve.do('authUseInvite', { code: await inviteTo(w.alice, { community: w.town, ...w }) }),
    hears: {},
  },
  {
    title: 'a nickname is told to all members',
    when: (w) => w.bob.do('communitiesEditMember', { communityId: w.town, memberId: w.bob.user, nickname: 'Bobby' }),
    hears: membersAndEve('member bob of Town is "Bobby" with [insider]'),
  },
  {
    title: 'a role is told to all members, and its holder of the rights and of the channel that come with it',
    when: (w) =>
      w.alice.do('communitiesEditMember', {
        communityId: w.town,
        memberId: w.eve.user,
        roleIds: { roleIds: [w.insider, w.helper] },
      }),
    hears: {
      ...members('member eve of Town is "" with [insider,helper]'),
      eve: [
        'member eve of Town is "" with [insider,helper]',
        `community Town, member with ${(4398 + 64).toString()}`,
        'channel secret of Town, position 1',
      ],
    },
  },
];

export const roles: readonly Step[] = [
  {
    title: 'a new role is hinted to all members',
    when: (w) => w.alice.do('communitiesCreateRole', { communityId: w.town, name: 'extra', priority: 2 }),
    hears: {
      ...alices(`community Town, owner with ${all}`),
      bob: [`community Town, member with ${usual}`],
      carl: [`community Town, member with ${usual}`],
      eve: [`community Town, member with ${(4398 + 64).toString()}`],
    },
  },
  {
    title: 'other rights of a role are told to all members, with the rights of each',
    when: (w) =>
      w.alice.do('communitiesEditRole', {
        communityId: w.town,
        id: w.helper,
        name: 'helper',
        priority: 1,
        permissions: permission.pinMessages,
      }),
    hears: {
      ...alices(`community Town, owner with ${all}`),
      bob: [`community Town, member with ${usual}`],
      carl: [`community Town, member with ${usual}`],
      eve: [`community Town, member with ${(4398 + 128).toString()}`],
    },
  },
  {
    title: 'the end of a role is told to all members, and its holders lose what it showed them',
    when: (w) => w.alice.do('communitiesDeleteRole', { communityId: w.town, id: w.insider }),
    hears: {
      ...alices(
        `community Town, owner with ${all}`,
        'member bob of Town is "Bobby" with []',
        'member eve of Town is "" with [helper]',
      ),
      bob: [
        `community Town, member with ${usual}`,
        'member bob of Town is "Bobby" with []',
        'member eve of Town is "" with [helper]',
        'channel secret of Town is gone',
      ],
      carl: [
        `community Town, member with ${usual}`,
        'member bob of Town is "Bobby" with []',
        'member eve of Town is "" with [helper]',
      ],
      eve: [
        `community Town, member with ${(4398 + 128).toString()}`,
        'member bob of Town is "Bobby" with []',
        'member eve of Town is "" with [helper]',
        'channel secret of Town is gone',
      ],
    },
  },
];

export const channels: readonly Step[] = [
  {
    title: 'a new channel is told to all who see it',
    when: (w) => w.alice.do('communitiesCreateChannel', { communityId: w.town, name: 'plans', type: ChannelType.TEXT }),
    hears: membersAndEve('channel plans of Town, position 2'),
  },
  {
    title: 'a change of a channel is told to all who see it',
    when: (w) => w.alice.do('communitiesEditChannel', { channel: secretRef(w), name: 'hidden' }),
    hears: alices('channel hidden of Town, position 1'),
  },
  {
    title: 'a channel that moves is told with those that it moves, to each what they see',
    when: (w) => w.alice.do('communitiesEditChannel', { channel: secretRef(w), position: 0 }),
    hears: both(membersAndEve('channel general of Town, position 1'), {
      ...alices('channel hidden of Town, position 0', 'channel general of Town, position 1'),
    }),
  },
  {
    title: 'an override is told to those for whom it changes something',
    when: (w) =>
      w.alice.do('communitiesCreateChannelOverride', {
        communityId: w.town,
        channelId: w.general,
        roleId: everybody,
        permissions: { neg: permission.sendMessages },
      }),
    hears: {
      bob: ['permissions in #general of Town: +0 -4'],
      carl: ['permissions in #general of Town: +0 -4'],
      eve: ['permissions in #general of Town: +0 -4'],
    },
  },
  {
    title: 'and so is its end',
    when: (w) =>
      w.alice.do('communitiesDeleteChannelOverride', {
        communityId: w.town,
        channelId: w.general,
        roleId: everybody,
      }),
    hears: {
      bob: ['permissions in #general of Town: +0 -0'],
      carl: ['permissions in #general of Town: +0 -0'],
      eve: ['permissions in #general of Town: +0 -0'],
    },
  },
  {
    title: 'an override that hides a channel is its end for those who lose it',
    when: (w) =>
      w.alice.do('communitiesCreateChannelOverride', {
        communityId: w.town,
        channelId: w.general,
        roleId: everybody,
        permissions: { neg: permission.viewChannel },
      }),
    hears: {
      bob: ['channel general of Town is gone'],
      carl: ['channel general of Town is gone'],
      eve: ['channel general of Town is gone'],
    },
  },
  {
    title: 'and its beginning for those who get it back',
    when: (w) =>
      w.alice.do('communitiesDeleteChannelOverride', {
        communityId: w.town,
        channelId: w.general,
        roleId: everybody,
      }),
    hears: {
      bob: ['channel general of Town, position 1'],
      carl: ['channel general of Town, position 1'],
      eve: ['channel general of Town, position 1'],
    },
  },
  {
    title: 'a channel in a hidden category is told to nobody who does not see the category',
    given: async (w) => {
      const attic = await createChannel(w.alice, w.town, { name: 'attic', type: ChannelType.CATEGORY });
      const where = { communityId: w.town, channelId: attic, roleId: everybody };
      await w.alice.do('communitiesCreateChannelOverride', { ...where, permissions: { neg: permission.viewChannel } });
    },
    when: (w) =>
      w.alice.do('communitiesCreateChannel', {
        communityId: w.town,
        name: 'trunk',
        type: ChannelType.TEXT,
        parentId: idOf(w, 'attic'),
      }),
    hears: alices('channel trunk of Town, position 0'),
  },
  {
    title: 'the end of a category is told with its channels, which stay hidden',
    when: (w) =>
      w.alice.do('communitiesDeleteChannel', { channel: { communityId: w.town, channelId: idOf(w, 'attic') } }),
    hears: alices('channel trunk of Town, position 4', 'channel attic of Town is gone'),
  },
  {
    title: 'the end of a channel is told to those who saw it',
    when: (w) => w.alice.do('communitiesDeleteChannel', { channel: secretRef(w) }),
    hears: alices('channel hidden of Town is gone'),
  },
];
