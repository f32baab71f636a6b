import { isRejection, reject, type Decider, type Rejection } from '../../kernel/decider.js';
import type { ChatKey } from '../../kernel/chat.js';
import { paced } from '../../kernel/editPace.js';
import type { WrittenEvent } from '../../kernel/personal.js';
import { defined } from '../../kernel/defined.js';
import { isShredded, opened, unless } from '../../kernel/opened.js';
import type { MessageId, UserId } from '../../kernel/ids.js';
import { isVisible } from '../../kernel/text.js';
import { buttonsOf, isSameBotInfo, withBotInfo, withButtons, type BotInfo } from './botInfo.js';
import type { Content, EditedContent, MessageCommand } from './commands.js';
import { attachedBy, attachedInstead, isSameMedia, lostBy, mediaOf } from './attached.js';
import { messageStream, theSystem, type Entity, type Media, type MessageEvent, type Quote } from './events.js';
import { evolve, initial, type AliveMessage, type Carried, type MessageState } from './state.js';

export const messages: Decider<MessageCommand, MessageState, MessageEvent> = {
  stream: ({ data }) => messageStream(data.message),
  initial,
  evolve,
  begins: ['SendMessage', 'ForwardMessage'],
  foldsFromFirstAndLatest: true,
  rules: {
    SendMessage: ({ by, botInfo, ...sent }, state) => {
      const data = { author: by, ...sent, ...attachedBy({ botInfo, ...sent }), ...withBotInfo(botInfo) };
      return state.status === 'absent' ? [{ type: 'MessageSent', data }] : [];
    },

    ForwardMessage: ({ by, ...copied }, state) =>
      state.status === 'absent'
        ? [{ type: 'MessageForwarded', data: { author: by, ...copied, ...attachedBy(copied) } }]
        : [],

    EditMessage: ({ message, chat, by, at, content: edited, buttons, suppressEmbeds }, state) => {
      const found = alive(state, chat);
      if (isRejection(found)) return found;
      if (found.author !== by) return reject('NOT_AUTHOR');
      // The words are not those of the user who forwarded them, and an announcement has none.
      if (found.forwarded !== undefined || found.announces !== undefined) return reject('NOT_EDITABLE');
      if (edited === undefined && buttons === undefined) return [];
      const { keepsText, media: replacing, ...content } = edited ?? asItIs(found);
      // Another edit came between: entities made for one text must not be laid over another.
      if (keepsText && content.text !== opened(found.text)) return reject('CONFLICT');
      const before = mediaOf(found);
      const media = replacing ?? before;
      const had = botInfoOf(found);
      const botInfo = buttons === undefined ? had : withButtons(had, buttons);
      if (isEmpty(content, media, botInfo)) return reject('EMPTY_MESSAGE');
      if (isSame(found, content) && isSameMedia(before, media) && isSameBotInfo(had, botInfo)) return [];
      const carried = { ...carriedOn(found.carried), ...withBotInfo(botInfo) };
      const kept = { ...carried, complete: true, ...attachedInstead(found, media, botInfo) };
      const data = { message, chat, author: by, ...content, ...kept, ...defined({ suppressEmbeds }) };
      const edit = { type: 'MessageEdited', data } as const;
      return paced<MessageEdited>([edit], found.editsPaidUntil, at);
    },

    DeleteMessage: ({ message, chat, by, mayDeleteOthers }, state) => {
      // Absent ids are ignored: two moderators who delete the same message have both succeeded.
      if (state.status !== 'alive' || state.chat !== chat) return [];
      if (state.author !== by && !mayDeleteOthers) return reject('NOT_AUTHOR');
      // The server said it of them, so it is not theirs to take back.
      if (state.announces !== undefined && !mayDeleteOthers) return reject('MISSING_PERMISSION');
      const gone = { ...lostBy(state), ...defined({ announced: state.announces }) };
      return [{ type: 'MessageDeleted', data: { message, chat, author: state.author, by, ...gone } }];
    },

    AnnounceMember: ({ by, ...announced }, state) =>
      state.status === 'absent' ? [{ type: 'MemberAnnounced', data: { author: by, ...announced } }] : [],

    WithdrawMessage: ({ message, chat }, state) => {
      if (state.status !== 'alive' || state.chat !== chat) return [];
      return [withdrawn(message, state)];
    },

    WithdrawEdit: ({ message, chat, paidUntil, shown, editedAt }, state) => {
      if (state.status !== 'alive' || state.chat !== chat || state.isRestored === true) return [];
      // Another edit came between, and is judged by itself.
      if (state.editsPaidUntil !== paidUntil) return [];
      const content = shownAgain(shown);
      const botInfo = botInfoOf(shown);
      const showsNothing = (words: Content): boolean => isEmpty(words, mediaOf(shown), botInfo);
      // Nothing is left of the message but what was taken back.
      if (content === undefined || showsNothing(content)) return [withdrawn(message, state)];
      const kept = { ...carriedOn(shown.carried), ...withBotInfo(botInfo), complete: true };
      const media = attachedInstead(state, mediaOf(shown), botInfo);
      const because = { because: 'rightLost', editsPaidUntil: paidUntil, ...defined({ editedAt }) } as const;
      const data = { message, chat, author: state.author, ...content, ...kept, ...media, ...because };
      return [{ type: 'MessageEdited', data }];
    },
  },
};

