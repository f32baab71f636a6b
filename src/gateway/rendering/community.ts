import { type CommunityInit, type CommunityMemberInit, type CommunityRoleInit, NotifPrefs } from '../../gen/types.js';
import type { CommunityId, UserId } from '../../kernel/ids.js';
import type { CommunityDocument, RoleRecord } from '../../projections/communities/documents.js';
import type { Membership } from '../../projections/members/documents.js';
import type { MemberPermissions } from '../contract/viewerPermissions.js';
import { photoFor } from './photo.js';
import { shownName, shownText } from './user.js';

/** `viewer`: the reader's membership of it; undefined for a non-member. */
export const communityFor = (
  community: CommunityDocument,
  viewer: Pick<MemberPermissions, 'owner' | 'permissions'> | undefined,
): CommunityInit => ({
  id: community.id,
  owner: viewer?.owner ?? false,
  name: shownName(community.name),
  photo: photoFor(community.photo),
  permissions: viewer?.permissions ?? 0n,
  notifPrefs: NotifPrefs.ALL,
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

/** Roles that were deleted since are left out, even when the membership still names them. */
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
