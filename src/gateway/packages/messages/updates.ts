import type { MessageEvent } from '../../../domain/messages/events.js';
import type { UpdateInit } from '../../../gen/rpcs.js';
import { parseChatKey as placeOf, type ChatKey } from '../../../kernel/chat.js';
import type { EventOf, Recorded } from '../../../kernel/event.js';
import type { UserId } from '../../../kernel/ids.js';
import { conversationFor } from '../../rendering/conversation.js';
import { chatRefFor } from '../../contract/chatRefs.js';
import { messageFor, messageSentFor } from '../../rendering/message.js';
import { erasedUser, userFor } from '../../rendering/user.js';
import type { UpdateTable } from '../../contract/updates.js';
import type { Delivery } from '../../contract/updates.js';
import type { MessageTails } from '../../contract/updates.js';
import type { Statuses } from '../../presence/statuses.js';
import type { UpdateView } from '../../contract/updateView.js';

export const messageUpdates = (statusOf: Statuses['of']): UpdateTable<MessageEvent, UpdateView> => ({
  MessageSent: async (event, view) => {
    const viewers = view.after.viewersOf(event.data.chat);
    if (first(viewers) === undefined) return [];
    const place = { event, view, viewers };
    const [began, created] = await Promise.all([begun(place, statusOf), told(place, statusOf)]);
    return [...began, ...created];
  },

  MessageEdited: async ({ data: { chat, message: id } }, view) => {
    const message = await view.message(id);
    if (message === undefined) return [];
    return toViewers(chat, view.after.viewersOf(chat), (viewer) => ({
      message: { message: messageFor(message, viewer) },
    }));
  },

  MessageDeleted: ({ data: { chat, message } }, view) =>
    toViewers(chat, view.after.viewersOf(chat), (viewer) => ({
      messageDeleted: { chatRef: chatRefFor(chat, viewer), messageIds: [message] },
    })),
});

type Sent = {
  readonly event: Recorded<EventOf<MessageEvent, 'MessageSent'>>;
  readonly view: UpdateView;
  readonly viewers: Iterable<UserId>;
};

const told = async ({ event, view, viewers }: Sent, statusOf: Statuses['of']): Promise<readonly Delivery[]> => {
  const { chat, author: id, nonce: clientId } = event.data;
  const [unreadCounts, user, status] = await Promise.all([
    view.unreadCounts(chat, viewers),
    view.user(id),
    statusOf(id),
  ]);
  // The protocol leaves it open, but clients fall short of showing a message whose author they do not know; and an
  // author without a presence is taken for offline.
  const author = user === undefined ? erasedUser(id) : userFor(user, status);
  return toViewers(
    chat,
    viewers,
    (viewer) => ({ messageCreated: { message: messageSentFor(event, viewer), author } }),
    { unreadCounts, ...(clientId === undefined ? {} : { nonce: { author: id, clientId } }) },
  );
};

/** A direct chat that begins with this message is told first: an update about a chat that a client does not know is lost on it. */
const begun = async ({ event, view, viewers }: Sent, statusOf: Statuses['of']): Promise<readonly Delivery[]> => {
  const { chat, message } = event.data;
  const place = placeOf(chat);
  if (place.kind !== 'direct' && place.kind !== 'self') return [];
  if ((await view.conversationBefore(chat)) !== undefined) return [];
  const members = place.kind === 'direct' ? [place.lower, place.higher] : [place.user];
  const [found, statuses] = await Promise.all([
    Promise.all(members.map(async (member) => view.user(member))),
    Promise.all(members.map(statusOf)),
  ]);
  const users = found.flatMap((user, index) => (user === undefined ? [] : [userFor(user, statuses[index])]));
  return Promise.all(
    Array.from(viewers, async (viewer) => {
      const unread = await view.unread(chat, viewer);
      const conversation = conversationFor({ chat, viewer, lastMessage: message, unread });
      const shown = {
        chat: conversation,
        message: messageSentFor(event, viewer),
        users,
      };
      return { audience: [viewer], update: { chat: { chat: shown } } };
    }),
  );
};

/** A channel is called the same by everybody and told once; a direct chat once for each side. */
const toViewers = (
  chat: ChatKey,
  viewers: Iterable<UserId>,
  render: (viewer: UserId) => UpdateInit,
  tails?: MessageTails,
): readonly Delivery[] => {
  const anybody = first(viewers);
  if (anybody === undefined) return [];
  // Handed on as they are: the same list of viewers is known again where their unread messages are counted.
  if (placeOf(chat).kind !== 'direct') return [{ audience: viewers, update: render(anybody), ...(tails && { tails }) }];
  return Array.from(viewers, (viewer, place) => ({
    audience: [viewer],
    update: render(viewer),
    ...(tails && { tails: { ...tails, unreadCounts: tails.unreadCounts.slice(place, place + 1) } }),
  }));
};

const first = ([viewer]: Iterable<UserId>): UserId | undefined => viewer;
