import type { StickerPackEvent } from '../../../domain/stickers/events.js';
import { silent, type UpdateTable } from '../../contract/updates.js';
import type { UpdateView } from '../../contract/updateView.js';

/** The protocol has no update about packs: clients ask for them. */
export const stickerUpdates: UpdateTable<StickerPackEvent, UpdateView> = {
  EmojiAdded: silent,
  EmojiRemoved: silent,
  StickerPackEnded: silent,
};
