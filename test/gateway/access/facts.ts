import { channelChat, type ChatKey } from '../../../src/kernel/chat.js';
import type { ChannelId, CommunityId, MessageId, RoleId, UserId } from '../../../src/kernel/ids.js';
import { usualPermissions } from '../../../src/kernel/permissions.js';
import { ada, bob, cleo, community } from '../../support/house/cast.js';
import type { AnyEvent } from './node.js';

export { ada, bob, cleo };
export const guild = community;
export const other = 101n as CommunityId;
export const category = 200n as ChannelId;
export const general = 201n as ChannelId;
export const staff = 202n as ChannelId;
export const helper = 300n as RoleId;
export const admin = 301n as RoleId;
export const muted = 302n as RoleId;
export const everybody = 0n as RoleId;

/** Founded by ada, with a category and the text channels `general` and `staff` at the top level. */
export const founded = (community = guild, owner = ada): readonly AnyEvent[] => [
  {
    type: 'CommunityCreated',
    data: { community, owner, defaultPermissions: usualPermissions, name: 'guild' },
  },
  channelMade(category, 'category', 0, community),
  channelMade(general, 'text', 1, community),
  channelMade(staff, 'text', 2, community),
  joined(owner, community),
];

const channelMade = (
  channel: ChannelId,
  kind: 'text' | 'category',
  position: number,
  community: CommunityId,
): AnyEvent => ({
  type: 'ChannelCreated',
  data: { community, channel, kind, position, by: ada, name: kind },
});

export const joined = (user: UserId, community = guild): AnyEvent => ({
  type: 'MemberJoined',
  data: { community, user, via: 'invite', joining: 1 },
});
export const left = (user: UserId, community = guild): AnyEvent => ({
  type: 'MemberLeft',
  data: { community, user },
});
export const rolesSet = (user: UserId, ...roles: readonly RoleId[]): AnyEvent => ({
  type: 'RolesSet',
  data: { community: guild, user, roles, by: ada },
});
export const role = (id: RoleId, permissions: bigint, priority = 1): AnyEvent =>
  roleEvent('RoleCreated', id, permissions, priority);
export const roleEdited = (id: RoleId, permissions: bigint): AnyEvent => roleEvent('RoleEdited', id, permissions, 1);
export const roleRenamed = (id: RoleId, permissions: bigint): AnyEvent => {
  const event = roleEvent('RoleEdited', id, permissions, 1);
  return { ...event, data: { ...event.data, name: 'another name' } };
};
const roleEvent = (
  what: 'RoleCreated' | 'RoleEdited',
  id: RoleId,
  permissions: bigint,
  priority: number,
): Extract<AnyEvent, { readonly type: 'RoleCreated' | 'RoleEdited' }> => ({
  type: what,
  data: {
    community: guild,
    role: id,
    permissions,
    priority,
    color: 0,
    separated: false,
    public: false,
    by: ada,
    name: 'role',
  },
});
export const roleDeleted = (id: RoleId): AnyEvent => ({
  type: 'RoleDeleted',
  data: { community: guild, role: id, by: ada },
});
export const override = (
  channel: ChannelId,
  id: RoleId,
  { pos = 0n, neg = 0n }: { readonly pos?: bigint; readonly neg?: bigint },
): AnyEvent => ({
  type: 'OverrideSet',
  data: { community: guild, channel, role: id, pos, neg, by: ada },
});
export const overrideRemoved = (channel: ChannelId, id: RoleId): AnyEvent => ({
  type: 'OverrideRemoved',
  data: { community: guild, channel, role: id, by: ada },
});
export const movedUnder = (channel: ChannelId, parent: ChannelId): AnyEvent => ({
  type: 'ChannelsArranged',
  data: { community: guild, places: [{ channel, position: 0, parent }], by: ada },
});
export const channelMovedOut = (channel: ChannelId): AnyEvent => ({
  type: 'ChannelsArranged',
  data: { community: guild, places: [{ channel, position: 9 }], by: ada },
});
/** Made under the category, so that it follows it. */
export const channelUnderCategory = (channel: ChannelId): AnyEvent => ({
  type: 'ChannelCreated',
  data: { community: guild, channel, kind: 'text', position: 9, parent: category, by: ada, name: 'child' },
});
export const deleted: AnyEvent = { type: 'CommunityDeleted', data: { community: guild, by: ada } };

export const chatOfGeneral = channelChat(guild, general);
export const chatOfStaff = channelChat(guild, staff);

export const sent = (
  id: bigint,
  author: UserId,
  chat: ChatKey = chatOfGeneral,
  mentions: readonly UserId[] = [],
): AnyEvent => ({
  type: 'MessageSent',
  data: { message: id as MessageId, chat, author, mentions, text: `text ${id.toString()}`, entities: [] },
});
export const messageDeleted = (id: bigint, author: UserId, chat: ChatKey = chatOfGeneral): AnyEvent => ({
  type: 'MessageDeleted',
  data: { message: id as MessageId, chat, author, by: author },
});
export const edited = (
  id: bigint,
  author: UserId,
  mentions: readonly UserId[] = [],
  chat: ChatKey = chatOfGeneral,
): AnyEvent => ({
  type: 'MessageEdited',
  data: { message: id as MessageId, chat, author, mentions, text: `edited ${id.toString()}`, entities: [] },
});
export const markerMoved = (user: UserId, id: bigint, chat: ChatKey = chatOfGeneral): AnyEvent => ({
  type: 'MarkerMoved',
  data: { user, chat, message: id as MessageId },
});
export const registered = (user: UserId): AnyEvent => ({
  type: 'UserRegistered',
  data: { user, bot: false, name: `user ${user.toString()}` },
});
