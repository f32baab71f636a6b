import type { BegunMessage, MessageEvent } from '../../../domain/messages/events.js';
import type { UpdateInit } from '../../../gen/rpcs.js';
import type { UserInit } from '../../../gen/types.js';
import { isAnswered, mayHaveBegunWith } from '../../../projections/conversations/documents.js';
import { conversationDocuments } from '../../../projections/conversations/fold.js';
import { messageDocuments, messageKey } from '../../../projections/messages/fold.js';
import { pinnedMessagesKey } from '../../../projections/pins/documents.js';
import { pinnedMessagesDocuments } from '../../../projections/pins/fold.js';
import { membersNamedBy, type ChatKey } from '../../../kernel/chat.js';
import type { EventOf, Recorded } from '../../../kernel/event.js';
import type { UserId } from '../../../kernel/ids.js';
import { atOnce } from '../../../kernel/timing.js';
import { conversationFor, lastReadFor } from '../../rendering/conversation.js';
import { chatRefFor, isCalledAlike } from '../../contract/chatRefs.js';
import { messageFor, messageSentFor } from '../../rendering/message.js';
import { erasedUser, userFor } from '../../rendering/user.js';
import type { UpdateTable, Delivery } from '../../contract/updates.js';
import type { Statuses } from '../../presence/statuses.js';
import type { UpdateView } from '../../contract/updateView.js';
import { mergeDeletions } from './deletions.js';
import { first, toViewers } from './toViewers.js';

export const messageUpdates = (statusOf: Statuses['of']): UpdateTable<MessageEvent, UpdateView> => ({
  MessageSent: (event, view) => sent(event, view, statusOf),
  MessageForwarded: (event, view) => sent(event, view, statusOf),

  MemberAnnounced: (event, view) => announced(event, view, statusOf),

  MessageEdited: async ({ data: { chat, message: id } }, view) => {
    const [message, pins] = await Promise.all([
      view.documentAsOf(messageDocuments, messageKey(id)),
      view.documentAsOf(pinnedMessagesDocuments, pinnedMessagesKey(chat)),
    ]);
    if (message === undefined) return [];
    const pinned = pins?.messages.includes(id) === true;
    return toViewers(chat, view.after.viewersOf(chat), (viewer) => ({
      update: { message: { message: messageFor({ ...message, ...(pinned ? { pinned } : {}) }, viewer) } },
    }));
  },

  MessageDeleted: ({ data: { chat, message } }, view) =>
    toViewers(chat, view.after.viewersOf(chat), (viewer) => ({
      update: { messageDeleted: { chatRef: chatRefFor(chat, viewer), messageIds: [message] } },
      merge: mergeDeletions,
    })),
});

const sent = async (
  event: Recorded<BegunMessage>,
  view: UpdateView,
  statusOf: Statuses['of'],
): Promise<readonly Delivery[]> => {
  const viewers = view.after.viewersOf(event.data.chat);
  if (first(viewers) === undefined) return [];
  const place = { event, view, viewers };
  // A channel or a group is made by an event of its own, so clients know it before its first message.
  if (membersNamedBy(event.data.chat).length === 0) {
    return [...(await told(place, statusOf)), ...(await readBySending(place))];
  }
  const [began, created, introduced] = await Promise.all([
    begun(place, statusOf),
    told(place, statusOf),
    introductions(place, statusOf),
  ]);
  return [...began, ...created, ...introduced, ...(await readBySending(place))];
};

type Announced = EventOf<MessageEvent, 'MemberAnnounced'>;

/** It is told as any message, but nothing is read by it. */
const announced = async (
  event: Recorded<Announced>,
  view: UpdateView,
  statusOf: Statuses['of'],
): Promise<readonly Delivery[]> => {
  const viewers = view.after.viewersOf(event.data.chat);
  return first(viewers) === undefined ? [] : told({ event, view, viewers }, statusOf);
};

type Sent = {
  readonly event: Recorded<BegunMessage>;
  readonly view: UpdateView;
  readonly viewers: Iterable<UserId>;
};

