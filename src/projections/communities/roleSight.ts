import { overridesIn } from '../../domain/communities/channelTree.js';
import type { RoleId } from '../../kernel/ids.js';
import { channelPermissions, communityPermissions, has } from '../../kernel/permissions.js';
import type { ChannelRecord, CommunityDocument } from './documents.js';

/** How one role bears on the sight of one channel. A member sees it when a role forces, or one shows and none hides. */
export type RoleSight = {
  /** Role 0: members without any role see the channel. Another role: it gives the sight that everybody lacks everywhere. */
  readonly shows: boolean;
  /** The channel's override for the role grants the sight, even where the member's other roles hide. */
  readonly forces: boolean;
  /** The channel's override for the role denies the sight. */
  readonly hides: boolean;
};

/** Role 0, which every member has. */
export const everybody = 0n as RoleId;

/** Of one channel of the community. Administrators are above it. */
export const sightIn = (
  { id, roles, channels, defaultPermissions }: CommunityDocument,
  channel: ChannelRecord,
): ((role: RoleId) => RoleSight) => {
  const overrides = overridesIn(channels, channel);
  // An override for everybody may be under the community's own id.
  const alias = id as bigint as RoleId;
  const forEverybody = overrides.filter(({ role }) => role === everybody || role === alias);
  const own = new Map(overrides.map((override) => [override.role, override]));
  const permissions = new Map(roles.map((role) => [role.id, role.permissions]));
  const seesWith = (role: RoleId): boolean => {
    const member = { owner: false, roles: [role] };
    const granted = communityPermissions(member, defaultPermissions, [permissions.get(role) ?? 0n]);
    return has(channelPermissions(granted, member, forEverybody, alias), 'viewChannel');
  };
  return (role) => {
    if (role === everybody) return { shows: seesWith(role), forces: false, hides: false };
    const { pos = 0n, neg = 0n } = own.get(role) ?? {};
    const forces = has(pos, 'viewChannel');
    return {
      shows: !has(defaultPermissions, 'viewChannel') && seesWith(role),
      forces,
      hides: !forces && has(neg, 'viewChannel'),
    };
  };
};
