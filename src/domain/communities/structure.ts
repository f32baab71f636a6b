import { apply, type EventOf, type Fold } from '../../kernel/event.js';
import { defined } from '../../kernel/defined.js';
import type { ChannelId, FileId, Millis, RoleId } from '../../kernel/ids.js';
import type { Personal } from '../../kernel/personal.js';
import {
  arranged,
  withChannel,
  withMadeChannel,
  withOverride,
  withoutChannel,
  withoutOverride,
  withoutRoleOverrides,
  type ChannelState,
  type ChannelTree,
} from './channelTree.js';
import type { PhotoContent } from '../files/events.js';
import type { CommunityEvent, Listing, Notifications } from './events.js';

/**
 * The channels, roles and photo of a community. The rules and the read model fold it by the same lines, so that they cannot
 * come to differ in permissions; each of them may keep more about the community, its channels and its roles.
 */
export type CommunityStructure = {
  readonly photo?: CommunityPhoto;
  /** See `editPaid`. Of the community itself; each channel has its own. */
  readonly editsPaidUntil?: Millis;
  readonly channels: ChannelTree;
  /** In the order in which they were made. */
  readonly roles: readonly RoleState[];
  /** Absent while nothing was ever set. */
  readonly settings?: CommunitySettings;
};

export type CommunityPhoto = { readonly file: FileId; readonly content: Personal<PhotoContent> };

/** Each is absent as long as it was never set. */
export type CommunitySettings = {
  readonly systemMessages?: SystemMessages;
  readonly discovery?: { readonly listed: boolean; readonly listing: Personal<Listing> };
  readonly notifications?: Notifications;
  /** See `editPaid`. */
  readonly editsPaidUntil?: Millis;
};

/** `channel` is absent also when the channel that was set was deleted. About those who came and went before `since` there are none. */
export type SystemMessages = { readonly channel?: ChannelId; readonly wanted: boolean; readonly since: Millis };

export type RoleState = {
  readonly id: RoleId;
  readonly name: Personal<string>;
  readonly permissions: bigint;
  readonly priority: number;
  readonly color: number;
  readonly separated: boolean;
  readonly public: boolean;
};

/** All that happens to a community between its beginning and its end. */
export type StructureEvent = Exclude<CommunityEvent, { readonly type: 'CommunityCreated' | 'CommunityDeleted' }>;

/** The community after the event; the same object when the event changes nothing in it. */
export const restructured = <Community extends CommunityStructure>(
  community: Community,
  event: StructureEvent,
): Community =>
  // Each line hands on all that it was given, with other channels or roles, or another photo.
  apply<CommunityStructure, StructureEvent>(structure, community, event) as Community;

/** A table with the same line for each of these events. */
export const eachStructureEvent = <Line>(line: Line): Readonly<Record<StructureEvent['type'], Line>> =>
  // The keys of the fold are all types of these events, and nothing else.
  Object.fromEntries(Object.keys(structure).map((type) => [type, line])) as Record<StructureEvent['type'], Line>;

const structure: Fold<CommunityStructure, StructureEvent> = {
  CommunityPhotoChanged: (community, { data: { file, content, editsPaidUntil } }) => ({
    ...community,
    photo: { file, content },
    ...defined({ editsPaidUntil }),
  }),
  CommunityPhotoRemoved: ({ photo: _, ...community }, { data: { editsPaidUntil } }) => ({
    ...community,
    ...defined({ editsPaidUntil }),
  }),
  ChannelCreated: (community, { data }) => withChannels(community, withMadeChannel(community.channels, data)),
  ChannelRenamed: (community, { data }) => edited(community, data, (channel) => ({ ...channel, name: data.name })),
  ChannelDescribed: (community, { data }) =>
    edited(community, data, (channel) => ({ ...channel, description: data.description })),
  ChannelsArranged: (community, { data }) => {
    const moved = withChannels(community, arranged(community.channels, data.places));
    return data.channel === undefined ? moved : edited(moved, { ...data, channel: data.channel }, (channel) => channel);
  },
  ChannelExplicitnessChanged: (community, { data }) =>
    edited(community, data, (channel) => ({ ...channel, explicit: data.explicit })),
  SlowmodeChanged: (community, { data }) =>
    edited(community, data, (channel) => ({ ...channel, slowmodeSeconds: data.seconds })),
  MessageHighlighted: (community, { data }) =>
    edited(community, data, (channel) => ({ ...channel, highlighted: data.message })),
  HighlightCleared: (community, { data }) => edited(community, data, ({ highlighted: _, ...channel }) => channel),
  ChannelDeleted: (community, { data }) =>
    withoutSystemMessagesIn(withChannels(community, withoutChannel(community.channels, data.channel)), data.channel),
  SystemMessagesSet: (community, { data }) => {
    const systemMessages = { wanted: data.wanted, since: data.at, ...defined({ channel: data.channel }) };
    return withSettings(community, data, { systemMessages });
  },
  DiscoveryListingSet: (community, { data }) =>
    withSettings(community, data, { discovery: { listed: data.listed, listing: data.listing } }),
  DefaultNotificationsSet: (community, { data }) =>
    withSettings(community, data, { notifications: data.notifications }),
  RoleCreated: (community, { data }) => ({
    ...community,
    roles: [...community.roles.filter(({ id }) => id !== data.role), roleOf(data)],
  }),
  RoleEdited: (community, { data }) => ({
    ...community,
    roles: community.roles.map((role) => (role.id === data.role ? { ...role, ...roleOf(data) } : role)),
  }),
  RoleDeleted: (community, { data }) => ({
    ...community,
    roles: community.roles.filter(({ id }) => id !== data.role),
    channels: withoutRoleOverrides(community.channels, data.role),
  }),
  OverrideSet: (community, { data: { channel, role, pos, neg } }) =>
    withChannels(community, withOverride(community.channels, channel, { role, pos, neg })),
  OverrideRemoved: (community, { data }) =>
    withChannels(community, withoutOverride(community.channels, data.channel, data.role)),
};

const withChannels = (community: CommunityStructure, channels: ChannelTree): CommunityStructure =>
  channels === community.channels ? community : { ...community, channels };

const withSettings = (
  community: CommunityStructure,
  { editsPaidUntil }: { readonly editsPaidUntil?: Millis },
  settings: CommunitySettings,
): CommunityStructure => ({
  ...community,
  settings: { ...community.settings, ...settings, ...defined({ editsPaidUntil }) },
});

const withoutSystemMessagesIn = (community: CommunityStructure, channel: ChannelId): CommunityStructure => {
  const { settings } = community;
  if (settings?.systemMessages?.channel !== channel) return community;
  const { channel: _, ...others } = settings.systemMessages;
  return { ...community, settings: { ...settings, systemMessages: others } };
};

const edited = (
  community: CommunityStructure,
  { channel: id, editsPaidUntil }: { readonly channel: ChannelId; readonly editsPaidUntil?: Millis },
  change: (channel: ChannelState) => ChannelState,
): CommunityStructure =>
  withChannels(
    community,
    withChannel(community.channels, id, (channel) => ({ ...change(channel), ...defined({ editsPaidUntil }) })),
  );

const roleOf = (data: EventOf<CommunityEvent, 'RoleCreated' | 'RoleEdited'>['data']): RoleState => ({
  id: data.role,
  name: data.name,
  permissions: data.permissions,
  priority: data.priority,
  color: data.color,
  separated: data.separated,
  public: data.public,
});
