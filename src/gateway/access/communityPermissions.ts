import type { ChannelId, CommunityId, RoleId, UserId } from '../../kernel/ids.js';
import {
  channelPermissions,
  communityPermissions,
  has,
  overridesThatCount,
  type Override,
} from '../../kernel/permissions.js';
import type { ChannelRecord, CommunityDocument, RoleRecord } from '../../projections/communities/documents.js';
import type { Membership, MembershipsDocument } from '../../projections/members/documents.js';
import { unreadFloorsOf, type UnreadFloors } from '../../projections/unread/unreadFloor.js';
import type { MemberPermissions } from '../contract/viewerPermissions.js';

/**
 * The rules that follow from one version of a community. Computed on first use and kept for as long as that version is.
 * All that follows from its roles alone is kept for as long as these are, since most changes are of channels.
 */
export interface CommunityPermissions {
  readonly has: (channel: ChannelId) => boolean;
  /** `user` is whose membership it is. */
  readonly member: (membership: Membership, user: UserId) => MemberPermissions;
  /** 0n where there is no such channel, and where the member may not view it. */
  readonly inChannel: (channel: ChannelId, membership: Membership, user: UserId) => bigint;
  /** The same of any channel in which these overrides count. */
  readonly under: (overrides: readonly Override[], membership: Membership, user: UserId) => bigint;
  /** Those that count: the category's while the channel follows it. The same list for as long as nobody changes them. */
  readonly overrides: (channel: ChannelId) => readonly Override[];
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

/** Whether members with the same roles have the same permissions in both versions, but for overrides. */
export const grantsAlike = (one: CommunityDocument, other: CommunityDocument): boolean => {
  if (one.owner !== other.owner || one.defaultPermissions !== other.defaultPermissions) return false;
  if (one.roles === other.roles) return true;
  const granted = new Map(other.roles.map(({ id, permissions }) => [id, permissions]));
  return one.roles.length === granted.size && one.roles.every(({ id, permissions }) => granted.get(id) === permissions);
};

export const membershipIn = (
  document: MembershipsDocument | undefined,
  community: CommunityId,
): Membership | undefined => document?.memberships.find((membership) => membership.community === community);

const rulesOf = (community: CommunityDocument): CommunityPermissions => {
  const channels = new Map(community.channels.map((channel) => [channel.id, channel]));
  const ranks = ranksOf(community);
  let floors: UnreadFloors | undefined;

  const countingIn = (channel: ChannelRecord): readonly Override[] =>
    overridesThatCount(channel, (other) => channels.get(other));
  return {
    has: (channel) => channels.has(channel),
    member: ranks.member,
    under: ranks.under,
    inChannel: (id, membership, user) => {
      const channel = channels.get(id);
      return channel === undefined ? 0n : ranks.under(countingIn(channel), membership, user);
    },
    overrides: (id) => {
      const channel = channels.get(id);
      return channel === undefined ? [] : countingIn(channel);
    },
    get unreadFloor() {
      return (floors ??= unreadFloorsOf(community));
    },
  };
};

/** All that follows from the roles of a community and does not depend on its channels. */
type Ranks = Pick<CommunityPermissions, 'member' | 'under'> &
  Readonly<Pick<CommunityDocument, 'id' | 'owner' | 'defaultPermissions'>>;

/** Versions that differ in other things have the same list of roles. */
const ranksOf = (community: CommunityDocument): Ranks => {
  const { id, owner, defaultPermissions, roles } = community;
  const known = ranksByRoles.get(roles);
  if (known?.id === id && known.owner === owner && known.defaultPermissions === defaultPermissions) return known;
  const ranks = newRanks(community);
  ranksByRoles.set(roles, ranks);
  return ranks;
};
const ranksByRoles = new WeakMap<CommunityDocument['roles'], Ranks>();

/** The part that members with the same roles have in common; there are far fewer of these than members. */
type MemberRank = Pick<MemberPermissions, 'owner' | 'roles' | 'permissions' | 'rank'> & {
  /** Permissions under the overrides that were asked for. Nobody changes such a list: another one takes its place. */
  readonly under: WeakMap<readonly Override[], bigint>;
};

const newRanks = ({ id, owner, defaultPermissions, roles }: CommunityDocument): Ranks => {
  const standings = new Map<string, MemberRank>();
  const members = new WeakMap<Membership, MemberRank>();
  const told = new WeakMap<Membership, MemberPermissions>();
  // An override for everybody may be under the community's own id.
  const everybody = id as bigint as RoleId;

  const standingOf = (membership: Membership, user: UserId): MemberRank => {
    const known = members.get(membership);
    if (known !== undefined) return known;
    const name = user === owner ? 'owner' : membership.roles.join();
    const standing = standings.get(name) ?? newStanding({ owner, defaultPermissions, roles }, membership, user);
    standings.set(name, standing);
    members.set(membership, standing);
    return standing;
  };
  return {
    id,
    owner,
    defaultPermissions,
    member: (membership, user) => {
      const known = told.get(membership);
      if (known !== undefined) return known;
      const { owner: isOwner, roles: held, permissions, rank } = standingOf(membership, user);
      const rules = { membership, owner: isOwner, roles: held, permissions, rank };
      told.set(membership, rules);
      return rules;
    },
    under: (overrides, membership, user) => {
      const standing = standingOf(membership, user);
      if (overrides.length === 0) return visible(standing.permissions);
      const known = standing.under.get(overrides);
      if (known !== undefined) return known;
      const who = { owner: standing.owner, roles: membership.roles };
      const effective = visible(channelPermissions(standing.permissions, who, overrides, everybody));
      standing.under.set(overrides, effective);
      return effective;
    },
  };
};

const visible = (effective: bigint): bigint => (has(effective, 'viewChannel') ? effective : 0n);

type Granting = Pick<CommunityDocument, 'owner' | 'defaultPermissions' | 'roles'>;

const newStanding = (community: Granting, membership: Membership, user: UserId): MemberRank => {
  const owner = community.owner === user;
  const roles = rolesOf(community, membership);
  const permissions = communityPermissions(
    { owner, roles: membership.roles },
    community.defaultPermissions,
    roles.map((role) => role.permissions),
  );
  const rank = owner ? Number.POSITIVE_INFINITY : (roles[0]?.priority ?? -1);
  return { owner, roles, permissions, rank, under: new WeakMap() };
};

const rolesOf = ({ roles }: Granting, membership: Membership): readonly RoleRecord[] =>
  membership.roles.length === 0
    ? []
    : roles.filter(({ id }) => membership.roles.includes(id)).sort((one, other) => other.priority - one.priority);
