import type { BegunMessage, MessageEvent } from '../../domain/messages/events.js';
import { chatKindOf, membersNamedBy, type ByChatKind, type ChatKey } from '../../kernel/chat.js';
import type { DocumentType } from '../../kernel/document.js';
import type { MessageId } from '../../kernel/ids.js';
import { none, unchanged, whenThere } from '../runner/foldHelpers.js';
import { isAnswered, recentMessagesMax, sortIdOf, type ConversationDocument } from './documents.js';

export const conversationDocuments: DocumentType<ConversationDocument, MessageEvent> = {
  name: 'conversations',
  version: 3,
  keys: {
    MessageSent: ({ data }) => keysOf(data.chat),
    MessageForwarded: ({ data }) => keysOf(data.chat),
    // Only channels have them.
    MemberAnnounced: none,
    MessageEdited: none,
    MessageDeleted: ({ data }) => keysOf(data.chat),
  },
  // One for each message.
  streams: 'log',
  indexes: {
    byMember: (conversation) => byMember(conversation),
    answered: (conversation) => (isAnswered(conversation) ? byMember(conversation) : []),
  },
  evolve: {
    MessageSent: (conversation, { data }) => withSent(conversation, data),
    MessageForwarded: (conversation, { data }) => withSent(conversation, data),
    MemberAnnounced: unchanged,
    MessageEdited: unchanged,
    MessageDeleted: whenThere((conversation, { data }) => withoutMessage(conversation, data.message)),
  },
};

// Asked for every message, so without taking the key apart.
const keysOf = (chat: ChatKey): readonly string[] => (begins[chatKindOf(chat)] ? [chat] : nowhere);
/** Whether a conversation begins with the first message of the chat. Channels and groups are made, and listed otherwise. */
const begins: ByChatKind<boolean> = { channel: false, group: false, direct: true, self: true };
const nowhere: readonly string[] = [];

const byMember = (conversation: ConversationDocument) =>
  conversation.members.map((user) => [user, sortIdOf(conversation)] as const);

type Sent = BegunMessage['data'];

const withSent = (conversation: ConversationDocument | undefined, sent: Sent): ConversationDocument =>
  conversation === undefined ? begun(sent) : withMessage(answered(conversation, sent), sent.message);

const begun = ({ chat, message, author }: Sent): ConversationDocument => ({
  chat,
  members: membersNamedBy(chat),
  begunBy: author,
  recent: [message],
  floor: message,
});

const answered = (conversation: ConversationDocument, { author, message }: Sent): ConversationDocument =>
  isAnswered(conversation) || conversation.begunBy === author
    ? conversation
    : { ...conversation, answeredWith: message };

const withMessage = (conversation: ConversationDocument, message: MessageId): ConversationDocument => {
  const { recent, floor } = conversation;
  // Nodes may be some milliseconds apart, and a message that comes in below the floor would leave a gap above it.
  if (message <= floor || recent.includes(message)) return conversation;
  const all = inserted(recent, message);
  const dropped = all.length > recentMessagesMax ? all[0] : undefined;
  return dropped === undefined
    ? { ...conversation, recent: all }
    : { ...conversation, recent: all.slice(1), floor: dropped > floor ? dropped : floor };
};

const inserted = (recent: readonly MessageId[], message: MessageId): readonly MessageId[] => {
  const newest = recent.at(-1);
  if (newest === undefined || newest < message) return [...recent, message];
  const place = recent.findIndex((other) => other > message);
  return [...recent.slice(0, place), message, ...recent.slice(place)];
};

const withoutMessage = (conversation: ConversationDocument, message: MessageId): ConversationDocument =>
  conversation.recent.includes(message)
    ? { ...conversation, recent: conversation.recent.filter((other) => other !== message) }
    : conversation;
