import type { ChannelKind } from '../../../src/domain/communities/events.js';
import type { ChatRefInit } from '../../../src/gen/refs.js';
import type { Event } from '../../../src/kernel/event.js';
import type { ChannelId, CommunityId, RoleId, UserId } from '../../../src/kernel/ids.js';
import { permission, usualPermissions } from '../../../src/kernel/permissions.js';

/** Owns the community. */
export const ada = 1n as UserId;
/** Members. */
export const bob = 2n as UserId;
export const cleo = 3n as UserId;
/** Of no community. */
export const dora = 4n as UserId;
export const nobody = 99n as UserId;

export const community = 100n as CommunityId;
const channelNamed = (id: bigint): ChatRefInit => ({ channel: { communityId: community, channelId: id as ChannelId } });
export const general = channelNamed(101n);
/** Where members may only read. */
export const news = channelNamed(102n);
/** Which members do not see. */
export const hidden = channelNamed(103n);
export const slow = channelNamed(104n);
export const slowSeconds = 30;
export const category = channelNamed(105n);
export const voice = channelNamed(106n);
export const dm = (user: UserId): ChatRefInit => ({ user: { userId: user } });
export const self: ChatRefInit = { self: {} };

const channelId = ({ channel }: ChatRefInit): ChannelId => channel?.channelId ?? (0n as ChannelId);

const made = (chat: ChatRefInit, kind: ChannelKind): Event => ({
  type: 'ChannelCreated',
  data: { community, channel: channelId(chat), kind, position: 0, by: ada, name: 'a channel' },
});
const without = (chat: ChatRefInit, neg: bigint): Event => ({
  type: 'OverrideSet',
  data: { community, channel: channelId(chat), role: 0n as RoleId, pos: 0n, neg, by: ada },
});

/** What is in the log before a test begins. */
export type World = (happened: (stream: string, ...events: readonly Event[]) => Promise<void>) => Promise<void>;

/** Ada, Bob, Cleo and Dora, who carry the usernames `user1` to `user4`. */
export const people: World = async (happened) => {
  for (const [name, user] of Object.entries({ Ada: ada, Bob: bob, Cleo: cleo, Dora: dora })) {
    await happened(`user-${user.toString()}`, { type: 'UserRegistered', data: { user, name, bot: false } });
    const key = `hash-of-${Buffer.from(`username:user${user.toString()}`).toString('hex')}`;
    await happened(`username-${key}`, { type: 'NameClaimed', data: { kind: 'username', key, holder: user, at: 0 } });
  }
};

/** The people, and their community. */
export const engines: World = async (happened) => {
  await people(happened);
  await happened(
    'community-100',
    {
      type: 'CommunityCreated',
      data: { community, owner: ada, defaultPermissions: usualPermissions, name: 'Engines' },
    },
    ...[general, news, hidden, slow].map((chat) => made(chat, 'text')),
    made(category, 'category'),
    made(voice, 'voice'),
    without(news, permission.sendMessages),
    without(hidden, permission.viewChannel),
    {
      type: 'SlowmodeChanged',
      data: { community, channel: channelId(slow), seconds: slowSeconds, by: ada },
    },
  );
  for (const user of [ada, bob, cleo]) await happened(`member-100.${user.toString()}`, joined(user));
};

export const joined = (user: UserId): Event => ({
  type: 'MemberJoined',
  data: { community, user, via: 'invite', joining: 1 },
});
