import { NotifPrefs, type ConversationInit, type PermissionOverridesInit } from '../../gen/types.js';
import type { UpdateConversationLastReadInit } from '../../gen/updates.js';
import { byKind, parseChatKey, peerOf, type ChatKey } from '../../kernel/chat.js';
import type { MessageId, UserId } from '../../kernel/ids.js';
import { chatRefFor } from '../contract/chatRefs.js';
import type { UnreadCounts } from '../contract/updateView.js';

export type ShownConversation = {
  readonly chat: ChatKey;
  readonly viewer: UserId;
  /** The newest message, or else the id by which the conversation is sorted. */
  readonly lastMessage: MessageId | undefined;
  readonly unread: UnreadCounts;
  /** In channels: the difference to the viewer's permissions in the community. */
  readonly permissions?: PermissionOverridesInit;
};

export const conversationFor = (shown: ShownConversation): ConversationInit => ({
  chatRef: chatRefFor(shown.chat, shown.viewer),
  lastMessageId: shown.lastMessage ?? idOf(shown.chat, shown.viewer),
  lastReadMessageId: shown.unread.marker,
  unreadCount: shown.unread.messages,
  permissions: shown.permissions,
  notifPrefs: NotifPrefs.DEFAULT,
  unreadMentionsCount: shown.unread.mentions,
});

/** How far a user has read a chat. */
export const lastReadFor = (
  chat: ChatKey,
  user: UserId,
  { messages, mentions, marker }: UnreadCounts,
): UpdateConversationLastReadInit => ({
  chatRef: chatRefFor(chat, user),
  lastReadMessageId: marker,
  unreadCount: messages,
  unreadMentionsCount: mentions,
});

/** Lists are sorted by the last message, so a chat without any stands where it was made. Ids of all kinds are in one order. */
const idOf = (key: ChatKey, viewer: UserId): MessageId =>
  byKind<bigint>(parseChatKey(key), {
    channel: ({ channel }) => channel,
    group: ({ group }) => group,
    direct: (place) => peerOf(place, viewer),
    self: ({ user }) => user,
  }) as MessageId;
