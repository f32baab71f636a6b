import type { ChannelKind } from '../../../../src/domain/communities/events.js';
import type { ChatRefInit } from '../../../../src/gen/refs.js';
import type { Event } from '../../../../src/kernel/event.js';
import type { ChannelId, CommunityId, RoleId, UserId } from '../../../../src/kernel/ids.js';
import { permission, usualPermissions } from '../../../../src/kernel/permissions.js';

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

/** Everybody is `User <id>` and carries the username `user<id>`. */
export const populate = async (
  happened: (stream: string, ...events: readonly Event[]) => Promise<void>,
): Promise<void> => {
  for (const user of [ada, bob, cleo, dora]) {
    const name = user.toString();
    await happened(`user-${name}`, {
      type: 'UserRegistered',
      data: { user, name: `User ${name}`, bot: false },
    });
    const key = `hash-of-${Buffer.from(`username:user${name}`).toString('hex')}`;
    await happened(`username-${key}`, {
      type: 'NameClaimed',
      data: { kind: 'username', key, holder: user, at: 0 },
    });
  }
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
