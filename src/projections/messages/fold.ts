import { messageStreams, type MessageEvent } from '../../domain/messages/events.js';
import type { ChatKey } from '../../kernel/chat.js';
import type { DocumentType } from '../../kernel/document.js';
import { numberInMetadata, type EventOf, type Recorded } from '../../kernel/event.js';
import type { MessageId, Millis, SessionId, UserId } from '../../kernel/ids.js';
import { personal } from '../../kernel/personal.js';
import { none, removed, unchanged, whenThere, type Making } from '../runner/foldHelpers.js';
import { countKeys } from './countKey.js';
import type { LastSentDocument, MessageCountDocument, MessageDocument } from './documents.js';

export const messageKey = (message: MessageId): string => message.toString();

const ofMessage = ({ data }: { readonly data: { readonly message: MessageId } }): readonly string[] => [
  messageKey(data.message),
];

export const messageDocuments: DocumentType<MessageDocument, MessageEvent> = {
  name: 'messages',
  version: 9,
  keys: {
    MessageSent: ofMessage,
    MessageForwarded: ofMessage,
    MemberAnnounced: ofMessage,
    MessageEdited: ofMessage,
    MessageDeleted: ofMessage,
  },
  streams: (key) => [messageStreams.named(key)],
  foldsFromFirstAndLatest: true,
  indexes: {
    history: ({ chat, id }) => [[chat, id]],
    mentions: ({ mentions, chat, id }) => mentions.map((user) => [user, chat, id]),
    byNonce: ({ session, nonce, id }) => (session === undefined || nonce === undefined ? [] : [[session, nonce, id]]),
    announcements: ({ announces, chat, id }) => (announces === undefined ? [] : [[chat, id]]),
  },
  evolve: {
    MessageSent: (_, event) => sent(event),
    MessageForwarded: (_, event) => forwarded(event),
    MemberAnnounced: (_, event) => announced(event),
    MessageEdited: whenThere((message, event) => edited(message, event)),
    MessageDeleted: removed,
  },
};

const sent = ({ data, at, metadata }: Recorded<EventOf<MessageEvent, 'MessageSent'>>): MessageDocument => {
  const message: Making<MessageDocument> = {
    id: data.message,
    chat: data.chat,
    author: data.author,
    text: data.text,
    entities: data.entities,
    mentions: data.mentions,
    sentAt: at,
  };
  if (data.quote !== undefined) message.quote = data.quote;
  if (data.hasBotInfo === true && data.botInfo !== undefined) message.botInfo = data.botInfo;
  if (data.files !== undefined && data.media !== undefined) message.media = data.media;
  if (data.replyTo !== undefined) message.replyTo = data.replyTo;
  if (data.nonce !== undefined) {
    message.nonce = data.nonce;
    if (data.requestHash !== undefined) message.requestHash = data.requestHash;
    const session = sessionOf(metadata.session);
    if (session !== undefined) message.session = session;
  }
  return message;
};

const forwarded = ({ data, at }: Recorded<EventOf<MessageEvent, 'MessageForwarded'>>): MessageDocument => ({
  id: data.message,
  chat: data.chat,
  author: data.author,
  text: data.text,
  entities: data.entities,
  mentions: data.mentions,
  sentAt: at,
  writtenBy: data.writtenBy,
  writtenAt: data.writtenAt,
  ...(data.files !== undefined && data.media !== undefined && { media: data.media }),
});

const announced = ({ data, at }: Recorded<EventOf<MessageEvent, 'MemberAnnounced'>>): MessageDocument => ({
  id: data.message,
  chat: data.chat,
  author: data.author,
  text: personal(''),
  entities: personal([]),
  mentions: [],
  sentAt: at,
  announces: data.announces,
});

/**
 * An edit of a former release has no quote and no `requestHash`: they stay those of the event before, and so does that
 * event's sealed value, until the message is edited once more.
 */
const edited = (
  message: MessageDocument,
  { data, at, revision: place }: Recorded<EventOf<MessageEvent, 'MessageEdited'>>,
): MessageDocument => {
  const { text, entities, mentions } = data;
  const revision = Number(place);
  if (data.complete !== true) return { ...message, text, entities, mentions, editedAt: at, revision };
  const { quote: _, requestHash: __, botInfo: ___, editedAt: ____, ...kept } = message;
  const after: Making<MessageDocument> = { ...kept, text, entities, mentions, revision };
  // An edit that was taken back was none.
  const editedAt = data.because === undefined ? at : data.editedAt;
  if (editedAt !== undefined) after.editedAt = editedAt;
  // A former release knew of nothing attached, and left it as it was.
  if (data.files !== undefined && data.media !== undefined) after.media = data.media;
  if (data.quote !== undefined) after.quote = data.quote;
  if (data.hasBotInfo === true && data.botInfo !== undefined) after.botInfo = data.botInfo;
  if (data.requestHash !== undefined && message.nonce !== undefined) after.requestHash = data.requestHash;
  return after;
};

const sessionOf = (session: unknown): SessionId | undefined => numberInMetadata(session) as SessionId | undefined;

export const messageCountDocuments: DocumentType<MessageCountDocument, MessageEvent> = {
  name: 'messageCounts',
  version: 2,
  keys: {
    MessageSent: ({ data }) => countKeys(data.chat, data.message),
    MessageForwarded: ({ data }) => countKeys(data.chat, data.message),
    MemberAnnounced: none,
    MessageEdited: none,
    MessageDeleted: ({ data }) => (data.announced === undefined ? countKeys(data.chat, data.message) : []),
  },
  streams: 'log',
  indexes: {},
  evolve: {
    MessageSent: (count) => oneMore(count),
    MessageForwarded: (count) => oneMore(count),
    MemberAnnounced: unchanged,
    MessageEdited: unchanged,
    MessageDeleted: whenThere(({ messages }) => (messages > 1 ? { messages: messages - 1 } : undefined)),
  },
};

const oneMore = (count: MessageCountDocument | undefined): MessageCountDocument => ({
  messages: (count?.messages ?? 0) + 1,
});

export const lastSentKey = (chat: ChatKey, author: UserId): string => `${chat}.${author.toString()}`;

export const lastSentDocuments: DocumentType<LastSentDocument, MessageEvent> = {
  name: 'lastSent',
  version: 2,
  keys: {
    MessageSent: ({ data }) => [lastSentKey(data.chat, data.author)],
    MessageForwarded: ({ data }) => [lastSentKey(data.chat, data.author)],
    MemberAnnounced: none,
    MessageEdited: none,
    MessageDeleted: none,
  },
  streams: 'log',
  indexes: {},
  evolve: {
    MessageSent: (last, { data, at }) => sentAfter(last, data.message, at),
    MessageForwarded: (last, { data, at }) => sentAfter(last, data.message, at),
    MemberAnnounced: unchanged,
    MessageEdited: unchanged,
    MessageDeleted: unchanged,
  },
};

/** Two nodes may write to the log in another order than that of their ids. */
const sentAfter = (last: LastSentDocument | undefined, message: MessageId, at: Millis): LastSentDocument => {
  if (last === undefined) return { message, at };
  const latest = at > last.at ? at : last.at;
  return message > last.message ? { message, before: last.message, at: latest } : { ...last, at: latest };
};
