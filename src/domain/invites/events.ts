import { eventKind, type EventFrom } from '../../kernel/event.js';
import type { UserId } from '../../kernel/ids.js';
import { chatKey, count, id, millis, optional, text } from '../../kernel/schema.js';
import { nobody } from '../../kernel/topics.js';

/** Streams: `invite-<code>`. */
export type InviteEvent = InviteCreated | InviteUsed;

const about = (): string => nobody;

export const inviteCreated = eventKind('invites.InviteCreated.v1', {
  says: 'An invite was made. A channel invites into its community. Without `expiresAt` it does not expire, without `maxUses` it is not used up.',
  about,
  fields: {
    code: text,
    chat: chatKey,
    creator: id<UserId>('user'),
    expiresAt: optional(millis),
    maxUses: optional(count),
  },
});
export type InviteCreated = EventFrom<typeof inviteCreated>;

export const inviteUsed = eventKind('invites.InviteUsed.v1', {
  says: 'One use of a limited invite was taken, for the `joining`-th joining of this user. Unlimited invites do not count, so their streams stay short.',
  about,
  fields: { code: text, chat: chatKey, user: id<UserId>('user'), joining: count },
});
export type InviteUsed = EventFrom<typeof inviteUsed>;

export const inviteEvents = [inviteCreated, inviteUsed] as const;
