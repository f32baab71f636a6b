import { declareEvents, type EventsOf } from '../../kernel/declareEvents.js';
import { photoContent } from '../files/events.js';
import type { FileId, UserId } from '../../kernel/ids.js';
import { added, count, flag, id, millis, optional, text } from '../../kernel/schema.js';
import { accountScope } from '../../kernel/scopes.js';
import { streamFamily } from '../../kernel/streams.js';
import { userTopic } from '../../kernel/topics.js';

const user = id<UserId>('user');
/** Paces the edits of one profile: each takes ten seconds of it. */
const editsPaidUntil = added(millis);

export const userStreams = streamFamily('user');
export const userStream = (user: UserId): string => userStreams.named(user.toString());

const file = id<FileId>('file');

type OfUser = { readonly user: UserId };
const stream = (data: OfUser): string => userStream(data.user);
const about = (data: OfUser): string => userTopic(data.user);
const sealedFor = (data: OfUser) => ({ subject: data.user, scope: accountScope(data.user) });

/** Streams: `user-<user>`, the part of a user that others see. */
export const userEvents = declareEvents(
  'users',
  { stream, about, sealedFor },
  {
    UserRegistered: {
      says: 'A profile came to be.',
      fields: { user, bot: flag },
      personal: { name: text },
    },
    NameChanged: {
      says: 'A user took another display name.',
      fields: { user, editsPaidUntil },
      personal: { name: text },
    },
    UsernameChanged: {
      says: 'A user took a username. `usernameKey` is the key of its reservation.',
      fields: { user, editsPaidUntil, usernameKey: text },
      personal: { username: text },
    },
    UsernameCleared: {
      says: 'A user gave the username up.',
      fields: { user, editsPaidUntil },
    },
    BioChanged: {
      says: 'A user wrote another text about themselves; it may be empty.',
      fields: { user, editsPaidUntil },
      personal: { bio: text },
    },
    IconChanged: {
      says: 'A user chose an emoji to stand beside their name.',
      fields: { user, editsPaidUntil, icon: id<FileId>('emoji') },
    },
    IconCleared: {
      says: 'A user removed the emoji beside their name.',
      fields: { user, editsPaidUntil },
    },
    ColorChanged: {
      says: 'A user chose a colour, 0xRRGGBB.',
      fields: { user, editsPaidUntil, color: count },
    },
    UserPhotoChanged: {
      says: 'A user put a photo beside their name, in the place of `replaced` where there was one.',
      fields: { user, editsPaidUntil, file, replaced: optional(file) },
      personal: { content: photoContent },
    },
    UserPhotoRemoved: {
      says: 'A user took their photo away, which was this file.',
      fields: { user, editsPaidUntil, file },
    },
    BannerChanged: {
      says: 'A user put a banner on their profile, in the place of `replaced` where there was one.',
      fields: { user, editsPaidUntil, file, replaced: optional(file) },
      personal: { content: photoContent },
    },
    BannerRemoved: {
      says: 'A user took the banner of their profile away, which was this file.',
      fields: { user, editsPaidUntil, file },
    },
  },
);
export type UserEvent = EventsOf<typeof userEvents>;
