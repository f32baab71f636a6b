import { eventKind, type EventFrom } from '../../kernel/event.js';
import type { MessageId, UserId } from '../../kernel/ids.js';
import { chatKey, id } from '../../kernel/schema.js';
import { userTopic } from '../../kernel/topics.js';

/** Streams: `reads-<user>.<chat>`. Only the newest event matters. */
export type ReadEvent = MarkerMoved;

export const markerMoved = eventKind('reads.MarkerMoved.v1', {
  says: 'A user has read a chat up to this message.',
  about: (data) => userTopic(data.user),
  fields: { user: id<UserId>('user'), chat: chatKey, message: id<MessageId>('message') },
});
export type MarkerMoved = EventFrom<typeof markerMoved>;

export const readEvents = [markerMoved] as const;
