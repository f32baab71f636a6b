import type { ReadEvent } from '../../../domain/reads/events.js';
import { chatRefFor } from '../../contract/chatRefs.js';
import type { UpdateTable } from '../../contract/updates.js';
import type { UpdateView } from '../../contract/updateView.js';

export const readUpdates: UpdateTable<ReadEvent, UpdateView> = {
  // To nobody but the user: how far others have read is not for the peer to know.
  MarkerMoved: async ({ data: { user, chat, message } }, view) => {
    const { messages, mentions, marker } = await view.unread(chat, user);
    const conversationLastRead = {
      chatRef: chatRefFor(chat, user),
      // Further than what was marked when they have sent something since.
      lastReadMessageId: marker ?? message,
      unreadCount: messages,
      unreadMentionsCount: mentions,
    };
    return [{ audience: [user], update: { conversationLastRead } }];
  },
};
