import type { ChatKey } from '../../kernel/chat.js';
import type { Fold } from '../../kernel/event.js';
import { defined } from '../../kernel/defined.js';
import type { FileId, Millis, UserId } from '../../kernel/ids.js';
import { personal, type Personal } from '../../kernel/personal.js';
import type { BotInfo } from './botInfo.js';
import type { Announcement, Entity, Media, MessageEvent, Quote } from './events.js';

export type MessageState =
  { readonly status: 'absent' } | { readonly status: 'deleted'; readonly chat: ChatKey } | AliveMessage;

export type AliveMessage = {
  readonly status: 'alive';
  readonly chat: ChatKey;
  readonly author: UserId;
  readonly text: Personal<string>;
  readonly entities: Personal<readonly Entity[]>;
  /** An edit carries this on. */
  readonly carried: Carried;
  readonly mentions: readonly UserId[];
  /** Of a forward: the origin of its words. */
  readonly forwarded?: { readonly writtenBy: UserId; readonly writtenAt: Millis };
  readonly attached: Attached;
  /** As it was sent or forwarded; the stream of its previews says what came of that. */
  readonly suppressEmbeds?: boolean;
  /** Posted by the server, about the author. */
  readonly announces?: Announcement;
  /** See `editPaid`. */
  readonly editsPaidUntil?: Millis;
  /** The latest edit was taken back. */
  readonly isRestored?: true;
};

/** The quote with its author and the `requestHash`, which no edit changes, and what a bot's message has. */
export type Carried = {
  readonly quotes?: UserId;
  readonly quote?: Personal<Quote>;
  readonly requestHash?: Personal<string>;
  readonly botInfo?: Personal<BotInfo>;
};

/** Absent where nothing is attached. */
export type Attached = { readonly files?: readonly FileId[]; readonly media?: Personal<readonly Media[]> };

export const initial: MessageState = { status: 'absent' };

export const evolve: Fold<MessageState, MessageEvent> = {
  MessageSent: (_, { data }) => ({
    status: 'alive',
    chat: data.chat,
    author: data.author,
    text: data.text,
    entities: data.entities,
    carried: carriedIn(data),
    mentions: data.mentions,
    attached: attachedIn(data) ?? {},
    ...defined({ suppressEmbeds: data.suppressEmbeds }),
  }),
  MessageForwarded: (_, { data }) => ({
    status: 'alive',
    chat: data.chat,
    author: data.author,
    text: data.text,
    entities: data.entities,
    carried: {},
    mentions: data.mentions,
    forwarded: { writtenBy: data.writtenBy, writtenAt: data.writtenAt },
    attached: attachedIn(data) ?? {},
    ...defined({ suppressEmbeds: data.suppressEmbeds }),
  }),
  MemberAnnounced: (_, { data: { chat, author, announces } }) => ({
    status: 'alive',
    chat,
    author,
    text: personal(''),
    entities: personal([]),
    carried: {},
    mentions: [],
    attached: {},
    announces,
  }),
  MessageEdited: (state, { data }) => {
    if (state.status !== 'alive') return state;
    const { text, entities, mentions, editsPaidUntil } = data;
    const { isRestored: _, ...before } = state;
    const restored = data.because === undefined ? {} : ({ isRestored: true } as const);
    const carried = data.complete === true ? carriedIn(data) : state.carried;
    // A former release knew of nothing attached, and left it as it was.
    const attached = attachedIn(data) ?? state.attached;
    return { ...before, text, entities, carried, mentions, attached, ...defined({ editsPaidUntil }), ...restored };
  },
  MessageDeleted: (_, { data: { chat } }) => ({ status: 'deleted', chat }),
};

/** In an event whose content is sealed only `hasBotInfo` tells of it. */
const carriedIn = ({ quote, quotes, requestHash, ...bot }: Carried & { readonly hasBotInfo?: boolean }): Carried =>
  defined({ quote, quotes, requestHash, botInfo: bot.hasBotInfo === true ? bot.botInfo : undefined });

const attachedIn = ({ files, media }: Attached): Attached | undefined =>
  files === undefined ? undefined : defined({ files, media });
