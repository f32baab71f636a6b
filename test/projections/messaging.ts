import type { MessageDeleted, MessageEdited, MessageSent } from '../../src/domain/messages/events.js';
import type { ChatKey } from '../../src/kernel/chat.js';
import type { MessageId, UserId } from '../../src/kernel/ids.js';

const author = 1n as UserId;

type InChat<Data> = Partial<Data> & { readonly chat: ChatKey };

export const sent = (id: bigint, data: InChat<MessageSent['data']>): MessageSent => ({
  type: 'messages.MessageSent.v1',
  data: { message: id as MessageId, author, mentions: [], text: 'hello', entities: [], ...data },
});

export const edited = (id: bigint, data: InChat<MessageEdited['data']>): MessageEdited => ({
  type: 'messages.MessageEdited.v1',
  data: { message: id as MessageId, author, mentions: [], text: 'changed', entities: [], ...data },
});

export const deleted = (id: bigint, data: InChat<MessageDeleted['data']>): MessageDeleted => ({
  type: 'messages.MessageDeleted.v1',
  data: { message: id as MessageId, author, by: author, ...data },
});
