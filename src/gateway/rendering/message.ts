import type { Announcement, BegunMessage, Media, MessageEvent, Quote } from '../../domain/messages/events.js';
import type { BotInfo } from '../../domain/messages/botInfo.js';
import { MessageType, type MessageInit, type MessageReplyInfoInit } from '../../gen/types.js';
import type { EventOf } from '../../kernel/event.js';
import type { MessageId, Millis, UserId } from '../../kernel/ids.js';
import { unless } from '../../kernel/opened.js';
import { personal, type Personal } from '../../kernel/personal.js';
import type { MessageDocument } from '../../projections/messages/documents.js';
import type { ShownPreview } from '../../domain/previews/events.js';
import { pinsOf } from '../../projections/pins/queries.js';
import type { PreviewDocument } from '../../projections/previews/documents.js';
import { previewsOf } from '../../projections/previews/queries.js';
import type { Reads } from '../../projections/reading/queries.js';
import { chatRefFor } from '../contract/chatRefs.js';
import { botInfoFor } from './botInfo.js';
import { embedFor } from './embed.js';
import { entitiesFor } from './entities.js';
import { mediaFor } from './media.js';

/** A message as `viewer` sees it. Only direct chats are named differently for each viewer. `pinned` is absent where nothing says it. */
export const messageFor = (message: Shown, viewer: UserId): MessageInit => ({
  chatRef: chatRefFor(message.chat, viewer),
  messageId: message.id,
  authorId: message.author,
  message: unless(message.text, ''),
  // Entities of a text that was shredded would point into nothing.
  entities: entitiesFor(unless(message.entities, [])),
  ...mediaIn(message),
  ...(message.editedAt === undefined ? {} : { editedAt: BigInt(message.editedAt) }),
  ...(message.replyTo === undefined ? {} : repliesTo(message.replyTo, message.quote)),
  ...(message.writtenAt === undefined ? {} : { forward: { date: BigInt(message.writtenAt) } }),
  ...botInfoIn(message.botInfo && unless(message.botInfo, undefined)),
  ...(message.announces === undefined ? {} : { type: announcements[message.announces] }),
  ...(message.pinned === undefined ? {} : { pinned: message.pinned }),
});

const botInfoIn = (info: BotInfo | undefined): Pick<MessageInit, 'botInfo'> =>
  info === undefined ? {} : { botInfo: botInfoFor(info) };

/** A message right after it was sent, forwarded or posted by the server. */
export const messageSentFor = (
  { data }: Pick<BegunMessage | EventOf<MessageEvent, 'MemberAnnounced'>, 'data'>,
  viewer: UserId,
): MessageInit => messageFor({ id: data.message, ...wordless, ...data }, viewer);

const wordless = { text: personal(''), entities: personal([]) };

const announcements: Readonly<Record<Announcement, MessageType>> = {
  joined: MessageType.JOIN,
  left: MessageType.LEAVE,
};

type Shown = Pick<MessageDocument, 'id' | 'chat' | 'author' | 'text' | 'entities' | 'editedAt'> & {
  readonly replyTo?: MessageId | undefined;
  readonly quote?: Personal<Quote> | undefined;
  readonly writtenAt?: Millis | undefined;
  readonly botInfo?: Personal<BotInfo> | undefined;
  readonly announces?: Announcement | undefined;
  readonly pinned?: boolean;
  readonly media?: Personal<readonly Media[]> | undefined;
  readonly preview?: Personal<ShownPreview> | undefined;
};

/** The preview of a link stands behind all that is attached. */
const mediaIn = ({ media, preview }: Shown): Pick<MessageInit, 'media'> => {
  const embed = preview && unless(preview, undefined);
  const all = [
    ...mediaFor(media === undefined ? [] : unless(media, [])),
    ...(embed === undefined ? [] : [{ embed: embedFor(embed) }]),
  ];
  return all.length === 0 ? {} : { media: all };
};

/**
 * The messages as they are shown: with the pins of their chats, where only those that are pinned say so, and with the
 * previews of the words that they have.
 */
export const withPins = async (
  reads: Reads,
  messages: readonly MessageDocument[],
): Promise<readonly PinnableMessage[]> => {
  const chats = messages.map(({ chat }) => chat);
  const ids = messages.map(({ id }) => id);
  const [pins, previews] = await Promise.all([pinsOf(reads, chats), previewsOf(reads, ids)]);
  const pinned = new Set(pins);
  const previewed = new Map(previews.map((document) => [document.message, document]));
  return messages.map((message) => ({
    ...message,
    ...(pinned.has(message.id) && { pinned: true }),
    ...previewIn(message, previewed.get(message.id)),
  }));
};

/** None of former words, which the read model may still have. */
export const previewIn = (
  { revision = 0 }: MessageDocument,
  found: PreviewDocument | undefined,
): Pick<Shown, 'preview'> => (found?.revision === revision ? { preview: found.preview } : {});

export type PinnableMessage = MessageDocument & Pick<Shown, 'pinned' | 'preview'>;

/** Older clients look into `replyTo`, newer ones into `reply`. */
const repliesTo = (replyTo: MessageId, personalQuote: Personal<Quote> | undefined) => {
  const quote = personalQuote && unless(personalQuote, undefined);
  return { replyTo, reply: { messageId: replyTo, ...(quote === undefined ? {} : { quote: quoteFor(quote) }) } };
};

const quoteFor = ({ text, entities, offset }: Quote): MessageReplyInfoInit['quote'] => ({
  message: text,
  entities: entitiesFor(entities),
  ...(offset === undefined ? {} : { offset: BigInt(offset) }),
});
