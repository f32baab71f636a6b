import type { BotInfo, Buttons } from '../../../domain/messages/botInfo.js';
import { showsSomething } from '../../../domain/messages/decide.js';
import type { Quote } from '../../../domain/messages/events.js';
import type { EditMessage, GetHistory, SendMessage, SendMessageReplyToQuote } from '../../../gen/messages.js';
import type { ChatKey } from '../../../kernel/chat.js';
import { isRejection, reject, type Rejection } from '../../../kernel/decider.js';
import { defined } from '../../../kernel/defined.js';
import type { FileId, MessageId } from '../../../kernel/ids.js';
import type { HistoryPage } from '../../../projections/messages/queries.js';
import type { Call } from '../../contract/call.js';
import { costs, type Meter } from '../../contract/meter.js';
import { chatKeyFrom } from '../../contract/chatRefs.js';
import { botInfoOf, buttonsFrom, cloakPhotoAsked } from './sending/botInfo.js';
import { entitiesOf, refusedLink } from '../../rendering/entities.js';
import { contentBytes, type Written } from './contentBytes.js';
import { attachingOf, type Attaching } from './media.js';
import { chargeIndexed } from './sending/indexed.js';

/** Of a message and of a quote, in UTF-16 code units. */
export const textUnitsMax = 4000;

/**
 * The content of one message with its quote, entities and links, as UTF-8 JSON. Sealed it is a third larger, and an
 * event must stay below `eventBytesMax`.
 */
export const contentBytesMax = 40_000;

export const historyMessagesDefault = 50;
export const historyMessagesMax = 100;

/** Of the call that brings the message. */
type Asked = Pick<Call, 'caller' | 'meter'>;

export type Reply = { readonly to: MessageId; readonly quote?: Quote };
export type Sending = Written & {
  readonly chat: ChatKey;
  readonly reply?: Reply;
  readonly nonce?: bigint;
  /** Absent where nothing is. */
  readonly media?: readonly Attaching[];
  /** Of bots only. */
  readonly botInfo?: BotInfo;
  /** Of a cloak, as the request names it. */
  readonly cloakPhoto?: FileId;
  /** Absent where links are to have previews, as ever. */
  readonly suppressEmbeds?: true;
};

export const sendingOf = (request: SendMessage, { caller, meter }: Asked): Sending | Rejection => {
  const chat = chatKeyFrom(request.chatRef, caller.user);
  if (isRejection(chat)) return chat;
  const media = attachingOf(request.media);
  if (isRejection(media)) return media;
  const botInfo = botInfoOf(request.botInfo);
  if (isRejection(botInfo)) return botInfo;
  const written = writtenOf(request.message, request.entities);
  if (isRejection(written)) return written;
  const isShown = media.length > 0 || botInfo?.buttons !== undefined || showsSomething(written);
  if (!isShown) return reject('EMPTY_MESSAGE');
  const reply = replyOf(request);
  if (isRejection(reply)) return reply;
  const refused = refusedContent(meter, written, reply?.quote);
  if (refused !== undefined) return refused;
  const { clientId: nonce } = request;
  return {
    chat,
    ...written,
    ...(reply === undefined ? {} : { reply }),
    // A nonce that is not set may come as 0.
    ...(nonce === undefined || nonce === 0n ? {} : { nonce }),
    ...(media.length === 0 ? {} : { media }),
    ...(botInfo === undefined ? {} : { botInfo }),
    ...defined({ cloakPhoto: cloakPhotoAsked(request.botInfo) }),
    ...(request.suppressEmbeds && { suppressEmbeds: true }),
  };
};

export type Editing = {
  readonly chat: ChatKey;
  readonly message: MessageId;
  /** Undefined when only previews were asked about. */
  readonly change: MessageChange | undefined;
  /** In place of those that there are, maybe none. Absent: they stay. */
  readonly buttons?: Buttons;
};

export type MessageChange = {
  /** A new text with its entities; or entities for the text as it is. Absent: both stay. */
  readonly written?: Written | { readonly entities: EditMessage['entities'] };
  /** In place of all that is attached, maybe nothing. Absent: it stays. */
  readonly media?: readonly Attaching[];
};

export const editingOf = (request: EditMessage, { caller, meter }: Asked): Editing | Rejection => {
  const chat = chatKeyFrom(request.chatRef, caller.user);
  if (isRejection(chat)) return chat;
  const attaching = attachingOf(request.media);
  if (isRejection(attaching)) return attaching;
  const buttons = buttonsFrom(request.buttons);
  if (isRejection(buttons)) return buttons;
  const { messageId: message, message: text, entities, removeMedia } = request;
  const about = { chat, message, ...(buttons !== undefined && { buttons }) };
  const media = attaching.length > 0 || removeMedia ? { media: attaching } : {};
  if (text === undefined) {
    const change = { ...media, ...(entities.length > 0 && { written: { entities } }) };
    return { ...about, change: Object.keys(change).length === 0 ? undefined : change };
  }
  // Whether a text that shows nothing may stand depends on what is attached, which the rules know.
  const written = writtenOf(text, entities);
  return isRejection(written)
    ? written
    : (refusedContent(meter, written) ?? { ...about, change: { ...media, written } });
};

