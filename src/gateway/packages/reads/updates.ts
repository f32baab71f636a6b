import type { ReadEvent } from '../../../domain/reads/events.js';
import { lastReadFor } from '../../rendering/conversation.js';
import type { UpdateTable } from '../../contract/updates.js';
import type { UpdateView } from '../../contract/updateView.js';

export const readUpdates: UpdateTable<ReadEvent, UpdateView> = {
  // To nobody but the user: how far others have read is not for the peer to know.
  MarkerMoved: async ({ data: { user, chat } }, view) => {
    // Further than the marker of the event when they have sent something since.
    const counts = await view.unread(chat, user);
    return [{ audience: [user], update: { conversationLastRead: lastReadFor(chat, user, counts) } }];
  },
};
