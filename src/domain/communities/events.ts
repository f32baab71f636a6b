import { photoContent } from '../files/events.js';
import { declareEvents, type EventsOf } from '../../kernel/declareEvents.js';
import type { ChannelId, CommunityId, FileId, MessageId, RoleId, UserId } from '../../kernel/ids.js';
import {
  added,
  bits,
  count,
  flag,
  id,
  list,
  millis,
  oneOf,
  optional,
  shape,
  text,
  type Value,
} from '../../kernel/schema.js';
import { communityScope } from '../../kernel/scopes.js';
import { streamFamily } from '../../kernel/streams.js';
import { communityTopic } from '../../kernel/topics.js';

const community = id<CommunityId>('community');
const channel = id<ChannelId>('channel');
const role = id<RoleId>('role');
const by = id<UserId>('user');
/** Paces the edits of one channel, or of the community itself: each takes ten seconds of it. */
const editsPaidUntil = added(millis);
const file = id<FileId>('file');

export const communityStreams = streamFamily('community');
export const communityStream = (id: CommunityId): string => communityStreams.named(id.toString());

type InCommunity = { readonly community: CommunityId };
const stream = (data: InCommunity): string => communityStream(data.community);
const about = (data: InCommunity): string => communityTopic(data.community);
// The name of a community belongs to the community: erasing the person who typed it must not blank it.
const sealedFor = (data: InCommunity) => ({ scope: communityScope(data.community) });

const channelKind = oneOf('text', 'voice', 'category');
export type ChannelKind = Value<typeof channelKind>;

const place = shape({ channel, position: count, parent: optional(channel) });
export type ChannelPlace = Value<typeof place>;

const notifications = oneOf('all', 'mentions', 'none');
export type Notifications = Value<typeof notifications>;

const listing = shape({ shortDescription: text, longDescription: text, categories: list(text) });
export type Listing = Value<typeof listing>;

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

/** Streams: `community-<community>`: the community itself, its channels, roles and overrides. Members have their own streams. */
export const communityEvents = declareEvents(
  'communities',
  { stream, about, sealedFor, affects: 'permissions' },
  {
    CommunityCreated: {
      says: 'A community was founded. `defaultPermissions` are what every member may do.',
      mints: 'stream',
      fields: { community, owner: by, defaultPermissions: bits },
      personal: { name: text },
    },
    CommunityDeleted: {
      says: 'The owner deleted the community with all that is in it. `photo` was its photo.',
      fields: { community, by, photo: added(file) },
    },
    CommunityPhotoChanged: {
      says: 'The community got a photo, in the place of `replaced` where there was one.',
      fields: { community, by, editsPaidUntil, file, replaced: optional(file) },
      personal: { content: photoContent },
    },
    CommunityPhotoRemoved: {
      says: 'The photo of the community was taken away, which was this file.',
      fields: { community, by, editsPaidUntil, file },
    },
    ChannelCreated: {
      says: 'A channel or category was made. Under a category it follows the overrides of its category at first.',
      mints: { field: 'channel' },
      fields: { community, channel, kind: channelKind, position: count, parent: optional(channel), by },
      personal: { name: text },
    },
    ChannelRenamed: {
      says: 'A channel got another name.',
      fields: { community, channel, by, editsPaidUntil },
      personal: { name: text },
    },
    ChannelDescribed: {
      says: 'A channel got another description; it may be empty.',
      fields: { community, channel, by, editsPaidUntil },
      personal: { description: text },
    },
    ChannelsArranged: {
      says: 'Channels moved: all those whose place changed, with their new place. No parent means the top level. A channel that followed its category keeps a copy of those overrides when it moves out to the top level, and follows the new category when it moves under another one. `channel` is the one that somebody moved; absent when a category was deleted.',
      fields: { community, places: list(place), by, channel: added(channel), editsPaidUntil },
    },
    ChannelExplicitnessChanged: {
      says: 'A channel was marked, or is no longer marked, as explicit.',
      fields: { community, channel, explicit: flag, by, editsPaidUntil },
    },
    SlowmodeChanged: {
      says: 'The pause between two messages of one member was set; 0 is none.',
      fields: { community, channel, seconds: count, by, editsPaidUntil },
    },
    MessageHighlighted: {
      says: 'A message was put at the top of its channel.',
      fields: { community, channel, message: id<MessageId>('message'), by, editsPaidUntil },
    },
    HighlightCleared: {
      says: 'The message at the top of a channel was taken down.',
      fields: { community, channel, by, editsPaidUntil },
    },
    ChannelDeleted: {
      says: 'A channel or category was deleted. The channels of a category move to the top level by an event of their own.',
      fields: { community, channel, by },
    },
    SystemMessagesSet: {
      says: 'Messages about members who come and go are posted to this channel, if there is one and they are wanted, about those from `at` on.',
      fields: { community, channel: optional(channel), wanted: flag, at: millis, by, editsPaidUntil },
    },
    DiscoveryListingSet: {
      says: 'The community wants, or does not want, to be listed for everybody, with these words.',
      fields: { community, listed: flag, by, editsPaidUntil },
      personal: { listing },
    },
    DefaultNotificationsSet: {
      says: 'Members without a preference of their own are notified of these messages.',
      fields: { community, notifications, by, editsPaidUntil },
    },
    RoleCreated: {
      says: 'A role was made.',
      mints: { field: 'role' },
      fields: roleFields,
      personal: { name: text },
    },
    RoleEdited: {
      says: 'A role was replaced, all of it.',
      fields: roleFields,
      personal: { name: text },
    },
    RoleDeleted: {
      says: 'A role was deleted; its holders and overrides lose it with this event.',
      fields: { community, role, by },
    },
    OverrideSet: {
      says: 'What a role may do in one channel was set: `pos` on top of, `neg` less than elsewhere. Role 0 is everybody. A channel that followed its category keeps a copy of those overrides and follows no longer.',
      fields: { community, channel, role, pos: bits, neg: bits, by },
    },
    OverrideRemoved: {
      says: 'A role may do in the channel what it may elsewhere. A channel that followed its category keeps a copy of the other overrides and follows no longer.',
      fields: { community, channel, role, by },
    },
  },
);
export type CommunityEvent = EventsOf<typeof communityEvents>;
