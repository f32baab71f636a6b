import { declareEvents, type EventsOf } from '../../kernel/declareEvents.js';
import type { FileId, UserId } from '../../kernel/ids.js';
import { added, count, flag, id, millis, text } from '../../kernel/schema.js';
import { accountScope } from '../../kernel/scopes.js';
import { streamFamily } from '../../kernel/streams.js';
import { userTopic } from '../../kernel/topics.js';

const user = id<UserId>('user');
/** Paces the edits of one profile: each takes ten seconds of it. */
const editsPaidUntil = added(millis);

export const userStreams = streamFamily('user');
export const userStream = (user: UserId): string => userStreams.named(user.toString());

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
  },
);
export type UserEvent = EventsOf<typeof userEvents>;
