import { eventKind, type EventFrom } from '../../kernel/event.js';
import type { ChannelId, CommunityId, MessageId, RoleId, UserId } from '../../kernel/ids.js';
import { bits, count, flag, id, list, oneOf, optional, shape, text, type Value } from '../../kernel/schema.js';
import { communityTopic } from '../../kernel/topics.js';

/** Streams: `community-<community>`: the community itself, its channels, roles and overrides. Members have their own streams. */
export type CommunityEvent =
  | CommunityCreated
  | CommunityDeleted
  | ChannelCreated
  | ChannelRenamed
  | ChannelDescribed
  | ChannelsArranged
  | ChannelExplicitnessChanged
  | SlowmodeChanged
  | MessageHighlighted
  | HighlightCleared
  | ChannelDeleted
  | RoleCreated
  | RoleEdited
  | RoleDeleted
  | OverrideSet
  | OverrideRemoved;

const community = id<CommunityId>('community');
const channel = id<ChannelId>('channel');
const role = id<RoleId>('role');
const by = id<UserId>('user');
const about = (data: { readonly community: CommunityId }): string => communityTopic(data.community);
// What a community is called belongs to the community: erasing the person who typed it must not blank it.
const sealedFor = (data: { readonly community: CommunityId }) => ({ scope: `community.${data.community.toString()}` });

export const communityCreated = eventKind('communities.CommunityCreated.v1', {
  says: 'A community was founded. `defaultPermissions` are what every member may do.',
  about,
  fields: { community, owner: by, defaultPermissions: bits },
  personal: { name: text },
  sealedFor,
});
export type CommunityCreated = EventFrom<typeof communityCreated>;

export const communityDeleted = eventKind('communities.CommunityDeleted.v1', {
  says: 'The owner deleted the community with all that is in it.',
  about,
  fields: { community, by },
});
export type CommunityDeleted = EventFrom<typeof communityDeleted>;

const channelKind = oneOf('text', 'voice', 'category');
export type ChannelKind = Value<typeof channelKind>;

export const channelCreated = eventKind('communities.ChannelCreated.v1', {
  says: 'A channel or category was made. Under a category it follows the overrides of its category at first.',
  about,
  fields: { community, channel, kind: channelKind, position: count, parent: optional(channel), by },
  personal: { name: text },
  sealedFor,
});
export type ChannelCreated = EventFrom<typeof channelCreated>;

export const channelRenamed = eventKind('communities.ChannelRenamed.v1', {
  says: 'A channel got another name.',
  about,
  fields: { community, channel, by },
  personal: { name: text },
  sealedFor,
});
export type ChannelRenamed = EventFrom<typeof channelRenamed>;

export const channelDescribed = eventKind('communities.ChannelDescribed.v1', {
  says: 'A channel got another description; it may be empty.',
  about,
  fields: { community, channel, by },
  personal: { description: text },
  sealedFor,
});
export type ChannelDescribed = EventFrom<typeof channelDescribed>;

const place = shape({ channel, position: count, parent: optional(channel) });
export type ChannelPlace = Value<typeof place>;

export const channelsArranged = eventKind('communities.ChannelsArranged.v1', {
  says: 'Channels moved: all those whose place changed, with their new place. No parent means the top level. A channel that followed its category keeps a copy of those overrides when it moves out to the top level, and follows the new category when it moves under another one.',
  about,
  fields: { community, places: list(place), by },
});
export type ChannelsArranged = EventFrom<typeof channelsArranged>;

export const channelExplicitnessChanged = eventKind('communities.ChannelExplicitnessChanged.v1', {
  says: 'A channel was marked, or is no longer marked, as explicit.',
  about,
  fields: { community, channel, explicit: flag, by },
});
export type ChannelExplicitnessChanged = EventFrom<typeof channelExplicitnessChanged>;

export const slowmodeChanged = eventKind('communities.SlowmodeChanged.v1', {
  says: 'The pause between two messages of one member was set; 0 is none.',
  about,
  fields: { community, channel, seconds: count, by },
});
export type SlowmodeChanged = EventFrom<typeof slowmodeChanged>;

export const messageHighlighted = eventKind('communities.MessageHighlighted.v1', {
  says: 'A message was put at the top of its channel.',
  about,
  fields: { community, channel, message: id<MessageId>('message'), by },
});
export type MessageHighlighted = EventFrom<typeof messageHighlighted>;

export const highlightCleared = eventKind('communities.HighlightCleared.v1', {
  says: 'The message at the top of a channel was taken down.',
  about,
  fields: { community, channel, by },
});
export type HighlightCleared = EventFrom<typeof highlightCleared>;

export const channelDeleted = eventKind('communities.ChannelDeleted.v1', {
  says: 'A channel or category was deleted. The channels of a category move to the top level by an event of their own.',
  about,
  fields: { community, channel, by },
});
export type ChannelDeleted = EventFrom<typeof channelDeleted>;

const roleFields = {
  community,
  role,
  permissions: bits,
  priority: count,
  color: count,
  separated: flag,
  public: flag,
  by,
};

export const roleCreated = eventKind('communities.RoleCreated.v1', {
  says: 'A role was made.',
  about,
  fields: roleFields,
  personal: { name: text },
  sealedFor,
});
export type RoleCreated = EventFrom<typeof roleCreated>;

export const roleEdited = eventKind('communities.RoleEdited.v1', {
  says: 'A role was replaced, all of it.',
  about,
  fields: roleFields,
  personal: { name: text },
  sealedFor,
});
export type RoleEdited = EventFrom<typeof roleEdited>;

export const roleDeleted = eventKind('communities.RoleDeleted.v1', {
  says: 'A role was deleted; its holders and overrides lose it with this event.',
  about,
  fields: { community, role, by },
});
export type RoleDeleted = EventFrom<typeof roleDeleted>;

export const overrideSet = eventKind('communities.OverrideSet.v1', {
  says: 'What a role may do in one channel was set: `pos` on top of, `neg` less than elsewhere. Role 0 is everybody. A channel that followed its category keeps a copy of those overrides and follows no longer.',
  about,
  fields: { community, channel, role, pos: bits, neg: bits, by },
});
export type OverrideSet = EventFrom<typeof overrideSet>;

export const overrideRemoved = eventKind('communities.OverrideRemoved.v1', {
  says: 'A role may do in the channel what it may elsewhere. A channel that followed its category keeps a copy of the other overrides and follows no longer.',
  about,
  fields: { community, channel, role, by },
});
export type OverrideRemoved = EventFrom<typeof overrideRemoved>;

export const communityEvents = [
  communityCreated,
  communityDeleted,
  channelCreated,
  channelRenamed,
  channelDescribed,
  channelsArranged,
  channelExplicitnessChanged,
  slowmodeChanged,
  messageHighlighted,
  highlightCleared,
  channelDeleted,
  roleCreated,
  roleEdited,
  roleDeleted,
  overrideSet,
  overrideRemoved,
] as const;
