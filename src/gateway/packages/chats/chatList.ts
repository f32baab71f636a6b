import type { ChatInit, ChatsInit } from '../../../gen/chats.js';
import { Message, User, type ConversationInit } from '../../../gen/types.js';
import { byKind, membersNamedBy, parseChatKey, type ChatKey } from '../../../kernel/chat.js';
import type { UserId } from '../../../kernel/ids.js';
import { difference } from '../../../kernel/permissions.js';
import { sortIdOf, type ConversationDocument } from '../../../projections/conversations/documents.js';
import { conversation } from '../../../projections/conversations/queries.js';
import type { MessageDocument } from '../../../projections/messages/documents.js';
import { lastMessage, messagesById } from '../../../projections/messages/queries.js';
import type { Reads } from '../../../projections/reading/queries.js';
import { unread } from '../../../projections/unread/unread.js';
import { answerBytesMax, encodedFitting, type Paying } from '../../rendering/answerSize.js';
import type { SeenChat } from '../../access/chatAccess.js';
import { conversationFor } from '../../rendering/conversation.js';
import { messageFor, withPins } from '../../rendering/message.js';
import { usersFor, type StatusOf } from '../../rendering/user.js';
import { channelFor, shownParent } from '../../rendering/channel.js';
import type { Access } from '../../contract/viewerPermissions.js';

type Needs = { readonly reads: Reads; readonly statusOf: StatusOf };

/** Conversations with all that they refer to: their last messages and the users who are in them. */
export const chatsAnswer = async (
  { meter, ...needs }: Needs & { readonly meter: Paying },
  found: readonly ConversationDocument[],
  viewer: UserId,
): Promise<ChatsInit> => {
  const [chats, messages, users] = await Promise.all([
    Promise.all(found.map((document) => listed(needs, document, viewer))),
    lastMessagesIn(needs.reads, found).then((messages) => withPins(needs.reads, messages)),
    usersFor(needs, [...new Set(found.flatMap(({ members }) => members))]),
  ]);
  return {
    chats,
    users: await encodedFitting(users, { codec: User, made: (user) => user, bytesMax: usersBytesMax }, meter),
    messages: await encodedFitting(
      messages,
      { codec: Message, made: (message) => messageFor(message, viewer), bytesMax: messagesBytesMax },
      meter,
    ),
  };
};

/** One chat, whether or not anything was ever sent there. */
export const chatAnswer = async (
  needs: Needs & { readonly access: Pick<Access, 'now'> },
  seen: SeenChat,
  viewer: UserId,
): Promise<ChatInit> => {
  const { key: chat, channel, community } = seen;
  // Before the first wait: the rules may be others after it.
  const permissions = permissionsIn(needs, seen, viewer);
  const rules = needs.access.now;
  const floor = rules.unreadFloorIn(chat)(viewer);
  const parent = channel && community && shownParent(rules, community.id, channel, viewer);
  const [last, document, counts] = await Promise.all([
    lastMessage(needs.reads, chat),
    community === undefined ? conversation(needs.reads, chat) : undefined,
    unread(needs.reads, { chat, user: viewer, floor }),
  ]);
  const [shown] = await withPins(needs.reads, last === undefined ? [] : [last]);
  const lastId = last?.id ?? (document && sortIdOf(document));
  return {
    chat: conversationFor({ chat, viewer, lastMessage: lastId, unread: counts, ...permissions }),
    users: await usersFor(needs, appearing(chat, last)),
    ...(shown === undefined ? {} : { message: messageFor(shown, viewer) }),
    ...(channel === undefined || community === undefined ? {} : { channel: channelFor(community.id, channel, parent) }),
  };
};

const messagesBytesMax = 0.6 * answerBytesMax;
const usersBytesMax = 0.35 * answerBytesMax;

/** A conversation that lost more messages than it remembers no longer knows which is its last one. */
const lastMessagesIn = async (
  reads: Reads,
  found: readonly ConversationDocument[],
): Promise<readonly MessageDocument[]> => {
  const unsure = found.filter(({ recent }) => recent.length === 0);
  const [known, looked] = await Promise.all([
    messagesById(
      reads,
      found.flatMap(({ recent }) => recent.at(-1) ?? []),
    ),
    Promise.all(unsure.map(({ chat }) => lastMessage(reads, chat))),
  ]);
  return [...known, ...looked.filter((message) => message !== undefined)];
};

// Conversations are those of people: of a chat in which somebody takes part, they have seen everything.
const listed = async ({ reads }: Needs, document: ConversationDocument, viewer: UserId): Promise<ConversationInit> => {
  const { chat } = document;
  const counts = await unread(reads, { chat, user: viewer, floor: 0n });
  return conversationFor({ chat, viewer, lastMessage: sortIdOf(document), unread: counts });
};

const permissionsIn = (
  { access }: { readonly access: Pick<Access, 'now'> },
  { community, permissions }: SeenChat,
  viewer: UserId,
) => {
  const member = community && access.now.member(community.id, viewer);
  return member === undefined ? {} : { permissions: difference(member.permissions, permissions) };
};

const appearing = (chat: ChatKey, last: MessageDocument | undefined): readonly UserId[] => {
  const members = (): readonly UserId[] => membersNamedBy(chat);
  const author = (): readonly UserId[] => (last === undefined ? [] : [last.author]);
  return byKind(parseChatKey(chat), { channel: author, group: author, direct: members, self: members });
};
