import type { CommunityEvent } from '../../../domain/communities/events.js';
import type { EventOf, Position } from '../../../kernel/event.js';
import type { ChannelId, CommunityId, RoleId, UserId } from '../../../kernel/ids.js';
import type { ChannelRecord } from '../../../projections/communities/documents.js';
import { silent, type UpdateTable, type Delivery } from '../../contract/updates.js';
import type { ViewerPermissions } from '../../contract/viewerPermissions.js';
import type { UpdateView } from '../../contract/updateView.js';
import { channelIn } from '../../access/memberAccess.js';
import { memberDeliveries, type MemberDeliveryNeeds } from './members/updates.js';
import { allChannels, atOnce, channelDeliveries, visibilityDeliveries } from './visibilityUpdates.js';
import { communityDeliveries } from './perRecipient.js';

export type CommunityUpdatesNeeds = MemberDeliveryNeeds & {
  /** The first of those who have the role, as of this position, wherever they are connected if at all. */
  readonly holders: (of: RoleOf, asOf: Position, limit: number) => Promise<readonly UserId[]>;
};
type RoleOf = { readonly community: CommunityId; readonly role: RoleId };

export const communityUpdates = (needs: CommunityUpdatesNeeds): UpdateTable<CommunityEvent, UpdateView> => ({
  // Nobody is in it yet: the founder is sent the community once they are a member.
  CommunityCreated: silent,
  CommunityDeleted: ({ data: { community } }, { before }) => [
    { audience: before.connectedMembers(community), update: { communityDeleted: { communityId: community } } },
  ],
  CommunityPhotoChanged: ({ data }, view) => hint(view, data.community),
  CommunityPhotoRemoved: ({ data }, view) => hint(view, data.community),
  ChannelCreated: ({ data }, view) => atOnce(sightOfAll(view, data.community, [data.channel])),
  ChannelRenamed: ({ data }, view) => edited(data, view),
  ChannelDescribed: ({ data }, view) => edited(data, view),
  ChannelsArranged: ({ data: { community, places } }, view) => {
    const [before, after] = [channelsById(view.before, community), channelsById(view.after, community)];
    const records = places.flatMap(({ channel }) => after.get(channel) ?? []);
    // Under another category other overrides may count; under the same one all see what they saw. A member who sees a
    // channel only now is told of it by both, and is sent the latter.
    const moved = records.filter(({ id, parent }) => before.get(id)?.parent !== parent);
    return [
      ...records.flatMap((record) => channelDeliveries(view.after, community, record)),
      ...sightOfAll(
        view,
        community,
        moved.map(({ id }) => id),
      ),
    ];
  },
  ChannelExplicitnessChanged: ({ data }, view) => edited(data, view),
  SlowmodeChanged: ({ data }, view) => edited(data, view),
  MessageHighlighted: ({ data }, view) => edited(data, view),
  HighlightCleared: ({ data }, view) => edited(data, view),
  ChannelDeleted: ({ data }, view) => atOnce(sightOfAll(view, data.community, [data.channel])),
  // No update exists for settings: clients ask for them where they show them.
  SystemMessagesSet: silent,
  DiscoveryListingSet: silent,
  DefaultNotificationsSet: silent,
  // No update exists for roles: the community is the hint on which clients ask for them again.
  RoleCreated: ({ data }, view) => hint(view, data.community),
  RoleEdited: ({ data }, view) => [...hint(view, data.community), ...sightOfHolders(data, view)],
  RoleDeleted: async ({ data, position }, view) => {
    // Taken from the rules before any wait.
    const [hinted, sight] = [hint(view, data.community), sightOfHolders(data, view)];
    const holders = await needs.holders(data, position, holdersToldMax);
    return [...hinted, ...(await memberDeliveries({ ...data, users: holders }, view, needs)), ...sight];
  },
  OverrideSet: ({ data }, view) => overridden(data, view),
  OverrideRemoved: ({ data }, view) => overridden(data, view),
});

/**
 * For the holders of a deleted role each is sent to everybody, so their product must stay small. For the rest the hint
 * has to do.
 */
export const holdersToldMax = 100;

type OnChannel = { readonly community: CommunityId; readonly channel: ChannelId };

/** Looked up once, since a move may change the places of all. */
const channelsById = (rules: ViewerPermissions, community: CommunityId): ReadonlyMap<ChannelId, ChannelRecord> =>
  new Map(rules.community(community)?.channels.map((channel) => [channel.id, channel]));

/** The channel as it is now, to everybody who sees it. */
const edited = ({ community, channel: id }: OnChannel, { after }: UpdateView): readonly Delivery[] => {
  const channel = channelIn(after, community, id);
  return channel === undefined ? [] : channelDeliveries(after, community, channel);
};

const sightOfAll = (view: UpdateView, community: CommunityId, channels: readonly ChannelId[]): readonly Delivery[] =>
  visibilityDeliveries(view, { community, channels, users: view.after.connectedMembers(community) });

/** An override in a category counts in all channels that follow it, and says who is told in which category others are. */
const overridden = ({ community, channel }: OnChannel, view: UpdateView): readonly Delivery[] => {
  const inside = (view.after.community(community)?.channels ?? []).filter(({ parent }) => parent === channel);
  return sightOfAll(view, community, [channel, ...inside.map(({ id }) => id)]);
};

const hint = (view: UpdateView, community: CommunityId): readonly Delivery[] =>
  communityDeliveries(view, community, view.after.connectedMembers(community));

/** Of a change of the role that gives and takes nothing, nobody sees more or less. */
const sightOfHolders = (
  { community, role }: (EventOf<CommunityEvent, 'RoleEdited'> | EventOf<CommunityEvent, 'RoleDeleted'>)['data'],
  view: UpdateView,
): readonly Delivery[] => {
  const before = permissionsOf(view.before, community, role);
  if (before !== undefined && before === permissionsOf(view.after, community, role)) return [];
  return visibilityDeliveries(view, {
    community,
    users: holdersOf(view, community, role),
    channels: allChannels(view, community),
  });
};

const permissionsOf = (rules: ViewerPermissions, community: CommunityId, role: RoleId): bigint | undefined =>
  rules.community(community)?.roles.find(({ id }) => id === role)?.permissions;

const holdersOf = ({ before, after }: UpdateView, community: CommunityId, role: RoleId): readonly UserId[] =>
  [...after.connectedMembers(community)].filter((user) =>
    before.member(community, user)?.roles.some(({ id }) => id === role),
  );