/** A text that a message already has with its new entities, all within the bounds. */
export const contentOf = (
  { meter }: Pick<Asked, 'meter'>,
  text: string,
  entities: EditMessage['entities'],
): Written | Rejection => {
  const written = writtenOf(text, entities);
  return isRejection(written) ? written : (refusedContent(meter, written) ?? written);
};

/** The same of a text that is no message, so that no search will find it. */
export const passingContentOf = (
  { meter }: Pick<Asked, 'meter'>,
  text: string,
  entities: EditMessage['entities'],
): Written | Rejection => {
  const written = writtenOf(text, entities);
  return isRejection(written) ? written : (refusedTexts(meter, [written]) ?? written);
};

/** Without an anchor the newest; an anchor of 0 is none, except that everything is newer than 0. */
export const pageOf = ({ limit, since, before, around }: GetHistory): HistoryPage => {
  const messages = Math.min(limit === undefined || limit === 0 ? historyMessagesDefault : limit, historyMessagesMax);
  if (since !== undefined) return { limit: messages, since };
  if (before !== undefined && before !== 0n) return { limit: messages, before };
  if (around !== undefined && around !== 0n) return { limit: messages, around };
  return { limit: messages };
};

const writtenOf = (text: string, wire: SendMessage['entities']): Written | Rejection => {
  if (text.length > textUnitsMax) return reject('MESSAGE_TOO_LONG');
  const entities = entitiesOf(wire, text);
  return isRejection(entities) ? entities : { text, entities };
};

// eslint-disable-next-line @typescript-eslint/no-deprecated -- it is what most clients send
const replyOf = ({ replyTo, replyToOld }: SendMessage): Reply | Rejection | undefined => {
  const to = targetOf(replyTo?.messageId) ?? targetOf(replyToOld);
  const quote = replyTo?.quote === undefined ? undefined : quoteOf(replyTo.quote);
  if (isRejection(quote)) return quote;
  if (to !== undefined) return { to, ...(quote === undefined ? {} : { quote }) };
  return quote === undefined ? undefined : reject('MESSAGE_NOT_FOUND', 'a quote needs the message that it is from');
};

// An id that is not set may come as 0.
const targetOf = (id: MessageId | undefined): MessageId | undefined => (id === 0n ? undefined : id);

/** A quote that shows nothing is none, because clients fill in empty ones. */
const quoteOf = ({ message, entities: wire, offset }: SendMessageReplyToQuote): Quote | Rejection | undefined => {
  if (message.length === 0) return undefined;
  if (message.length > textUnitsMax) return reject('MESSAGE_TOO_LONG', 'the quote');
  if (offset !== undefined && offset >= textUnitsMax) return reject('INVALID_ARGUMENT', 'the quote starts nowhere');
  const entities = entitiesOf(wire, message);
  if (isRejection(entities)) return entities;
  if (!showsSomething({ text: message, entities })) return undefined;
  return { text: message, entities, ...(offset === undefined ? {} : { offset: Number(offset) }) };
};

/**
 * A message and its quote. The terms that the search will make of the text are charged as well, in the tick in which the request
 * begins: so others of the same turn wait for it.
 */
const refusedContent = (meter: Pick<Meter, 'spend'>, written: Written, quote?: Quote): Rejection | undefined => {
  const refused = refusedTexts(meter, quote === undefined ? [written] : [written, quote]);
  if (refused === undefined) chargeIndexed({ meter }, written);
  return refused;
};

/** They count together. Parsing links is the dearest of the checks, comes last, and is charged before. */
const refusedTexts = (meter: Pick<Meter, 'spend'>, texts: readonly Written[]): Rejection | undefined => {
  if (isTooLarge(texts)) return reject('MESSAGE_TOO_LONG');
  const links = texts.reduce((count, { entities }) => count + linksIn(entities), 0);
  if (links > 0) meter.spend(costs.linkParsed * links);
  for (const { entities } of texts) {
    const refused = refusedLink(entities);
    if (refused !== undefined) return refused;
  }
  return undefined;
};

const linksIn = (entities: Written['entities']): number => entities.filter(({ url }) => url !== undefined).length;

// One code unit takes one byte at least, and six at most, as a control character does. Hardly any message needs to be
// looked at closer.
const unitBytesMax = 6;
const entityBytesMax = 150;
const isTooLarge = (written: readonly Written[]): boolean => {
  const entities = written.flatMap((one) => one.entities);
  let units = 0;
  for (const { text } of written) units += text.length;
  for (const { url = '', language = '' } of entities) units += url.length + language.length;
  if (units > contentBytesMax) return true;
  const bytesAtMost = units * unitBytesMax + entities.length * entityBytesMax;
  return bytesAtMost > contentBytesMax && contentBytes(written) > contentBytesMax;
};
