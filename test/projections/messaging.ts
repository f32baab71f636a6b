import type { MessageEvent } from '../../src/domain/messages/events.js';
import type { ChatKey } from '../../src/kernel/chat.js';
import type { EventOf } from '../../src/kernel/event.js';
import type { MessageId, UserId } from '../../src/kernel/ids.js';
import type { Bare } from '../support/bare.js';

const author = 1n as UserId;

type InChat<Data> = Partial<Data> & { readonly chat: ChatKey };

export const sent = (
  id: bigint,
  data: InChat<Bare<EventOf<MessageEvent, 'MessageSent'>>['data']>,
): Bare<EventOf<MessageEvent, 'MessageSent'>> => ({
  type: 'MessageSent',
  data: { message: id as MessageId, author, mentions: [], text: 'hello', entities: [], ...data },
});

export const edited = (
  id: bigint,
  data: InChat<Bare<EventOf<MessageEvent, 'MessageEdited'>>['data']>,
): Bare<EventOf<MessageEvent, 'MessageEdited'>> => ({
  type: 'MessageEdited',
  data: { message: id as MessageId, author, mentions: [], text: 'changed', entities: [], ...data },
});

export const deleted = (
  id: bigint,
  data: InChat<Bare<EventOf<MessageEvent, 'MessageDeleted'>>['data']>,
): Bare<EventOf<MessageEvent, 'MessageDeleted'>> => ({
  type: 'MessageDeleted',
  data: { message: id as MessageId, author, by: author, ...data },
});
