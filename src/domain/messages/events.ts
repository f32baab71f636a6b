import { declareEvents, type EventsOf } from '../../kernel/declareEvents.js';
import type { EventOf } from '../../kernel/event.js';
import type { FileId, MessageId, StickerPackId, UserId } from '../../kernel/ids.js';
import {
  added,
  bits,
  chatKey,
  count,
  flag,
  id,
  list,
  millis,
  oneOf,
  optional,
  shape,
  text,
  type Value,
} from '../../kernel/schema.js';
import type { ChatKey } from '../../kernel/chat.js';
import { botInfo } from './botInfo.js';
import { streamFamily } from '../../kernel/streams.js';

const fields = { message: id<MessageId>('message'), chat: chatKey, author: id<UserId>('user') };

export const messageStreams = streamFamily('message');
export const messageStream = (message: MessageId): string => messageStreams.named(message.toString());

type OfMessage = {
  readonly message: MessageId;
  readonly chat: ChatKey;
  readonly author: UserId;
  /** Of the words of a forwarded message, which are theirs and not those of `author`. */
  readonly writtenBy?: UserId;
  /** Of the words that are quoted. */
  readonly quotes?: UserId;
};
const stream = (data: OfMessage): string => messageStream(data.message);
const about = (data: OfMessage): string => data.chat;
const sealedFor = (data: OfMessage) => ({ subject: data.writtenBy ?? data.author, scope: data.chat });
const sealedApartFor = ({ quotes, chat }: OfMessage) => quotes && { subject: quotes, scope: chat };

/** Offsets and lengths are in UTF-16 code units. */
export const entity = shape({
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

export const quote = shape({ text, entities: list(entity), offset: optional(count) });
export type Quote = Value<typeof quote>;

/** No user has this id: it is the actor of events that the server alone decided. */
export const theSystem = 0n as UserId;

/** As the sender's client says it; lengths in pixels and seconds, `preview` in base64url. */
const metadata = shape({
  kind: oneOf('image', 'video', 'audio', 'file', 'customEmoji'),
  width: optional(count),
  height: optional(count),
  duration: optional(count),
  preview: optional(text),
  animated: optional(flag),
  emoji: optional(text),
  pack: optional(id<StickerPackId>('sticker pack')),
});
export type MediaMetadata = Value<typeof metadata>;

/** `key` opens the bytes of the file, in base64url. `bytes` is their number. */
export const attachedFile = shape({
  file: id<FileId>('file'),
  key: text,
  bytes: count,
  mimetype: text,
  name: optional(text),
  metadata: optional(metadata),
});
export type AttachedFile = Value<typeof attachedFile>;

/** The words that the page behind a link has for itself. */
const page = shape({
  title: optional(text),
  description: optional(text),
  authorName: optional(text),
  websiteName: optional(text),
});

/** One thing that is attached to a message: either a file or a link, with its `page` where that could be had. */
export const media = shape({ file: optional(attachedFile), link: optional(text), page: added(page) });
export type Media = Value<typeof media>;

const mentions = list(id<UserId>('user'));
const files = list(id<FileId>('file'));

const announces = oneOf('joined', 'left');
export type Announcement = Value<typeof announces>;

/** Streams: `message-<message>`: the whole life of one message. */
export const messageEvents = declareEvents(
  'messages',
  { stream, about, sealedFor, sealedApartFor },
  {
    MessageSent: {
      says: 'A message was sent. `nonce` is what the sending session calls it; `mentions` are the users named in it. `requestHash`, kept with a nonce, is a keyed hash over all that was asked for: a request with the same one is the same request. `files` are those of `media`, which has all that is attached, in order, and of the photo of a cloak; a message without files has no `files`, one without anything attached no `media`. `botInfo`, a cloak and buttons, is of bots only, and `hasBotInfo` says that it is there. With `suppressEmbeds` links have no previews. `quotes` wrote the words of the quote, which then is sealed by itself, for that user: without it the quote is sealed as the text.',
      mints: 'stream',
      fields: {
        ...fields,
        mentions,
        replyTo: optional(id<MessageId>('message')),
        nonce: optional(bits),
        files: added(files),
        hasBotInfo: added(flag),
        suppressEmbeds: added(flag),
        quotes: added(id<UserId>('user')),
      },
      apart: ['quote'],
      personal: {
        text,
        entities: list(entity),
        quote: optional(quote),
        requestHash: added(text),
        media: added(list(media)),
        botInfo: added(botInfo),
      },
    },
    MessageForwarded: {
      says: 'A copy of a message was sent to another chat, or to the same one. `author` forwarded it; the words are those of `writtenBy`, sealed for that user and for the chat of the copy, and `writtenAt` is when they were first sent: a forward of a forward keeps both. `original` is the message that was forwarded. `files` are those of `media`, which has all that was attached to it. `suppressEmbeds`: the links of the original had no previews then. Nobody edits a forward.',
      mints: 'stream',
      fields: {
        ...fields,
        mentions,
        writtenBy: id<UserId>('user'),
        writtenAt: millis,
        original: id<MessageId>('message'),
        files: added(files),
        suppressEmbeds: added(flag),
      },
      personal: { text, entities: list(entity), media: added(list(media)) },
    },
    MemberAnnounced: {
      says: 'The server posted that `author` came to a community, or left it. It has no words, nobody has it unread, and its author has no right over it.',
      mints: 'stream',
      fields: { ...fields, announces },
    },
    MessageEdited: {
      says: 'The author changed the text of a message, or what is attached, or a bot its buttons. `editsPaidUntil` paces the edits of this message: each takes ten seconds of it. With `complete` the message has from here on no other quote, `requestHash` and `botInfo` than those of this event, which are those of before, so that nothing of the message stands in earlier events alone. With `files` it has from here on what is attached by this event, which may be nothing; `filesGained` and `filesLost` say how these differ from those of before. With `suppressEmbeds` no link of these words is followed; that previews are not wanted any more is an event of its own. `quotes` is as in `MessageSent`. `because`: the server made it, because the author had lost the right to the edit before that was in the log; the message then shows again what it showed before, `editedAt` among it.',
      fields: {
        ...fields,
        mentions,
        editsPaidUntil: added(millis),
        complete: added(flag),
        files: added(files),
        filesGained: added(files),
        filesLost: added(files),
        hasBotInfo: added(flag),
        suppressEmbeds: added(flag),
        quotes: added(id<UserId>('user')),
        because: added(oneOf('rightLost')),
        editedAt: added(millis),
      },
      apart: ['quote'],
      personal: {
        text,
        entities: list(entity),
        quote: added(quote),
        requestHash: added(text),
        media: added(list(media)),
        botInfo: added(botInfo),
      },
    },
    MessageDeleted: {
      says: 'A message was deleted for everybody, by its author or by somebody who may delete others’ messages. `by` is 0 where the server did it: because the author had lost the right before the message was in the log, or because its channel had ended and its files were kept by it. `files` were attached to it. `announced`: it was no message of a user, but said this of one.',
      fields: {
        ...fields,
        by: id<UserId>('user'),
        because: added(oneOf('rightLost')),
        files: added(files),
        announced: added(announces),
      },
    },
  },
);
export type { BotInfo } from './botInfo.js';
export type MessageEvent = EventsOf<typeof messageEvents>;

/** The facts with which a message begins. */
export type BegunMessage = EventOf<MessageEvent, 'MessageSent' | 'MessageForwarded'>;

export const beginsMessage = (type: string | undefined): boolean =>
  type === messageEvents.MessageSent.type || type === messageEvents.MessageForwarded.type;
