import type { ChatKey } from '../../kernel/chat.js';
import { declareEvents, type EventsOf } from '../../kernel/declareEvents.js';
import type { MessageId, UserId } from '../../kernel/ids.js';
import { chatKey, id, text } from '../../kernel/schema.js';
import { streamFamily } from '../../kernel/streams.js';

const fields = { message: id<MessageId>('message'), chat: chatKey, user: id<UserId>('user'), emoji: text };

export const reactionStreams = streamFamily('reactions');
export const reactionStream = (message: MessageId, user: UserId): string =>
  reactionStreams.named(`${message.toString()}.${user.toString()}`);

type OfReactor = { readonly message: MessageId; readonly chat: ChatKey; readonly user: UserId };
const stream = (data: OfReactor): string => reactionStream(data.message, data.user);
const about = (data: OfReactor): string => data.chat;

/** Streams: `reactions-<message>.<user>`: all that one user ever put on one message. */
export const reactionEvents = declareEvents(
  'reactions',
  { stream, about },
  {
    ReactionAdded: {
      says: 'A user put an emoji on a message. `emoji` is in its fully-qualified form.',
      fields,
    },
    ReactionRemoved: {
      says: 'A user took an emoji back that they had put on a message.',
      fields,
    },
  },
);
export type ReactionEvent = EventsOf<typeof reactionEvents>;
