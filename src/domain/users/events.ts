import { eventKind, type EventFrom } from '../../kernel/event.js';
import type { FileId, UserId } from '../../kernel/ids.js';
import { count, flag, id, text } from '../../kernel/schema.js';
import { userTopic } from '../../kernel/topics.js';

/** Streams: `user-<user>`: what others see of somebody. */
export type UserEvent =
  | UserRegistered
  | NameChanged
  | UsernameChanged
  | UsernameCleared
  | BioChanged
  | IconChanged
  | IconCleared
  | ColorChanged;

const user = id<UserId>('user');
const about = (data: { readonly user: UserId }): string => userTopic(data.user);
const sealedFor = (data: { readonly user: UserId }) => ({
  subject: data.user,
  scope: `account.${data.user.toString()}`,
});

export const userRegistered = eventKind('users.UserRegistered.v1', {
  says: 'A profile came to be.',
  about,
  fields: { user, bot: flag },
  personal: { name: text },
  sealedFor,
});
export type UserRegistered = EventFrom<typeof userRegistered>;

export const nameChanged = eventKind('users.NameChanged.v1', {
  says: 'A user took another display name.',
  about,
  fields: { user },
  personal: { name: text },
  sealedFor,
});
export type NameChanged = EventFrom<typeof nameChanged>;

export const usernameChanged = eventKind('users.UsernameChanged.v1', {
  says: 'A user took a username. `usernameKey` is the key of its reservation.',
  about,
  fields: { user, usernameKey: text },
  personal: { username: text },
  sealedFor,
});
export type UsernameChanged = EventFrom<typeof usernameChanged>;

export const usernameCleared = eventKind('users.UsernameCleared.v1', {
  says: 'A user gave the username up.',
  about,
  fields: { user },
});
export type UsernameCleared = EventFrom<typeof usernameCleared>;

export const bioChanged = eventKind('users.BioChanged.v1', {
  says: 'A user wrote another text about themselves; it may be empty.',
  about,
  fields: { user },
  personal: { bio: text },
  sealedFor,
});
export type BioChanged = EventFrom<typeof bioChanged>;

export const iconChanged = eventKind('users.IconChanged.v1', {
  says: 'A user chose an emoji to stand beside their name.',
  about,
  fields: { user, icon: id<FileId>('emoji') },
});
export type IconChanged = EventFrom<typeof iconChanged>;

export const iconCleared = eventKind('users.IconCleared.v1', {
  says: 'A user removed the emoji beside their name.',
  about,
  fields: { user },
});
export type IconCleared = EventFrom<typeof iconCleared>;

export const colorChanged = eventKind('users.ColorChanged.v1', {
  says: 'A user chose a colour, 0xRRGGBB.',
  about,
  fields: { user, color: count },
});
export type ColorChanged = EventFrom<typeof colorChanged>;

export const userEvents = [
  userRegistered,
  nameChanged,
  usernameChanged,
  usernameCleared,
  bioChanged,
  iconChanged,
  iconCleared,
  colorChanged,
] as const;
