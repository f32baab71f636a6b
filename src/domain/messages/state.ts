import type { ChatKey } from '../../kernel/chat.js';
import type { Fold } from '../../kernel/event.js';
import { defined } from '../../kernel/defined.js';
import type { Millis, UserId } from '../../kernel/ids.js';
import type { Personal } from '../../kernel/personal.js';
import type { Entity, MessageEvent } from './events.js';

export type MessageState =
  { readonly status: 'absent' } | { readonly status: 'deleted'; readonly chat: ChatKey } | AliveMessage;

export type AliveMessage = {
  readonly status: 'alive';
  readonly chat: ChatKey;
  readonly author: UserId;
  readonly text: Personal<string>;
  readonly entities: Personal<readonly Entity[]>;
  readonly mentions: readonly UserId[];
  /** See `editPaid`. */
  readonly editsPaidUntil?: Millis;
};

export const initial: MessageState = { status: 'absent' };

export const evolve: Fold<MessageState, MessageEvent> = {
  MessageSent: (_, { data: { chat, author, text, entities, mentions } }) => ({
    status: 'alive',
    chat,
    author,
    text,
    entities,
    mentions,
  }),
  MessageEdited: (state, { data: { text, entities, mentions, editsPaidUntil } }) =>
    state.status === 'alive' ? { ...state, text, entities, mentions, ...defined({ editsPaidUntil }) } : state,
  MessageDeleted: (_, { data: { chat } }) => ({ status: 'deleted', chat }),
};
