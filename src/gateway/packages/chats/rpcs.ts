import { reads as readRules } from '../../../domain/reads/decide.js';
import { nothing } from '../../../gen/rpcs.js';
import type { ChatKey } from '../../../kernel/chat.js';
import { isRejection, reject } from '../../../kernel/decider.js';
import type { MessageId } from '../../../kernel/ids.js';
import type { Ids } from '../../../kernel/ports/system.js';
import { isAnswered } from '../../../projections/conversations/documents.js';
import { conversationsOf } from '../../../projections/conversations/queries.js';
import { lastMessage } from '../../../projections/messages/queries.js';
import type { Reads } from '../../../projections/reading/queries.js';
import { chatAtHand } from '../../contract/chatAtHand.js';
import { statusesFor } from '../../access/mutuals.js';
import { inChat } from '../../access/scopes.js';
import type { StatusOf } from '../../rendering/user.js';
import type { Call } from '../../contract/call.js';
import { chatKeyFrom } from '../../contract/chatRefs.js';
import { done, type Handlers } from '../../contract/handlers.js';
import { meteredReads } from '../../contract/meteredReads.js';
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
    const reads = meteredReads(needs.reads, call);
    const found = await conversationsOf(reads, user, chatsPageOf(request));
    const acquainted = new Set([user, ...found.filter(isAnswered).flatMap(({ members }) => members)]);
    const seenBy = { ...needs, reads, statusOf: statusesFor({ ...needs, reads }, call, acquainted) };
    return { chats: await chatsAnswer({ ...seenBy, meter: call.meter }, found, user) };
  },

  chatsGetChat: inChat(needs.access, 'see')(
    async (_, call, seen) => {
      const seenBy = { ...needs, statusOf: statusesFor(needs, call) };
      return { chat: await chatAnswer(seenBy, seen, call.caller.user) };
    },
    { reads: ['conversations', 'messages', 'reads', 'users'] },
  ),

  chatsMarkChatRead: inChat(
    needs.access,
    'read',
  )(async ({ messageId }, call, { key: chat }) => {
    const { user } = call.caller;
    if (messageId === 0n) return reject('INVALID_ARGUMENT', 'no message is named');
    const message = await atMostNow(needs, call, { chat, message: messageId });
    await chatAtHand(needs.access, chat, () => undefined);
    // Below the floor everything counts as read, so a marker there would change nothing for anybody.
    if (message === undefined || message <= needs.access.now.unreadFloorIn(chat)(user)) return nothing;
    const command = { type: 'MarkChatRead', data: { user, chat, message } } as const;
    return done(await call.run(readRules, command));
  }),

  chatsSetTyping: (request, call) => (request.typing ? beginTyping(needs) : endTyping(needs))(request, call),
});

const beginTyping = ({ access, typing }: ChatNeeds): Handlers<'chatsSetTyping'>['chatsSetTyping'] =>
  inChat(
    access,
    'write',
  )(async (request, call, { key }) => {
    await typing.set(call, typingOf(key, request));
    return nothing;
  });

/** Needs no right: a user who has lost the right since must be able to stop. */
const endTyping =
  ({ typing }: ChatNeeds): Handlers<'chatsSetTyping'>['chatsSetTyping'] =>
  async (request, call) => {
    const key = chatKeyFrom(request.chatRef, call.caller.user);
    if (isRejection(key)) return key;
    await typing.set(call, typingOf(key, request));
    return nothing;
  };

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
