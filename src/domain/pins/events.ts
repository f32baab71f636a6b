import type { ChatKey } from '../../kernel/chat.js';
import { declareEvents, type EventsOf } from '../../kernel/declareEvents.js';
import type { MessageId, UserId } from '../../kernel/ids.js';
import { chatKey, id, list } from '../../kernel/schema.js';
import { streamFamily } from '../../kernel/streams.js';

const message = id<MessageId>('message');
const fields = { chat: chatKey, message, by: id<UserId>('user'), pinned: list(message) };

export const pinStreams = streamFamily('pins');
export const pinStream = (chat: ChatKey): string => pinStreams.named(chat);

type OfChat = { readonly chat: ChatKey };
const stream = (data: OfChat): string => pinStream(data.chat);
const about = (data: OfChat): string => data.chat;

/** Streams: `pins-<chat>`: the pins of one chat. Each event says all that is pinned, so that the latest alone counts. */
export const pinEvents = declareEvents(
  'pins',
  { stream, about },
  {
    MessagePinned: {
      says: 'Somebody pinned a message in its chat. `pinned` are all pins of the chat from then on, the newest first; some of them may be of messages that were deleted.',
      fields,
    },
    MessageUnpinned: {
      says: 'Somebody took the pin of a message away. `pinned` are the pins that are left, the newest first.',
      fields,
    },
  },
);
export type PinEvent = EventsOf<typeof pinEvents>;
