import { declareEvents, type EventsOf } from '../../kernel/declareEvents.js';
import type { UserId } from '../../kernel/ids.js';
import { id, millis, oneOf, text } from '../../kernel/schema.js';
import { streamFamily } from '../../kernel/streams.js';
import { nobody } from '../../kernel/topics.js';

const fields = { kind: oneOf('email', 'username'), key: text, holder: id<UserId>('user') };

const streams = { email: streamFamily('email'), username: streamFamily('username') };
export const reservationStream = (kind: keyof typeof streams, key: string): string => streams[kind].named(key);

type OfName = { readonly kind: keyof typeof streams; readonly key: string };
const stream = (data: OfName): string => reservationStream(data.kind, data.key);
const about = (): string => nobody;

/**
 * Streams: `email-<key>`, `username-<key>`, where the key is a keyed hash of the name. A name is unique because its
 * stream has one revision after the other. Never tombstoned: a released name can be claimed again.
 */
export const reservationEvents = declareEvents(
  'reservations',
  { stream, about },
  {
    NameClaimed: {
      says: 'A user claimed an e-mail address or username. The claim counts for good once the account or profile carries the name.',
      fields: { ...fields, at: millis },
    },
    NameReleased: {
      says: 'The holder gave the name up, or never came to carry it.',
      fields,
    },
  },
);
export type ReservationEvent = EventsOf<typeof reservationEvents>;
