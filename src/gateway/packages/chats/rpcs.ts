import { reads as readRules } from '../../../domain/reads/decide.js';
import { nothing } from '../../../gen/rpcs.js';
import type { ChatKey } from '../../../kernel/chat.js';
import { isRejection, reject } from '../../../kernel/decider.js';
import type { MessageId } from '../../../kernel/ids.js';
import type { Ids } from '../../../kernel/ports/system.js';
import { conversationsOf } from '../../../projections/conversations/queries.js';
import { lastMessage } from '../../../projections/messages/queries.js';
import type { Reads } from '../../../projections/reading/queries.js';
import { seenChat, seenTextChat, writableChat } from '../../access/chatAccess.js';
import { chatKeyFrom } from '../../rendering/chatRefs.js';
import type { StatusOf } from '../../rendering/user.js';
import type { Call } from '../../contract/call.js';
import type { Handlers } from '../../contract/handlers.js';
import type { Typing } from '../../presence/typing.js';
import type { Access } from '../../contract/viewerPermissions.js';
import { chatAnswer, chatsAnswer } from './chatList.js';
import { chatsPageOf, typingOf } from './wire.js';

export type ChatNeeds = {
  readonly access: Access;
  readonly reads: Reads;
  readonly ids: Pick<Ids, 'next'>;
  readonly statusOf: StatusOf;
  readonly typing: Pick<Typing, 'set'>;
};

type Built = 'chatsGetChats' | 'chatsGetChat' | 'chatsMarkChatRead' | 'chatsSetTyping';

export const chatRpcs = (needs: ChatNeeds): Handlers<Built> => ({
  async chatsGetChats(request, call) {
    await call.upToDate('conversations', 'messages', 'reads', 'users');
    const { user } = call.caller;
    const found = await conversationsOf(needs.reads, user, chatsPageOf(request));
    return { chats: await chatsAnswer(needs, found, user) };
  },

  async chatsGetChat({ chatRef }, call) {
    const { user } = call.caller;
    const chat = chatKeyFrom(chatRef, user);
    if (isRejection(chat)) return chat;
    // In this order: who loses sight of the chat while this waits must not read what came after.
    await call.upToDate('conversations', 'messages', 'reads', 'users');
    const seen = await seenChat(needs.access, call, chat);
    return isRejection(seen) ? seen : { chat: await chatAnswer(needs, seen, user) };
  },

  async chatsMarkChatRead({ chatRef, messageId }, call) {
    const { user } = call.caller;
    const chat = chatKeyFrom(chatRef, user);
    if (isRejection(chat)) return chat;
    if (messageId === 0n) return reject('INVALID_ARGUMENT', 'no message is named');
    const seen = await seenTextChat(needs.access, call, chat);
    if (isRejection(seen)) return seen;
    const message = await atMostNow(needs, call, { chat, message: messageId });
    if (message === undefined) return nothing;
    const command = { type: 'MarkChatRead', data: { user, chat, message } } as const;
    const outcome = await call.run(readRules, command);
    return isRejection(outcome) ? outcome : nothing;
  },

  async chatsSetTyping(request, call) {
    const chat = chatKeyFrom(request.chatRef, call.caller.user);
    if (isRejection(chat)) return chat;
    const writable = await writableChat(needs.access, call, chat);
    if (isRejection(writable)) return writable;
    await needs.typing.set(call.caller, typingOf(chat, request));
    return nothing;
  },
});

type Marked = { readonly chat: ChatKey; readonly message: MessageId };

/**
 * A marker in the future would make all that is ever sent there count as read. The message need not exist any more, so
 * one from the past is taken as it is, without asking.
 */
const atMostNow = async (
  { ids, reads }: ChatNeeds,
  call: Call,
  { chat, message }: Marked,
): Promise<MessageId | undefined> => {
  if (message <= ids.next()) return message;
  // Nodes' clocks are some milliseconds apart, so a message may seem to be from the future.
  await call.upToDate('messages');
  const newest = await lastMessage(reads, chat);
  return newest !== undefined && newest.id < message ? newest.id : newest && message;
};
