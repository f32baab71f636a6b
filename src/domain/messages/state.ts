import type { ChatKey } from '../../kernel/chat.js';
import type { Fold, Personal } from '../../kernel/event.js';
import type { UserId } from '../../kernel/ids.js';
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
};

export const initial: MessageState = { status: 'absent' };

export const evolve: Fold<MessageState, MessageEvent> = {
  'messages.MessageSent.v1': (_, { data: { chat, author, text, entities, mentions } }) => ({
    status: 'alive',
    chat,
    author,
    text,
    entities,
    mentions,
  }),
  'messages.MessageEdited.v1': (state, { data: { text, entities, mentions } }) =>
    state.status === 'alive' ? { ...state, text, entities, mentions } : state,
  'messages.MessageDeleted.v1': (_, { data: { chat } }) => ({ status: 'deleted', chat }),
};
