import {
  byKind,
  chatKindOf,
  membersNamedBy,
  parseChatKey,
  type ByChatKind,
  type ChatKey,
  type ChatOf,
} from '../../kernel/chat.js';
import type { CommunityId, UserId } from '../../kernel/ids.js';
import { has } from '../../kernel/permissions.js';
import type { CommunityDocument } from '../../projections/communities/documents.js';
import type { Membership, MembershipsDocument } from '../../projections/members/documents.js';
import { membershipIn, rulesOfCommunity } from './communityPermissions.js';
import type { ViewerPermissions } from '../contract/viewerPermissions.js';

/** The documents that rules are computed from. Those that are not in memory are unknown here. */
export interface World {
  readonly community: (community: CommunityId) => CommunityDocument | undefined;
  /** It was deleted. False for one that is not in memory, whose connected members are told of its events. */
  readonly isGone: (community: CommunityId) => boolean;
  readonly membership: (community: CommunityId, user: UserId) => Membership | undefined;
  readonly isConnected: (user: UserId) => boolean;
  /** Connected users with a membership, also where the community is gone. */
  readonly connectedIn: (community: CommunityId) => readonly UserId[];
  /** Connected users who may see this channel. */
  readonly viewersIn: (chat: ChatKey) => readonly UserId[];
}

export const rulesOver = (world: World): ViewerPermissions => {
  const member: ViewerPermissions['member'] = (community, user) => {
    const document = world.community(community);
    const membership = document === undefined ? undefined : world.membership(community, user);
    if (document === undefined || membership === undefined) return undefined;
    return rulesOfCommunity(document).member(membership, user);
  };
  const inChannel: ViewerPermissions['inChannel'] = (community, channel, user) => {
    const document = world.community(community);
    const membership = document === undefined ? undefined : world.membership(community, user);
    if (document === undefined || membership === undefined) return 0n;
    return rulesOfCommunity(document).inChannel(channel, membership, user);
  };
  const isAllowed = (key: ChatKey, user: UserId, suffices: (permissions: bigint) => boolean): boolean => {
    const isNamed = (): boolean => membersNamedBy(key).includes(user);
    return byKind(parseChatKey(key), {
      channel: ({ community, channel }) => suffices(inChannel(community, channel, user)),
      direct: isNamed,
      self: isNamed,
      // No document says yet who is in a group.
      group: () => false,
    });
  };
  return {
    community: world.community,
    member,
    inChannel,
    overrides: (community, channel) => {
      const document = world.community(community);
      return document === undefined ? [] : rulesOfCommunity(document).overrides(channel);
    },
    maySee: (key, user) => isAllowed(key, user, isVisible),
    mayWrite: (key, user) => isAllowed(key, user, isWritable),
    unreadFloorIn: (key) =>
      byKind<FloorOf>(parseChatKey(key), {
        channel: (chat) => channelFloors(world, chat),
        direct: () => noFloor,
        self: () => noFloor,
        group: () => noFloor,
      }),
    connectedMembers: (community) => (world.isGone(community) ? [] : world.connectedIn(community)),
    viewersOf: (chat) => viewers[chatKindOf(chat)](world, chat),
  };
};

type FloorOf = (user: UserId) => bigint;
const noFloor: FloorOf = () => 0n;

const channelFloors = (world: World, { community, channel }: ChatOf<'channel'>): FloorOf => {
  const document = world.community(community);
  if (document === undefined) return noFloor;
  const { unreadFloor } = rulesOfCommunity(document);
  return (user) => {
    const membership = world.membership(community, user);
    return membership === undefined ? 0n : unreadFloor(channel, membership, user);
  };
};

const isVisible = (inChannel: bigint): boolean => inChannel !== 0n;
const isWritable = (inChannel: bigint): boolean => has(inChannel, 'sendMessages');

type ViewersIn = (world: World, chat: ChatKey) => readonly UserId[];
const noViewers: readonly UserId[] = [];
const connectedNamed: ViewersIn = (world, chat) => membersNamedBy(chat).filter((user) => world.isConnected(user));

// Asked for every message, so a channel is recognized from its key alone.
const viewers: ByChatKind<ViewersIn> = {
  channel: (world, chat) => world.viewersIn(chat),
  direct: connectedNamed,
  self: connectedNamed,
  group: () => noViewers,
};

/** The documents that an event changed, as they were before. */
export type Former = {
  readonly communities: ReadonlyMap<CommunityId, CommunityDocument | undefined>;
  readonly memberships: ReadonlyMap<UserId, MembershipsDocument | undefined>;
};

/** The world before: the former documents lie over the present ones, so nothing is copied. */
export const worldBefore = (now: World, former: Former): World => {
  const community: World['community'] = (id) =>
    former.communities.has(id) ? former.communities.get(id) : now.community(id);
  const isGone: World['isGone'] = (id) =>
    former.communities.has(id) ? former.communities.get(id) === undefined : now.isGone(id);
  const membership: World['membership'] = (id, user) =>
    former.memberships.has(user) ? membershipIn(former.memberships.get(user), id) : now.membership(id, user);
  const connectedIn = (id: CommunityId): readonly UserId[] => {
    const unchanged = now.connectedIn(id).filter((user) => !former.memberships.has(user));
    const changed = [...former.memberships.keys()].filter((user) => now.isConnected(user));
    return [...unchanged, ...changed.filter((user) => membership(id, user) !== undefined)];
  };
  const viewersIn = (key: ChatKey): readonly UserId[] =>
    byKind(parseChatKey(key), {
      channel: ({ community: id, channel }) => {
        const rules = rulesOver({ ...now, community, membership });
        return connectedIn(id).filter((user) => rules.inChannel(id, channel, user) !== 0n);
      },
      direct: () => noViewers,
      self: () => noViewers,
      group: () => noViewers,
    });
  return { community, isGone, membership, isConnected: now.isConnected, connectedIn, viewersIn };
};
