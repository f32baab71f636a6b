import { declareEvents, type EventsOf } from '../../kernel/declareEvents.js';
import type { SessionId, UserId } from '../../kernel/ids.js';
import { id, millis } from '../../kernel/schema.js';
import { streamFamily } from '../../kernel/streams.js';
import { userTopic } from '../../kernel/topics.js';

export const visibilityStreams = streamFamily('visibility');
export const visibilityStream = (session: SessionId): string => visibilityStreams.named(session.toString());

type OfSession = { readonly user: UserId; readonly session: SessionId };
const stream = ({ session }: OfSession): string => visibilityStream(session);
const about = ({ user }: OfSession): string => userTopic(user);
/** `at` is when it was chosen: the event may be written some seconds later. */
const fields = { user: id<UserId>('user'), session: id<SessionId>('session'), at: millis };

/** Streams: `visibility-<session>`. Only the newest event matters. Everything else about presence is ephemeral. */
export const visibilityEvents = declareEvents(
  'visibility',
  { stream, about },
  {
    InvisibilityChosen: { says: 'Somebody chose that a session of theirs looks offline to others.', fields },
    VisibilityChosen: { says: 'Somebody chose that others may see again when a session of theirs is there.', fields },
  },
);
export type VisibilityEvent = EventsOf<typeof visibilityEvents>;
