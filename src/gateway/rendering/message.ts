import type { MessageSent, Quote } from '../../domain/messages/events.js';
import type { MessageInit, MessageReplyInfoInit } from '../../gen/types.js';
import { isShredded, unless, type Personal } from '../../kernel/event.js';
import type { MessageId, UserId } from '../../kernel/ids.js';
import type { MessageDocument } from '../../projections/messages/documents.js';
import { chatRefFor } from '../contract/chatRefs.js';
import { entitiesFor } from './entities.js';

/** A message as `viewer` sees it. Only direct chats are named differently by who looks. */
export const messageFor = (message: Shown, viewer: UserId): MessageInit => ({
  chatRef: chatRefFor(message.chat, viewer),
  messageId: message.id,
  authorId: message.author,
  message: unless(message.text, ''),
  entities: entitiesFor(message.entities),
  ...(message.editedAt === undefined ? {} : { editedAt: BigInt(message.editedAt) }),
  ...(message.replyTo === undefined ? {} : repliesTo(message.replyTo, message.quote)),
});

/** A message right after it was sent. */
export const messageSentFor = ({ data }: Pick<MessageSent, 'data'>, viewer: UserId): MessageInit =>
  messageFor({ ...data, id: data.message }, viewer);

type Shown = Pick<MessageDocument, 'id' | 'chat' | 'author' | 'text' | 'entities' | 'editedAt'> & {
  readonly replyTo?: MessageId | undefined;
  readonly quote?: Personal<Quote> | undefined;
};

/** Older clients look into `replyTo`, newer ones into `reply`. */
const repliesTo = (replyTo: MessageId, quote: Personal<Quote> | undefined) => ({
  replyTo,
  reply: { messageId: replyTo, ...(quote === undefined || isShredded(quote) ? {} : { quote: quoteFor(quote) }) },
});

const quoteFor = ({ text, entities, offset }: Quote): MessageReplyInfoInit['quote'] => ({
  message: text,
  entities: entitiesFor(entities),
  ...(offset === undefined ? {} : { offset: BigInt(offset) }),
});