/** The text below a custom emoji only stands in its place, so it may be a blank. */
export const showsSomething = ({ text, entities }: Pick<Content, 'text' | 'entities'>): boolean =>
  isVisible(text) || entities.some(({ kind }) => kind === 'customEmoji');

const isEmpty = (
  content: Pick<Content, 'text' | 'entities'>,
  media: readonly Media[],
  botInfo: BotInfo | undefined,
): boolean => media.length === 0 && buttonsOf(botInfo).length === 0 && !showsSomething(content);

/** Nothing of a message that was shredded. */
export const botInfoOf = ({ carried: { botInfo } }: AliveMessage): BotInfo | undefined =>
  botInfo && unless(botInfo, undefined);

/** The words of a message that was shredded are no words for which an edit was made. */
const asItIs = ({ text, entities, mentions }: AliveMessage): EditedContent => ({
  text: unless(text, ''),
  entities: unless(entities, []),
  mentions,
  keepsText: true,
});

const withdrawn = (
  message: MessageId,
  state: AliveMessage,
): Extract<MessageEvent, { readonly type: 'MessageDeleted' }> => {
  const { chat, author } = state;
  const data = { message, chat, author, by: theSystem, because: 'rightLost' } as const;
  return { type: 'MessageDeleted', data: { ...data, ...lostBy(state) } };
};

/** Undefined where its words cannot be read any more. */
const shownAgain = ({ text: sealed, entities, mentions }: AliveMessage): Content | undefined => {
  const text = opened(sealed);
  return isShredded(text) ? undefined : { text, entities: unless(entities, []), mentions };
};

/** A message asked for in another chat is as absent as one that never was: its existence is not revealed. */
const alive = (state: MessageState, chat: ChatKey): AliveMessage | Rejection =>
  state.status === 'alive' && state.chat === chat ? state : reject('MESSAGE_NOT_FOUND');

/** The sealed value of an earlier event would keep the text of then, so an edit has all that still shows. */
const carriedOn = ({ quote: sealed, quotes, requestHash }: Carried): CarriedOn => {
  const quote = sealed && unless(sealed, undefined);
  // Nothing is sealed for somebody of whom there are no words.
  const by = quote && quotes;
  return defined({ quote, quotes: by, requestHash: requestHash && unless(requestHash, undefined) });
};

type CarriedOn = { readonly quote?: Quote; readonly quotes?: UserId; readonly requestHash?: string };

type MessageEdited = Extract<WrittenEvent<MessageEvent>, { readonly type: 'MessageEdited' }>;

const isSame = (now: AliveMessage, { text, entities }: Content): boolean => {
  const known = opened(now.entities);
  return opened(now.text) === text && !isShredded(known) && sameEntities(known, entities);
};

const sameEntities = (some: readonly Entity[], others: readonly Entity[]): boolean =>
  some.length === others.length && some.every((entity, index) => sameEntity(entity, others[index]));

const sameEntity = (one: Entity, other: Entity | undefined): boolean =>
  one.kind === other?.kind &&
  one.start === other.start &&
  one.length === other.length &&
  one.language === other.language &&
  one.url === other.url &&
  one.emoji === other.emoji;
