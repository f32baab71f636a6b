import { declareEvents, type EventsOf } from '../../kernel/declareEvents.js';
import type { ChatKey } from '../../kernel/chat.js';
import type { UserId } from '../../kernel/ids.js';
import { chatKey, count, id, millis, optional, text } from '../../kernel/schema.js';
import { streamFamily } from '../../kernel/streams.js';
import { nobody } from '../../kernel/topics.js';

export const inviteStreams = streamFamily('invite');

type OfInvite = { readonly invite: string } | { readonly code: string };
const stream = (data: OfInvite): string => inviteStreams.named('invite' in data ? data.invite : data.code);
const about = (): string => nobody;
/** Asked for events with personal fields only, which have both. */
const sealedFor = (data: OfInvite & { readonly creator?: UserId; readonly chat: ChatKey }) => ({
  ...(data.creator !== undefined && { subject: data.creator }),
  scope: data.chat,
});

/**
 * Streams: `invite-<invite>`. Everybody who knows a code may come in, so it is sealed, and the invite is named by a keyed
 * hash of it. Invites of former releases are named by their code, which stands in the clear.
 */
export const inviteEvents = declareEvents(
  'invites',
  { stream, about, sealedFor },
  {
    ChatInviteCreated: {
      says: 'An invite was made. `invite` is a keyed hash of its code. A channel invites into its community. `creatorJoining` counts the joinings of its creator until then: a removal that ends this joining or a later one ends the invite. Without `expiresAt` it does not expire, without `maxUses` it is not used up.',
      fields: {
        invite: text,
        chat: chatKey,
        creator: id<UserId>('user'),
        creatorJoining: count,
        expiresAt: optional(millis),
        maxUses: optional(count),
      },
      personal: { code: text },
    },
    InviteCreated: {
      says: 'An invite was made by a former release, with its code in the clear. A channel invites into its community. Without `expiresAt` it does not expire, without `maxUses` it is not used up.',
      fields: {
        code: text,
        chat: chatKey,
        creator: id<UserId>('user'),
        expiresAt: optional(millis),
        maxUses: optional(count),
      },
    },
    InviteUsed: {
      says: 'One use of a limited invite was taken, for the `joining`-th joining of this user. Unlimited invites do not count, so their streams stay short. `code` names the invite: it is the keyed hash, or of an invite of a former release the code.',
      fields: { code: text, chat: chatKey, user: id<UserId>('user'), joining: count },
    },
  },
);
export type InviteEvent = EventsOf<typeof inviteEvents>;
