import { TypingAction, type GetChats, type SetTyping } from '../../../gen/chats.js';
import type { ChatKey } from '../../../kernel/chat.js';
import type { MessageId } from '../../../kernel/ids.js';
import type { ConversationsPage } from '../../../projections/conversations/queries.js';
import { isValueOf } from '../../../wire/codec.js';
import type { TypingChange } from '../../presence/typing.js';

export const chatsMax = 100;

/** Both ids are exclusive. They are typed as chats' on the wire, but compared with that by which the list is sorted. */
export const chatsPageOf = ({ limit, maxId, minId }: GetChats): ConversationsPage => ({
  limit: limit === undefined || limit === 0 ? chatsMax : Math.min(limit, chatsMax),
  ...(maxId === undefined || maxId === 0n ? {} : { before: maxId as bigint as MessageId }),
  ...(minId === undefined || minId === 0n ? {} : { after: minId as bigint as MessageId }),
});

/** An action that a newer client has is relayed as plain typing: readers would not know what to make of it. */
export const typingOf = (chat: ChatKey, { typing, action }: SetTyping): TypingChange => ({
  chat,
  typing,
  ...(action === undefined || !isValueOf(TypingAction, action) ? {} : { action }),
});
