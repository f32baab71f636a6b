import { byKind, parseChatKey, type ChatKey, type ChatOf } from '../../kernel/chat.js';
import type { ChannelId, CommunityId, UserId } from '../../kernel/ids.js';
import type { CommunityDocument } from '../../projections/communities/documents.js';
import type { Membership } from '../../projections/members/documents.js';
import { rulesOfCommunity } from './communityPermissions.js';

/**
 * Connected users by community, and by channel those of them who may see it. A channel's viewers are found once, and
 * then brought up to date one member at a time, so that each message costs the same however many they are.
 */
export interface ChannelViewers {
  readonly members: (community: CommunityId) => ReadonlyMap<UserId, Membership>;
  /** A connected user's membership, new or changed. */
  readonly put: (user: UserId, membership: Membership) => void;
  readonly remove: (user: UserId, community: CommunityId) => void;
  /** The community document was replaced, so the viewers of its channels must be found anew. */
  readonly changed: (community: CommunityId) => void;
  /** Of a channel. The same list for as long as it holds the same viewers. */
  readonly viewersOf: (chat: ChatKey) => readonly UserId[];
}

type Channel = {
  readonly id: ChannelId;
  readonly viewers: Set<UserId>;
  /** The viewers as a list that is never changed: it may still be read when the next member comes. */
  list: readonly UserId[] | undefined;
};
type Community = { readonly members: Map<UserId, Membership>; readonly channels: Map<ChatKey, Channel> };

export const channelViewersOf = (
  communityOf: (community: CommunityId) => CommunityDocument | undefined,
): ChannelViewers => {
  const communities = new Map<CommunityId, Community>();
  // The same channels by chat alone, so that the path of every message does not take the key apart.
  const channels = new Map<ChatKey, Channel>();

  const forgetChannels = (community: Community): void => {
    for (const chat of community.channels.keys()) channels.delete(chat);
    community.channels.clear();
  };
  const found = (chat: ChatKey, place: ChatOf<'channel'>): readonly UserId[] => {
    const community = communities.get(place.community);
    const document = communityOf(place.community);
    if (community === undefined || document === undefined) return nobody;
    // Channels that do not exist are not remembered, because their number has no bound.
    if (!rulesOfCommunity(document).has(place.channel)) return nobody;
    const viewers = [...community.members].filter(([user, membership]) =>
      sees(document, place.channel, user, membership),
    );
    const channel: Channel = { id: place.channel, viewers: new Set(viewers.map(([user]) => user)), list: undefined };
    channels.set(chat, channel);
    community.channels.set(chat, channel);
    return listOf(channel);
  };

  return {
    members: (community) => communities.get(community)?.members ?? noMembers,
    put: (user, membership) => {
      const community: Community = communities.get(membership.community) ?? { members: new Map(), channels: new Map() };
      communities.set(membership.community, community);
      community.members.set(user, membership);
      const document = communityOf(membership.community);
      for (const channel of community.channels.values()) {
        if (document !== undefined && sees(document, channel.id, user, membership)) enter(channel, user);
        else leave(channel, user);
      }
    },
    remove: (user, id) => {
      const community = communities.get(id);
      if (community === undefined) return;
      community.members.delete(user);
      for (const channel of community.channels.values()) leave(channel, user);
      if (community.members.size > 0) return;
      forgetChannels(community);
      communities.delete(id);
    },
    changed: (id) => {
      const community = communities.get(id);
      if (community !== undefined) forgetChannels(community);
    },
    viewersOf: (chat) => {
      const channel = channels.get(chat);
      if (channel !== undefined) return listOf(channel);
      return byKind(parseChatKey(chat), {
        channel: (place) => found(chat, place),
        group: () => nobody,
        direct: () => nobody,
        self: () => nobody,
      });
    },
  };
};

const nobody: readonly UserId[] = [];
const noMembers: ReadonlyMap<UserId, Membership> = new Map();

const sees = (document: CommunityDocument, channel: ChannelId, user: UserId, membership: Membership): boolean =>
  rulesOfCommunity(document).inChannel(channel, membership, user) !== 0n;

const listOf = (channel: Channel): readonly UserId[] => (channel.list ??= [...channel.viewers]);

const enter = (channel: Channel, user: UserId): void => {
  if (channel.viewers.has(user)) return;
  channel.viewers.add(user);
  channel.list = undefined;
};

const leave = (channel: Channel, user: UserId): void => {
  if (channel.viewers.delete(user)) channel.list = undefined;
};
