import type { ChatRef, ChatRefInit } from '../../gen/refs.js';
import {
  byKind,
  channelChat,
  parseChatKey,
  directChat,
  peerOf,
  selfChat,
  type ByChatKind,
  chatKindOf,
  type ChatKey,
} from '../../kernel/chat.js';
import { reject, type Rejection } from '../../kernel/decider.js';
import type { UserId } from '../../kernel/ids.js';

/** The chat that `viewer` means. Whether there is such a chat, and whether they may see it, is asked elsewhere. */
export const chatKeyFrom = (ref: ChatRef | undefined, viewer: UserId): ChatKey | Rejection => {
  if (ref?.user !== undefined) {
    const { userId } = ref.user;
    if (userId === 0n) return reject('USER_NOT_FOUND');
    return userId === viewer ? selfChat(viewer) : directChat(viewer, userId);
  }
  if (ref?.channel !== undefined) {
    const { communityId, channelId } = ref.channel;
    if (communityId === 0n || channelId === 0n) {
      return reject('INVALID_ARGUMENT', 'a channel is named by its own id and that of its community');
    }
    return channelChat(communityId, channelId);
  }
  if (ref?.self !== undefined) return selfChat(viewer);
  if (ref?.group !== undefined) return reject('CHAT_NOT_FOUND');
  return reject('INVALID_ARGUMENT', 'no chat is named');
};

/**
 * The reference by which `viewer` names the chat. `viewer` must be a member, because for a non-member the same
 * reference denotes another chat.
 */
export const chatRefFor = (chat: ChatKey, viewer: UserId): ChatRefInit =>
  byKind<ChatRefInit>(parseChatKey(chat), {
    channel: ({ community, channel }) => ({ channel: { communityId: community, channelId: channel } }),
    group: ({ group }) => ({ group: { groupId: group } }),
    direct: (place) => ({ user: { userId: peerOf(place, viewer) } }),
    self: () => ({ self: {} }),
  });

/** Whether all viewers call the chat by the same reference, so that one rendering serves them all. */
export const isCalledAlike = (chat: ChatKey): boolean => calledAlike[chatKindOf(chat)];
const calledAlike: ByChatKind<boolean> = { channel: true, group: true, direct: false, self: true };
