import type { ChannelId, CommunityId, RoleId, UserId } from '../../kernel/ids.js';
import {
  channelPermissions,
  communityPermissions,
  has,
  overridesThatCount,
  type Override,
} from '../../kernel/permissions.js';
import type { CommunityDocument, RoleRecord } from '../../projections/communities/documents.js';
import type { Membership, MembershipsDocument } from '../../projections/members/documents.js';
import { unreadFloorsOf, type UnreadFloors } from '../../projections/unread/unreadFloor.js';
import type { MemberPermissions } from '../contract/viewerPermissions.js';

/**
 * The rules that follow from one version of a community. Computed on first use and kept for as long as that version is.
 */
export interface CommunityPermissions {
  has(channel: ChannelId): boolean;
  /** `user` is whose membership it is. */
  member(membership: Membership, user: UserId): MemberPermissions;
  /** 0n where there is no such channel, and where the member may not view it. */
  inChannel(channel: ChannelId, membership: Membership, user: UserId): bigint;
  /** Those that count: the category's while the channel follows it. */
  overrides(channel: ChannelId): readonly Override[];
  readonly unreadFloor: UnreadFloors;
}

/** Documents are values that never change, so rules computed of one are true for as long as the document is around. */
export const rulesOfCommunity = (community: CommunityDocument): CommunityPermissions => {
  const known = computed.get(community);
  if (known !== undefined) return known;
  const rules = rulesOf(community);
  computed.set(community, rules);
  return rules;
};
const computed = new WeakMap<CommunityDocument, CommunityPermissions>();

export const membershipIn = (
  document: MembershipsDocument | undefined,
  community: CommunityId,
): Membership | undefined => document?.memberships.find((membership) => membership.community === community);

/** The part that members with the same roles have in common; there are far fewer of these than members. */
type MemberRank = Pick<MemberPermissions, 'owner' | 'roles' | 'permissions' | 'rank'> & {
  /** Permissions in the channels that were asked for. */
  readonly channels: Map<ChannelId, bigint>;
};

const rulesOf = (community: CommunityDocument): CommunityPermissions => {
  const channels = new Map(community.channels.map((channel) => [channel.id, channel]));
  const standings = new Map<string, MemberRank>();
  const members = new WeakMap<Membership, MemberRank>();
  const told = new WeakMap<Membership, MemberPermissions>();
  // An override for everybody may be under the community's own id.
  const everybody = community.id as bigint as RoleId;

  const standingOf = (membership: Membership, user: UserId): MemberRank => {
    const known = members.get(membership);
    if (known !== undefined) return known;
    const name = user === community.owner ? 'owner' : membership.roles.join();
    const standing = standings.get(name) ?? newStanding(community, membership, user);
    standings.set(name, standing);
    members.set(membership, standing);
    return standing;
  };
  const overrides = (id: ChannelId): readonly Override[] => {
    const channel = channels.get(id);
    return channel === undefined ? [] : overridesThatCount(channel, (other) => channels.get(other));
  };
  return {
    overrides,
    unreadFloor: unreadFloorsOf(community),
    has: (channel) => channels.has(channel),
    member: (membership, user) => {
      const known = told.get(membership);
      if (known !== undefined) return known;
      const { owner, roles, permissions, rank } = standingOf(membership, user);
      const rules = { membership, owner, roles, permissions, rank };
      told.set(membership, rules);
      return rules;
    },
    inChannel: (channel, membership, user) => {
      const standing = standingOf(membership, user);
      const known = standing.channels.get(channel);
      if (known !== undefined) return known;
      if (!channels.has(channel)) return 0n;
      const who = { owner: standing.owner, roles: membership.roles };
      const effective = channelPermissions(standing.permissions, who, overrides(channel), everybody);
      const visible = has(effective, 'viewChannel') ? effective : 0n;
      standing.channels.set(channel, visible);
      return visible;
    },
  };
};

const newStanding = (community: CommunityDocument, membership: Membership, user: UserId): MemberRank => {
  const owner = community.owner === user;
  const roles = rolesOf(community, membership);
  const permissions = communityPermissions(
    { owner, roles: membership.roles },
    community.defaultPermissions,
    roles.map((role) => role.permissions),
  );
  const rank = owner ? Number.POSITIVE_INFINITY : (roles[0]?.priority ?? -1);
  return { owner, roles, permissions, rank, channels: new Map() };
};

const rolesOf = ({ roles }: CommunityDocument, membership: Membership): readonly RoleRecord[] =>
  membership.roles.length === 0
    ? []
    : roles.filter(({ id }) => membership.roles.includes(id)).sort((one, other) => other.priority - one.priority);
