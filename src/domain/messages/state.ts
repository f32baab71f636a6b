import type { ChatKey } from '../../kernel/chat.js';
import type { Fold } from '../../kernel/event.js';
import { defined } from '../../kernel/defined.js';
import type { Millis, UserId } from '../../kernel/ids.js';
import type { Personal } from '../../kernel/personal.js';
import type { Original } from './commands.js';
import type { Entity, MessageEvent, Quote } from './events.js';

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
  readonly forwarded?: Pick<Original, 'writtenBy' | 'writtenAt'>;
  /** See `editPaid`. */
  readonly editsPaidUntil?: Millis;
};

/** The quote and the `requestHash`, which no edit changes. */
export type Carried = { readonly quote?: Personal<Quote>; readonly requestHash?: Personal<string> };

export const initial: MessageState = { status: 'absent' };

export const evolve: Fold<MessageState, MessageEvent> = {
  MessageSent: (_, { data: { chat, author, text, entities, mentions, quote, requestHash } }) => ({
    status: 'alive',
    chat,
    author,
    text,
    entities,
    carried: defined({ quote, requestHash }),
    mentions,
  }),
  MessageForwarded: (_, { data: { chat, author, text, entities, mentions, writtenBy, writtenAt } }) => ({
    status: 'alive',
    chat,
    author,
    text,
    entities,
    carried: {},
    mentions,
    forwarded: { writtenBy, writtenAt },
  }),
  MessageEdited: (state, { data: { text, entities, mentions, complete, quote, requestHash, editsPaidUntil } }) => {
    if (state.status !== 'alive') return state;
    const carried = complete === true ? defined({ quote, requestHash }) : state.carried;
    return { ...state, text, entities, carried, mentions, ...defined({ editsPaidUntil }) };
  },
  MessageDeleted: (_, { data: { chat } }) => ({ status: 'deleted', chat }),
};
