import { eventKind, type EventFrom } from '../../kernel/event.js';
import type { UserId } from '../../kernel/ids.js';
import { id, millis, oneOf, text } from '../../kernel/schema.js';
import { nobody } from '../../kernel/topics.js';

/**
 * Streams: `email-<key>`, `username-<key>`, where the key is a keyed hash of the name. A name is unique because its
 * stream has one revision after the other. Never tombstoned: a released name can be claimed again.
 */
export type ReservationEvent = NameClaimed | NameReleased;

const fields = { kind: oneOf('email', 'username'), key: text, holder: id<UserId>('user') };
const about = (): string => nobody;

export const nameClaimed = eventKind('reservations.NameClaimed.v1', {
  says: 'A user claimed an e-mail address or username. The claim counts for good once the account or profile carries the name.',
  about,
  fields: { ...fields, at: millis },
});
export type NameClaimed = EventFrom<typeof nameClaimed>;

export const nameReleased = eventKind('reservations.NameReleased.v1', {
  says: 'The holder gave the name up, or never came to carry it.',
  about,
  fields,
});
export type NameReleased = EventFrom<typeof nameReleased>;

export const reservationEvents = [nameClaimed, nameReleased] as const;
