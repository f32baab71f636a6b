import { declareEvents, type EventsOf } from '../../kernel/declareEvents.js';
import type { UserId } from '../../kernel/ids.js';
import { chatKey, count, id, millis, optional, text } from '../../kernel/schema.js';
import { streamFamily } from '../../kernel/streams.js';
import { nobody } from '../../kernel/topics.js';

export const inviteStreams = streamFamily('invite');

const stream = (data: { readonly code: string }): string => inviteStreams.named(data.code);
const about = (): string => nobody;

/** Streams: `invite-<code>`. */
export const inviteEvents = declareEvents(
  'invites',
  { stream, about },
  {
    InviteCreated: {
      says: 'An invite was made. A channel invites into its community. Without `expiresAt` it does not expire, without `maxUses` it is not used up.',
      fields: {
        code: text,
        chat: chatKey,
        creator: id<UserId>('user'),
        expiresAt: optional(millis),
        maxUses: optional(count),
      },
    },
    InviteUsed: {
      says: 'One use of a limited invite was taken, for the `joining`-th joining of this user. Unlimited invites do not count, so their streams stay short.',
      fields: { code: text, chat: chatKey, user: id<UserId>('user'), joining: count },
    },
  },
);
export type InviteEvent = EventsOf<typeof inviteEvents>;
