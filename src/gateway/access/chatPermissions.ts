import { parseChatKey, type ChatKey } from '../../kernel/chat.js';
import type { CommunityId, UserId } from '../../kernel/ids.js';
import type { CommunityDocument } from '../../projections/communities/documents.js';
import type { Membership, MembershipsDocument } from '../../projections/members/documents.js';
import { membershipIn, rulesOfCommunity } from './communityPermissions.js';
import type { ViewerPermissions } from '../contract/viewerPermissions.js';

/** What rules are computed from. Of what is not in memory it knows nothing. */
export interface World {
  readonly community: (community: CommunityId) => CommunityDocument | undefined;
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
  return {
    community: world.community,
    member,
    inChannel,
    overrides: (community, channel) => {
      const document = world.community(community);
      return document === undefined ? [] : rulesOfCommunity(document).overrides(channel);
    },
    maySee: (key, user) => {
      const chat = parseChatKey(key);
      return chat.kind === 'channel'
        ? inChannel(chat.community, chat.channel, user) !== 0n
        : peopleIn(key).includes(user);
    },
    connectedMembers: (community) => (world.community(community) === undefined ? [] : world.connectedIn(community)),
    viewersOf: (chat) =>
      chat.startsWith('channel.') ? world.viewersIn(chat) : peopleIn(chat).filter((user) => world.isConnected(user)),
  };
};

/** Those whom the key of a chat names. */
export const peopleIn = (key: ChatKey): readonly UserId[] => {
  const chat = parseChatKey(key);
  if (chat.kind === 'direct') return [chat.lower, chat.higher];
  return chat.kind === 'self' ? [chat.user] : [];
};

/** What an event changed, as it was before. */
export type Former = {
  readonly communities: ReadonlyMap<CommunityId, CommunityDocument | undefined>;
  readonly memberships: ReadonlyMap<UserId, MembershipsDocument | undefined>;
};

/** The world before: what was changed lies over what is, so nothing is copied. */
export const worldBefore = (now: World, former: Former): World => {
  const community: World['community'] = (id) =>
    former.communities.has(id) ? former.communities.get(id) : now.community(id);
  const membership: World['membership'] = (id, user) =>
    former.memberships.has(user) ? membershipIn(former.memberships.get(user), id) : now.membership(id, user);
  const connectedIn = (id: CommunityId): readonly UserId[] => {
    const unchanged = now.connectedIn(id).filter((user) => !former.memberships.has(user));
    const changed = [...former.memberships.keys()].filter((user) => now.isConnected(user));
    return [...unchanged, ...changed.filter((user) => membership(id, user) !== undefined)];
  };
  const viewersIn = (key: ChatKey): readonly UserId[] => {
    const chat = parseChatKey(key);
    if (chat.kind !== 'channel') return [];
    const rules = rulesOver({ ...now, community, membership });
    return connectedIn(chat.community).filter((user) => rules.inChannel(chat.community, chat.channel, user) !== 0n);
  };
  return { community, membership, isConnected: now.isConnected, connectedIn, viewersIn };
};
