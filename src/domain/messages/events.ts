import { eventKind, type EventFrom } from '../../kernel/event.js';
import type { FileId, MessageId, UserId } from '../../kernel/ids.js';
import { bits, chatKey, count, id, list, oneOf, optional, shape, text, type Value } from '../../kernel/schema.js';
import type { ChatKey } from '../../kernel/chat.js';

/** Streams: `message-<message>`: the whole life of one message. */
export type MessageEvent = MessageSent | MessageEdited | MessageDeleted;

const fields = { message: id<MessageId>('message'), chat: chatKey, author: id<UserId>('user') };
const about = (data: { readonly chat: ChatKey }): string => data.chat;
const sealedFor = (data: { readonly chat: ChatKey; readonly author: UserId }) => ({
  subject: data.author,
  scope: data.chat,
});

/** Offsets and lengths are in UTF-16 code units. */
const entity = shape({
  start: count,
  length: count,
  kind: oneOf(
    'bold',
    'italic',
    'underline',
    'strikethrough',
    'code',
    'url',
    'spoiler',
    'pre',
    'textUrl',
    'customEmoji',
    'userMention',
    'username',
  ),
  language: optional(text),
  url: optional(text),
  emoji: optional(id<FileId>('emoji')),
});
export type Entity = Value<typeof entity>;

const quote = shape({ text, entities: list(entity), offset: optional(count) });
export type Quote = Value<typeof quote>;

const mentions = list(id<UserId>('user'));

export const messageSent = eventKind('messages.MessageSent.v1', {
  says: 'A message was sent. `nonce` is what the sending session calls it; `mentions` are the users named in it.',
  about,
  fields: { ...fields, mentions, replyTo: optional(id<MessageId>('message')), nonce: optional(bits) },
  personal: { text, entities: list(entity), quote: optional(quote) },
  sealedFor,
});
export type MessageSent = EventFrom<typeof messageSent>;

export const messageEdited = eventKind('messages.MessageEdited.v1', {
  says: 'The author changed the text of a message.',
  about,
  fields: { ...fields, mentions },
  personal: { text, entities: list(entity) },
  sealedFor,
});
export type MessageEdited = EventFrom<typeof messageEdited>;

export const messageDeleted = eventKind('messages.MessageDeleted.v1', {
  says: 'A message was deleted for everybody, by its author or by somebody who may delete others’ messages.',
  about,
  fields: { ...fields, by: id<UserId>('user') },
});
export type MessageDeleted = EventFrom<typeof messageDeleted>;

export const messageEvents = [messageSent, messageEdited, messageDeleted] as const;
