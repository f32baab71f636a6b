import type { PreviewEvent } from '../../../../domain/previews/events.js';
import type { Recorded } from '../../../../kernel/event.js';
import { messageDocuments, messageKey } from '../../../../projections/messages/fold.js';
import { pinnedMessagesKey } from '../../../../projections/pins/documents.js';
import { pinnedMessagesDocuments } from '../../../../projections/pins/fold.js';
import { previewKey } from '../../../../projections/previews/documents.js';
import { previewDocuments } from '../../../../projections/previews/fold.js';
import type { Delivery, UpdateTable } from '../../../contract/updates.js';
import type { UpdateView } from '../../../contract/updateView.js';
import { messageFor, previewIn } from '../../../rendering/message.js';
import { first, toViewers } from '../toViewers.js';

/** Everybody who sees the chat is sent the message, with its preview or without it. It is not edited by that. */
export const previewUpdates: UpdateTable<PreviewEvent, UpdateView> = {
  PreviewFound: (event, view) => shown(event, view),
  PreviewsSuppressed: (event, view) => shown(event, view),
  // Nothing of the message has changed yet, or its edit was told, or there is no message.
  PreviewsAllowed: () => [],
  PreviewOutdated: () => [],
  PreviewRemoved: () => [],
};

const shown = async (
  { data: { chat, message: id } }: Recorded<PreviewEvent>,
  view: UpdateView,
): Promise<readonly Delivery[]> => {
  const viewers = view.after.viewersOf(chat);
  if (first(viewers) === undefined) return [];
  const [message, preview, pins] = await Promise.all([
    view.documentAsOf(messageDocuments, messageKey(id)),
    view.documentAsOf(previewDocuments, previewKey(id)),
    view.documentAsOf(pinnedMessagesDocuments, pinnedMessagesKey(chat)),
  ]);
  // Nobody hears of a deleted message again, nor of the preview of words that have changed meanwhile.
  if (message === undefined) return [];
  const withPreview = previewIn(message, preview);
  if (preview !== undefined && !('preview' in withPreview)) return [];
  const pinned = pins?.messages.includes(id) === true ? { pinned: true } : {};
  return toViewers(chat, viewers, (viewer) => ({
    update: { message: { message: messageFor({ ...message, ...pinned, ...withPreview }, viewer) } },
  }));
};
