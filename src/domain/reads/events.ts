import type { ChatKey } from '../../kernel/chat.js';
import { declareEvents, type EventsOf } from '../../kernel/declareEvents.js';
import type { MessageId, UserId } from '../../kernel/ids.js';
import { chatKey, id } from '../../kernel/schema.js';
import { streamFamily } from '../../kernel/streams.js';
import { userTopic } from '../../kernel/topics.js';

export const readStreams = streamFamily('reads');
export const readStream = (user: UserId, chat: ChatKey): string => readStreams.named(`${user.toString()}.${chat}`);

type OfReader = { readonly user: UserId; readonly chat: ChatKey };
const stream = (data: OfReader): string => readStream(data.user, data.chat);
const about = (data: OfReader): string => userTopic(data.user);

/** Streams: `reads-<user>.<chat>`. Only the newest event matters. */
export const readEvents = declareEvents(
  'reads',
  { stream, about },
  {
    MarkerMoved: {
      says: 'A user has read a chat up to this message.',
      fields: { user: id<UserId>('user'), chat: chatKey, message: id<MessageId>('message') },
    },
  },
);
export type ReadEvent = EventsOf<typeof readEvents>;
