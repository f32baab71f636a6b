import type { PinEvent } from '../../../../domain/pins/events.js';
import type { Recorded } from '../../../../kernel/event.js';
import { messageDocuments, messageKey } from '../../../../projections/messages/fold.js';
import { previewKey } from '../../../../projections/previews/documents.js';
import { previewDocuments } from '../../../../projections/previews/fold.js';
import type { Delivery, UpdateTable } from '../../../contract/updates.js';
import type { UpdateView } from '../../../contract/updateView.js';
import { messageFor, previewIn } from '../../../rendering/message.js';
import { first, toViewers } from '../toViewers.js';

/** The protocol has no update of pins: everybody who sees the chat is sent the message, which says whether it is pinned. */
export const pinUpdates: UpdateTable<PinEvent, UpdateView> = {
  MessagePinned: (event, view) => shown(event, view, { pinned: true }),
  MessageUnpinned: (event, view) => shown(event, view, { pinned: false }),
};

const shown = async (
  { data: { chat, message: id } }: Recorded<PinEvent>,
  view: UpdateView,
  pin: { readonly pinned: boolean },
): Promise<readonly Delivery[]> => {
  const viewers = view.after.viewersOf(chat);
  if (first(viewers) === undefined) return [];
  const [message, preview] = await Promise.all([
    view.documentAsOf(messageDocuments, messageKey(id)),
    view.documentAsOf(previewDocuments, previewKey(id)),
  ]);
  // Nobody hears of a deleted message again.
  if (message === undefined) return [];
  return toViewers(chat, viewers, (viewer) => ({
    update: { message: { message: messageFor({ ...message, ...pin, ...previewIn(message, preview) }, viewer) } },
  }));
};
