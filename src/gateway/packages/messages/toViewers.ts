import type { ChatKey } from '../../../kernel/chat.js';
import type { UserId } from '../../../kernel/ids.js';
import { isCalledAlike } from '../../contract/chatRefs.js';
import { perUser } from '../../contract/perRendering.js';
import type { Delivery, Rendering } from '../../contract/updates.js';

/** Sent once where all viewers name the chat alike; otherwise once for each of them. */
export const toViewers = (
  chat: ChatKey,
  viewers: Iterable<UserId>,
  render: (viewer: UserId) => Rendering,
): readonly Delivery[] => {
  if (!isCalledAlike(chat)) return perUser(viewers, render);
  const anybody = first(viewers);
  // Handed on as they are: the same list of viewers is known again where their unread messages are counted.
  return anybody === undefined ? [] : [{ audience: viewers, ...render(anybody) }];
};

export const first = ([viewer]: Iterable<UserId>): UserId | undefined => viewer;
