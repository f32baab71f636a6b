import type { ChatRef, ChatRefInit } from '../../gen/refs.js';
import { channelChat, parseChatKey as placeOf, directChat, peerOf, selfChat, type ChatKey } from '../../kernel/chat.js';
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

/** What `viewer` calls the chat. They must be in it: who is not would be told a name that means another chat to them. */
export const chatRefFor = (chat: ChatKey, viewer: UserId): ChatRefInit => {
  const place = placeOf(chat);
  switch (place.kind) {
    case 'channel':
      return { channel: { communityId: place.community, channelId: place.channel } };
    case 'group':
      return { group: { groupId: place.group } };
    case 'direct':
      return { user: { userId: peerOf(place, viewer) } };
    case 'self':
      return { self: {} };
  }
};
