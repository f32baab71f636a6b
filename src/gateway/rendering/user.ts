import type { ChannelRefInit } from '../../gen/refs.js';
import {
  ChannelFlag,
  ChannelType,
  NotifPrefs,
  type ChannelInit,
  type ChannelOverrideInit,
  type CommunityInit,
  type CommunityMemberInit,
  type CommunityRoleInit,
  type UserInit,
  type UserStatusInit,
} from '../../gen/types.js';
import type { ChannelKind } from '../../domain/communities/events.js';
import { isShredded, unless, type Personal } from '../../kernel/event.js';
import type { ChannelId, CommunityId, UserId } from '../../kernel/ids.js';
import type { Override } from '../../kernel/permissions.js';
import type { ChannelRecord, CommunityDocument, RoleRecord } from '../../projections/communities/documents.js';
import type { Membership } from '../../projections/members/documents.js';
import type { Reads } from '../../projections/reading/queries.js';
import type { UserDocument } from '../../projections/users/documents.js';
import { usersById } from '../../projections/users/queries.js';
import type { MemberRules } from '../contract/viewerPermissions.js';

/** The presence of users as others see it, in the order asked; undefined for who is offline or wants to seem so. */
export type StatusOf = (users: readonly UserId[]) => Promise<readonly (UserStatusInit | undefined)[]>;

/** What stands in the place of a name that was erased. */
export const erasedName = 'Deleted';

const shownName = (name: Personal<string>): string => unless(name, erasedName);
/** Optional texts are left out when they are erased or empty. */
const shownText = (text: Personal<string> | undefined): string | undefined =>
  text === undefined || isShredded(text) || text === '' ? undefined : text;

export const userFor = (user: UserDocument, status?: UserStatusInit): UserInit => ({
  id: user.id,
  name: shownName(user.name),
  username: shownText(user.username),
  status,
  bot: user.bot,
  icon: user.icon,
  color: user.color,
});

/** Who has no profile any more is still named, so that nobody misses the id. */
export const erasedUser = (id: UserId): UserInit => ({ id, name: erasedName });

/** In the order of `ids`, with their presence. */
export const usersFor = async (
  { reads, statusOf }: { readonly reads: Reads; readonly statusOf: StatusOf },
  ids: readonly UserId[],
): Promise<readonly UserInit[]> => {
  const [found, statuses] = await Promise.all([usersById(reads, ids), statusOf(ids)]);
  const known = new Map(found.map((user) => [user.id, user]));
  return ids.map((id, index) => {
    const user = known.get(id);
    return user === undefined ? erasedUser(id) : userFor(user, statuses[index]);
  });
};

/** `viewer`: what the reader is in it; undefined for who is no member. */
export const communityFor = (
  community: CommunityDocument,
  viewer: Pick<MemberRules, 'owner' | 'permissions'> | undefined,
): CommunityInit => ({
  id: community.id,
  owner: viewer?.owner ?? false,
  name: shownName(community.name),
  permissions: viewer?.permissions ?? 0n,
  notifPrefs: NotifPrefs.ALL,
});

export const channelTypes: Readonly<Record<ChannelKind, ChannelType>> = {
  text: ChannelType.TEXT,
  voice: ChannelType.VOICE,
  category: ChannelType.CATEGORY,
};

export const channelFor = (community: CommunityId, channel: ChannelRecord): ChannelInit => ({
  id: channel.id,
  communityId: community,
  name: shownName(channel.name),
  type: channelTypes[channel.kind],
  position: channel.position,
  parentId: channel.parent,
  flags: BigInt(channel.explicit ? ChannelFlag.EXPLICIT : ChannelFlag.NONE),
  highlightedMsgId: channel.highlighted,
  description: shownText(channel.description),
  slowmodeSeconds: channel.slowmodeSeconds,
});

export const channelRefFor = (communityId: CommunityId, channelId: ChannelId): ChannelRefInit => ({
  communityId,
  channelId,
});

export const roleFor = (community: CommunityId, role: RoleRecord): CommunityRoleInit => ({
  id: role.id,
  communityId: community,
  name: shownName(role.name),
  permissions: role.permissions,
  priority: role.priority,
  color: role.color,
  separated: role.separated,
  public: role.public,
});

/** Roles that were deleted since are left out, whatever the membership still says. */
export const memberFor = (
  community: Pick<CommunityDocument, 'id' | 'roles'>,
  user: UserId,
  { roles, nickname }: Pick<Membership, 'roles' | 'nickname'>,
): CommunityMemberInit => ({
  id: user,
  communityId: community.id,
  roleIds: roles.filter((id) => community.roles.some((role) => role.id === id)),
  nickname: shownText(nickname),
});

export const overrideFor = (
  communityId: CommunityId,
  channelId: ChannelId,
  { role, pos, neg }: Override,
): ChannelOverrideInit => ({ communityId, channelId, roleId: role, permissions: { pos, neg } });
