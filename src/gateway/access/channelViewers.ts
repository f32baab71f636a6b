import { byKind, parseChatKey, type ChatKey, type ChatOf } from '../../kernel/chat.js';
import type { ChannelId, CommunityId, UserId } from '../../kernel/ids.js';
import type { Override } from '../../kernel/permissions.js';
import type { CommunityDocument } from '../../projections/communities/documents.js';
import type { Membership } from '../../projections/members/documents.js';
import { grantsAlike, rulesOfCommunity, type CommunityPermissions } from './communityPermissions.js';

/**
 * Connected users by community, and by channel those of them who may see it. The viewers of a channel are found once, and
 * then brought up to date one member at a time, so that each message costs the same however many they are. Channels in
 * which the same overrides count have the same viewers, who are found once for all of them.
 */
export interface ChannelViewers {
  readonly members: (community: CommunityId) => ReadonlyMap<UserId, Membership>;
  /** A connected user's membership, new or changed. */
  readonly put: (user: UserId, membership: Membership) => void;
  readonly remove: (user: UserId, community: CommunityId) => void;
  /**
   * The community document was replaced; `before` is the former one. The viewers of those channels are found anew whose
   * sight depends on what changed.
   */
  readonly changed: (community: CommunityId, before: CommunityDocument | undefined) => void;
  /** Of a channel. The same list for as long as it holds the same viewers, also of another channel with the same sight. */
  readonly viewersOf: (chat: ChatKey) => readonly UserId[];
}

/** Of all those channels in which these overrides count. */
type Sight = {
  readonly overrides: readonly Override[];
  readonly viewers: Set<UserId>;
  /** The viewers as a list that is never changed: it may still be read when the next member comes. */
  list: readonly UserId[] | undefined;
};
type Community = {
  readonly members: Map<UserId, Membership>;
  readonly sights: Map<readonly Override[], Sight>;
  /** The channels that were asked for. */
  readonly channels: Map<ChatKey, { readonly id: ChannelId; readonly sight: Sight }>;
};

export const channelViewersOf = (
  communityOf: (community: CommunityId) => CommunityDocument | undefined,
): ChannelViewers => {
  const communities = new Map<CommunityId, Community>();
  // The sights of all channels by chat alone, so that the path of every message does not take the key apart.
  const sights = new Map<ChatKey, Sight>();

  const forget = (community: Community, chats: Iterable<ChatKey>): void => {
    for (const chat of chats) {
      community.channels.delete(chat);
      sights.delete(chat);
    }
    const used = new Set(Array.from(community.channels.values(), ({ sight }) => sight));
    for (const [key, sight] of community.sights) if (!used.has(sight)) community.sights.delete(key);
  };
  const found = (chat: ChatKey, place: ChatOf<'channel'>): readonly UserId[] => {
    const community = communities.get(place.community);
    const document = communityOf(place.community);
    const sight = community && document && sightIn(community, rulesOfCommunity(document), place.channel);
    // Channels that do not exist are not remembered, because their number has no bound.
    if (sight === undefined) return nobody;
    community?.channels.set(chat, { id: place.channel, sight });
    sights.set(chat, sight);
    return listOf(sight);
  };

  return {
    members: (community) => communities.get(community)?.members ?? noMembers,
    put: (user, membership) => {
      const community = communities.get(membership.community) ?? newCommunity();
      communities.set(membership.community, community);
      community.members.set(user, membership);
      const rules = rulesIfThere(communityOf(membership.community));
      if (rules === undefined) forget(community, [...community.channels.keys()]);
      for (const sight of community.sights.values()) {
        if (rules !== undefined && sees(rules, sight.overrides, [user, membership])) enter(sight, user);
        else leave(sight, user);
      }
    },
    remove: (user, id) => {
      const community = communities.get(id);
      if (community === undefined) return;
      community.members.delete(user);
      for (const sight of community.sights.values()) leave(sight, user);
      if (community.members.size > 0) return;
      forget(community, community.channels.keys());
      communities.delete(id);
    },
    changed: (id, before) => {
      const community = communities.get(id);
      if (community !== undefined) forget(community, outdated(community.channels, before, communityOf(id)));
    },
    viewersOf: (chat) => {
      const sight = sights.get(chat);
      if (sight !== undefined) return listOf(sight);
      return byKind(parseChatKey(chat), {
        channel: (place) => found(chat, place),
        group: () => nobody,
        direct: () => nobody,
        self: () => nobody,
      });
    },
  };
};

/** Undefined for a community that is gone, or not in memory now: its viewers are found anew once it is. */
const rulesIfThere = (community: CommunityDocument | undefined): CommunityPermissions | undefined =>
  community && rulesOfCommunity(community);

const nobody: readonly UserId[] = [];
const noMembers: ReadonlyMap<UserId, Membership> = new Map();
const newCommunity = (): Community => ({ members: new Map(), sights: new Map(), channels: new Map() });

/** Each channel without overrides has an empty list of its own. */
const noOverrides: readonly Override[] = [];
const sightKey = (overrides: readonly Override[]): readonly Override[] =>
  overrides.length === 0 ? noOverrides : overrides;

/** Undefined where there is no such channel. */
const sightIn = (community: Community, rules: CommunityPermissions, channel: ChannelId): Sight | undefined => {
  if (!rules.has(channel)) return undefined;
  const overrides = sightKey(rules.overrides(channel));
  const known = community.sights.get(overrides);
  if (known !== undefined) return known;
  const viewers = [...community.members].filter((member) => sees(rules, overrides, member));
  const sight: Sight = { overrides, viewers: new Set(viewers.map(([user]) => user)), list: undefined };
  community.sights.set(overrides, sight);
  return sight;
};

/** The channels whose viewers may be others now. */
const outdated = (
  channels: Community['channels'],
  before: CommunityDocument | undefined,
  after: CommunityDocument | undefined,
): readonly ChatKey[] => {
  if (before === undefined || after === undefined || !grantsAlike(before, after)) return [...channels.keys()];
  const rules = rulesOfCommunity(after);
  return [...channels].flatMap(([chat, { id, sight }]) =>
    rules.has(id) && sightKey(rules.overrides(id)) === sight.overrides ? [] : [chat],
  );
};

const sees = (
  { under }: CommunityPermissions,
  overrides: readonly Override[],
  [user, membership]: readonly [UserId, Membership],
): boolean => under(overrides, membership, user) !== 0n;

const listOf = (sight: Sight): readonly UserId[] => (sight.list ??= [...sight.viewers]);

const enter = (sight: Sight, user: UserId): void => {
  if (sight.viewers.has(user)) return;
  sight.viewers.add(user);
  sight.list = undefined;
};

const leave = (sight: Sight, user: UserId): void => {
  if (sight.viewers.delete(user)) sight.list = undefined;
};