const told = async (
  { event, view, viewers }: Omit<Sent, 'event'> & { readonly event: Recorded<BegunMessage | Announced> },
  statusOf: Statuses['of'],
): Promise<readonly Delivery[]> => {
  const { chat, author: id } = event.data;
  const clientId = 'nonce' in event.data ? event.data.nonce : undefined;
  const asked = atOnce([view.unreadCounts(chat, viewers), view.user(id), statusOf(id), areAcquainted(chat, view)]);
  const [unreadCounts, user, status, acquainted] = asked instanceof Promise ? await asked : asked;
  // The protocol leaves it open, but clients fall short of showing a message whose author they do not know; and an
  // author without a presence is taken for offline.
  const authorFor = (viewer: UserId): UserInit =>
    user === undefined ? erasedUser(id) : userFor(user, acquainted || viewer === id ? status : undefined);
  return toViewers(chat, viewers, (viewer) => {
    const messageCreated = { message: messageSentFor(event, viewer), author: authorFor(viewer) };
    const counts = isCalledAlike(chat) ? unreadCounts : countsOf(viewer, viewers, unreadCounts);
    // The client that sent the message knows it again by its nonce.
    const own = clientId === undefined ? {} : { own: { recipient: id, fields: { messageCreated: { clientId } } } };
    return { update: { messageCreated }, perRecipient: { counts, countField, ...own } };
  });
};

const countsOf = (viewer: UserId, viewers: Iterable<UserId>, counts: readonly number[]): readonly number[] => {
  const place = [...viewers].indexOf(viewer);
  return counts.slice(place, place + 1);
};

const countField = (channelUnreadCount: number): UpdateInit => ({ messageCreated: { channelUnreadCount } });

/**
 * A message that moves its author's marker past something unread is sent to the other sessions of the author as such.
 */
const readBySending = async ({ event, view, viewers }: Sent): Promise<readonly Delivery[]> => {
  const { chat, author } = event.data;
  if (!(await view.hadUnread(event.data)) || !Array.from(viewers).includes(author)) return [];
  const counts = await view.unread(chat, author);
  return [{ audience: [author], update: { conversationLastRead: lastReadFor(chat, author, counts) } }];
};

/**
 * Whether the members of the chat may know each other's presence: both have written, or they share a community. Members
 * of a channel always do.
 */
const areAcquainted = (chat: ChatKey, view: UpdateView): boolean | Promise<boolean> => {
  const [one, other] = membersNamedBy(chat);
  return one === undefined || other === undefined || areAcquaintedIn(chat, [one, other], view);
};

const areAcquaintedIn = async (
  chat: ChatKey,
  [one, other]: readonly [UserId, UserId],
  view: UpdateView,
): Promise<boolean> => {
  const conversation = await view.documentAsOf(conversationDocuments, chat);
  return (conversation !== undefined && isAnswered(conversation)) || view.shareCommunity(one, other);
};

/** From the first answer on each side may know the presence of the other, of which it was told nothing before. */
const introductions = async (
  { event, view, viewers }: Sent,
  statusOf: Statuses['of'],
): Promise<readonly Delivery[]> => {
  const { chat, message } = event.data;
  const members = membersNamedBy(chat);
  if (members.length < 2) return [];
  const conversation = await view.documentAsOf(conversationDocuments, chat);
  if (conversation?.answeredWith !== message) return [];
  const statuses = await Promise.all(members.map(async (member) => statusOf(member)));
  const present = new Set(viewers);
  return members.flatMap((userId, index) => {
    const status = statuses[index];
    const audience = members.filter((other) => other !== userId && present.has(other));
    return status === undefined || audience.length === 0
      ? []
      : [{ audience, update: { userStatus: { userId, status } } }];
  });
};

/**
 * A direct chat that begins with this message is sent first, because an update about a chat that a client does not know
 * is lost on it.
 */
const begun = async ({ event, view, viewers }: Sent, statusOf: Statuses['of']): Promise<readonly Delivery[]> => {
  const { chat, message } = event.data;
  const members = membersNamedBy(chat);
  const conversation = await view.documentAsOf(conversationDocuments, chat);
  if (conversation !== undefined && !mayHaveBegunWith(conversation, message)) return [];
  const [found, statuses, acquainted] = await Promise.all([
    Promise.all(members.map(async (member) => view.user(member))),
    Promise.all(members.map(async (member) => statusOf(member))),
    areAcquainted(chat, view),
  ]);
  const usersTo = (viewer: UserId): readonly UserInit[] =>
    found.flatMap((user, index) =>
      user === undefined ? [] : [userFor(user, acquainted || user.id === viewer ? statuses[index] : undefined)],
    );
  return Promise.all(
    Array.from(viewers, async (viewer) => {
      const unread = await view.unread(chat, viewer);
      const conversation = conversationFor({ chat, viewer, lastMessage: message, unread });
      const shown = {
        chat: conversation,
        message: messageSentFor(event, viewer),
        users: usersTo(viewer),
      };
      return { audience: [viewer], update: { chat: { chat: shown } } };
    }),
  );
};
