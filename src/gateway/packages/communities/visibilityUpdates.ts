import type { UpdateInit } from '../../../gen/rpcs.js';
import { channelChat } from '../../../kernel/chat.js';
import { difference } from '../../../kernel/permissions.js';
import type { ChannelId, CommunityId, UserId } from '../../../kernel/ids.js';
import type { ChannelRecord } from '../../../projections/communities/documents.js';
import { channelRefFor, channelFor, shownParent } from '../../rendering/channel.js';
import { perRendering, type AlikeUsers } from '../../contract/perRendering.js';
import type { Delivery, LatestOnly } from '../../contract/updates.js';
import type { ViewerPermissions } from '../../contract/viewerPermissions.js';
import type { UpdateView } from '../../contract/updateView.js';
import { channelIn } from '../../access/memberAccess.js';
import { alike } from './perRecipient.js';

/** The users and channels that are looked at. */
export type Scope = {
  readonly community: CommunityId;
  readonly users: Iterable<UserId>;
  readonly channels: readonly ChannelId[];
};

/**
 * The updates for an event that changed the sight these members have of these channels: the channel to those who have
 * come to see it or its category, or see the latter no longer, its permissions to those for whom they are others than before, and its end to those who see it no
 * longer. Kept apart by kind, so that everybody hears of a channel before they hear of their permissions in it.
 */
export const visibilityDeliveries = (view: UpdateView, { community, users, channels }: Scope): readonly Delivery[] => {
  if (channels.length === 0) return [];
  const groups = alike(view, community, users);
  const changes = channels.map((channel): SightChanges => {
    const sights = new Map(groups.map(([user]) => [user, sightsOf(view, { community, channel, user })]));
    const [was, record] = [view.before, view.after].map((rules) => channelIn(rules, community, channel));
    return { place: { community, channel }, record, isMoved: was?.parent !== record?.parent, groups, sights };
  });
  return [...changes.flatMap(shown), ...changes.flatMap(permitted), ...changes.flatMap(hidden)];
};

/** The channel to everybody who sees it, with its category to those who see that as well. */
export const channelDeliveries = (
  rules: ViewerPermissions,
  community: CommunityId,
  channel: ChannelRecord,
): readonly Delivery[] => {
  const viewers = rules.viewersOf(channelChat(community, channel.id));
  const delivery = (audience: Iterable<UserId>, parent: ChannelId | undefined): Delivery => ({
    audience,
    update: channelUpdate(community, channel, parent),
    merge: ofChannel(community, channel.id),
  });
  // A channel that follows its category is seen by those who see the category.
  if (channel.parent === undefined || channel.synced) return [delivery(viewers, channel.parent)];
  const [seeing, blind]: [UserId[], UserId[]] = [[], []];
  for (const user of viewers) (shownParent(rules, community, channel, user) === undefined ? blind : seeing).push(user);
  return [
    ...(seeing.length === 0 ? [] : [delivery(seeing, channel.parent)]),
    ...(blind.length === 0 ? [] : [delivery(blind, undefined)]),
  ];
};

/** The channel as it is, or that it is gone. */
const ofChannel = (community: CommunityId, channel: ChannelId): LatestOnly => ({
  place: channelChat(community, channel),
  what: 'channel',
});

/** For what others must be told behind it, as of a channel that there was not before. */
export const atOnce = (deliveries: readonly Delivery[]): readonly Delivery[] =>
  deliveries.map(({ audience, update }) => ({ audience, update }));

/** The rights in a channel, as the name of an update. */
const permissionsSaid = 'permissions';

const channelUpdate = (community: CommunityId, channel: ChannelRecord, parent: ChannelId | undefined): UpdateInit => ({
  channel: { channel: channelFor(community, channel, parent) },
});

/** All channels that there were or are. */
export const allChannels = ({ before, after }: UpdateView, community: CommunityId): readonly ChannelId[] => {
  const both = [before, after].flatMap((rules) => rules.community(community)?.channels ?? []);
  return [...new Set(both.map(({ id }) => id))];
};

type Sight = {
  readonly sees: boolean;
  readonly pos: bigint;
  readonly neg: bigint;
  /** The category, where it is seen too. */
  readonly parent: ChannelId | undefined;
};
type Place = { readonly community: CommunityId; readonly channel: ChannelId };

/** How each group sees one channel, before and after. */
type SightChanges = {
  readonly place: Place;
  /** Undefined when there is no such channel any more. */
  readonly record: ChannelRecord | undefined;
  /** Another category is told of by the event itself, to everybody who sees the channel. */
  readonly isMoved: boolean;
  readonly groups: readonly AlikeUsers[];
  /** By the first user of each group. */
  readonly sights: ReadonlyMap<UserId, { readonly was: Sight; readonly is: Sight }>;
};

const shown = ({ place, record, isMoved, groups, sights }: SightChanges): readonly Delivery[] =>
  record === undefined
    ? []
    : perRendering(
        groups,
        (user) => {
          const { was, is } = sights.get(user) ?? unseenTwice;
          const isNews = !was.sees || (!isMoved && was.parent !== is.parent);
          return is.sees && isNews ? `in ${is.parent?.toString() ?? 'none'}` : undefined;
        },
        (user) => ({
          update: channelUpdate(place.community, record, sights.get(user)?.is.parent),
          merge: ofChannel(place.community, place.channel),
        }),
      );

const permitted = ({ place, record, groups, sights }: SightChanges): readonly Delivery[] =>
  // A category is no conversation, so there are no permissions to send for one.
  record === undefined || record.kind === 'category'
    ? []
    : perRendering(
        groups,
        (user) => {
          const { was, is } = sights.get(user) ?? unseenTwice;
          const differs = was.pos !== is.pos || was.neg !== is.neg;
          return is.sees && differs ? `${is.pos.toString()}.${is.neg.toString()}` : undefined;
        },
        (user) => {
          const { pos, neg } = sights.get(user)?.is ?? unseen;
          const chatRef = { channel: channelRefFor(place.community, place.channel) };
          const merge = { place: channelChat(place.community, place.channel), what: permissionsSaid };
          return { update: { conversationPermissions: { chatRef, permissions: { pos, neg } } }, merge };
        },
      );

const hidden = ({ place, groups, sights }: SightChanges): readonly Delivery[] =>
  perRendering(
    groups,
    (user) => {
      const { was, is } = sights.get(user) ?? unseenTwice;
      return was.sees && !is.sees ? 'hidden' : undefined;
    },
    () => ({
      update: { channelDeleted: { channel: channelRefFor(place.community, place.channel) } },
      merge: { ...ofChannel(place.community, place.channel), ends: permissionsSaid },
    }),
  );

const unseen: Sight = { sees: false, pos: 0n, neg: 0n, parent: undefined };
const unseenTwice = { was: unseen, is: unseen };

type Viewing = Place & { readonly user: UserId };

const sightsOf = ({ before, after }: UpdateView, viewing: Viewing): { readonly was: Sight; readonly is: Sight } => ({
  was: sightIn(before, viewing),
  is: sightIn(after, viewing),
});

const sightIn = (permissions: ViewerPermissions, { community, channel, user }: Viewing): Sight => {
  const effective = permissions.inChannel(community, channel, user);
  const member = permissions.member(community, user);
  if (effective === 0n || member === undefined) return unseen;
  const record = channelIn(permissions, community, channel);
  const parent = record && shownParent(permissions, community, record, user);
  return { sees: true, ...difference(member.permissions, effective), parent };
};
