import type { MessageEvent } from '../../../domain/messages/events.js';
import type { ReadEvent } from '../../../domain/reads/events.js';
import type { ChatKey } from '../../../kernel/chat.js';
import type { EventOf, Position, Recorded } from '../../../kernel/event.js';
import type { MessageId, UserId } from '../../../kernel/ids.js';
import type { UnreadReads } from '../../../projections/unread/unreadReads.js';
import { highestMarker, noMessage } from '../../../projections/unread/unread.js';
import { chatUnread, type ChatUnread } from './chatUnread.js';
import type { UnreadCounts } from '../../contract/updateView.js';

/**
 * The unread counts of connected viewers, kept by the events themselves once they have been loaded. Loads happen while
 * an event is rendered, so no event comes in between; the read model has that event in it, and may be ahead.
 */
export interface LiveUnreadCounts {
  readonly holds: (chat: ChatKey) => boolean;
  readonly folds: (type: string) => boolean;
  /**
   * Of a message it answers how much its author had not read right before, where that is in memory: 0 when they had read
   * all of it.
   */
  readonly apply: (event: Recorded) => number | undefined;
  /** The same from the read model, in which the message must be; undefined where that does not say it. */
  readonly countBefore: (sent: SentMessage) => Promise<number | undefined>;
  /** In the order of the viewers. */
  readonly countsOfAll: (chat: ChatKey, viewers: Iterable<UserId>) => readonly number[] | Promise<readonly number[]>;
  readonly counts: (chat: ChatKey, user: UserId) => Promise<UnreadCounts>;
  /** Events of the user's markers are not followed before and after they are connected. */
  readonly forget: (user: UserId) => void;
}

/** A message that has just been sent. */
export type SentMessage = { readonly chat: ChatKey; readonly author: UserId; readonly message: MessageId };

export type UnreadNeeds = {
  readonly reads: UnreadReads;
  /** Up to which id nothing counts for the viewer, as of the event that is being rendered; 0 for none. */
  readonly floorIn: (chat: ChatKey) => (viewer: UserId) => bigint;
  /**
   * Resolves once the read model has in it all events rendered so far, the present one included. All events up to the
   * position are in it.
   */
  readonly caughtUp: () => Promise<Position>;
};

export const chatsCountedMax = 4096;
/** Over all chats, roughly 100 bytes each. The chat that is being rendered stays, with any number of viewers. */
export const viewersCountedMax = 500_000;
/** Of a chat that is counted for the first time, so many messages are read, within these bounds: one for each viewer. */
const newestReadMin = 32;
const newestReadMax = 256;
const readsAtOnceMax = 16;

export const unreadCounts = ({ reads, floorIn, caughtUp }: UnreadNeeds): LiveUnreadCounts => {
  // A Map keeps the order of insertion: the first is the one that was used least recently.
  const chats = new Map<ChatKey, ChatUnread>();
  const chatsOf = new Map<UserId, Set<ChatKey>>();
  const lines = linesOver(chats);

  const use = (chat: ChatKey, counts: ChatUnread): ChatUnread => {
    chats.delete(chat);
    chats.set(chat, counts);
    return counts;
  };
  const load = async (chat: ChatKey, viewers: readonly UserId[]): Promise<ChatUnread> => {
    const asOf = await caughtUp();
    const counts = use(chat, chats.get(chat) ?? (await firstCounts(reads, chat, viewers.length)));
    const missing = viewers.filter((viewer) => !counts.has(viewer));
    await enterAll({ reads, floorIn, chat, counts, asOf }, missing);
    for (const viewer of missing) {
      const theirs = chatsOf.get(viewer);
      if (theirs === undefined) chatsOf.set(viewer, new Set([chat]));
      else theirs.add(chat);
    }
    trim(chats);
    return counts;
  };

  return {
    holds: (chat) => chats.has(chat),
    folds: (type) => lines.has(type),
    apply: (event) => lines.get(event.type)?.(event),
    countBefore: async ({ chat, author, message }) => {
      const viewer = { chat, user: author, floor: floorIn(chat)(author) };
      await caughtUp();
      return reads.unreadBefore(viewer, message);
    },
    countsOfAll: (chat, viewers) => {
      const list: readonly UserId[] = isList(viewers) ? viewers : [...viewers];
      const known = chats.get(chat);
      if (known !== undefined && !known.isListed(list)) raise(known, floorIn(chat), list);
      const counts = known?.unreadOfAll(list);
      if (known !== undefined && counts !== undefined) {
        use(chat, known);
        return counts;
      }
      return load(chat, list).then((loaded) => {
        use(chat, loaded);
        return list.map((viewer) => loaded.unreadOf(viewer) ?? 0);
      });
    },
    counts: async (chat, user) => {
      const known = chats.get(chat);
      if (known !== undefined) raise(known, floorIn(chat), [user]);
      const counted = known && countsIn(known, user);
      if (counted !== undefined) return counted;
      await caughtUp();
      return reads.unread({ chat, user, floor: floorIn(chat)(user) });
    },
    forget: (user) => {
      for (const chat of chatsOf.get(user) ?? []) drop(chats, chat, user);
      chatsOf.delete(user);
    },
  };
};

/**
 * A viewer who was counted before may have lost and regained sight of the chat since. The list of viewers is another one
 * then, so nothing has to be looked at while it is the same.
 */
const raise = (known: ChatUnread, floorOf: (viewer: UserId) => bigint, viewers: readonly UserId[]): void => {
  for (const viewer of viewers) known.markerMoved(viewer, highestMarker(floorOf(viewer)));
};

/** Undefined for a viewer whom it does not know, or not far enough back. */
const countsIn = (known: ChatUnread, user: UserId): UnreadCounts | undefined => {
  const [messages, mentions, marker] = [known.unreadOf(user), known.mentionsOf(user), known.markerOf(user)];
  if (messages === undefined || mentions === undefined) return undefined;
  return { messages, mentions, marker: marker === noMessage ? undefined : marker };
};

const drop = (chats: Map<ChatKey, ChatUnread>, chat: ChatKey, user: UserId): void => {
  const counts = chats.get(chat);
  counts?.drop(user);
  if (counts?.count() === 0) chats.delete(chat);
};

// Anything else may give others the next time.
const isList = (viewers: Iterable<UserId>): viewers is readonly UserId[] => Array.isArray(viewers);

type Lines<E extends MessageEvent | ReadEvent> = {
  readonly [Type in E['type']]: (event: Recorded<EventOf<E, Type>>) => number | undefined;
};

type AnyLine = (event: Recorded) => number | undefined;

const linesOver = (chats: ReadonlyMap<ChatKey, ChatUnread>): ReadonlyMap<string, AnyLine> => {
  const lines: Lines<MessageEvent | ReadEvent> = {
    MessageSent: ({ data: { chat, message, author, mentions }, position }) =>
      chats.get(chat)?.sent({ id: message, author, mentions }, position),
    MessageForwarded: ({ data: { chat, message, author, mentions }, position }) =>
      chats.get(chat)?.sent({ id: message, author, mentions }, position),
    MemberAnnounced: () => undefined,
    MessageEdited: ({ data: { chat, message, mentions } }) => {
      chats.get(chat)?.edited(message, mentions);
      return undefined;
    },
    MessageDeleted: ({ data: { chat, message, announced }, position }) => {
      if (announced === undefined) chats.get(chat)?.deleted(message, position);
      return undefined;
    },
    MarkerMoved: ({ data: { chat, user, message } }) => {
      chats.get(chat)?.markerMoved(user, message);
      return undefined;
    },
  };
  // Each line stands under the type of its own events.
  return new Map(Object.entries(lines) as readonly [string, AnyLine][]);
};

/** One read serves all viewers who have read up to somewhere in it. */
const firstCounts = async (reads: UnreadReads, chat: ChatKey, viewers: number): Promise<ChatUnread> => {
  const limit = Math.min(Math.max(viewers, newestReadMin), newestReadMax);
  // Only so much of them, because their texts are not to stay in memory.
  const newest = await reads.newest(chat, limit);
  const counted = newest
    .filter(({ announces }) => announces === undefined)
    .map(({ id, author, mentions }) => ({ id, author, mentions }));
  if (newest.length < limit) return chatUnread(counted, noMessage);
  // The oldest of them is left out and is the floor that all of the others are above.
  const floor = newest.reduce((lowest, { id }) => (id < lowest ? id : lowest), newest[0]?.id ?? noMessage);
  return chatUnread(
    counted.filter(({ id }) => id > floor),
    floor,
  );
};

type Entering = Pick<UnreadNeeds, 'reads' | 'floorIn'> & {
  readonly chat: ChatKey;
  readonly counts: ChatUnread;
  readonly asOf: Position;
};

const enterAll = async (entering: Entering, viewers: readonly UserId[]): Promise<void> => {
  if (viewers.length === 0) return;
  const { reads, chat, counts, asOf } = entering;
  const floorOf = entering.floorIn(chat);
  const read = await reads.markers(chat, viewers);
  const markers = viewers.map((viewer, place) => highestMarker(read[place], floorOf(viewer)));
  const older = await olderAbove(entering, new Set(markers.filter((marker) => marker < counts.floor)));
  for (const [place, viewer] of viewers.entries()) {
    const marker = markers[place] ?? noMessage;
    counts.enter(viewer, { marker, older: older.get(marker) ?? 0, asOf });
  }
};

/**
 * How many messages there are above each of these markers and not above the floor. Viewers who stopped at the same
 * message share one count. Newcomers have a marker each, but few messages between two of them: so only what lies between
 * one marker and the next is counted, and each message once.
 */
const olderAbove = async (
  { reads, chat, counts }: Pick<Entering, 'reads' | 'chat' | 'counts'>,
  markers: ReadonlySet<MessageId>,
): Promise<ReadonlyMap<MessageId, number>> => {
  const downwards = [...markers].sort((one, other) => (one > other ? -1 : 1));
  const parts = new Map<MessageId, number>();
  await inParallel([...downwards.entries()], async ([place, marker]) => {
    parts.set(marker, await reads.between(chat, marker, downwards[place - 1] ?? counts.floor));
  });
  let sum = 0;
  return new Map(downwards.map((marker) => [marker, (sum += parts.get(marker) ?? 0)]));
};

const inParallel = async <T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> => {
  const left = items.values();
  const worker = async (): Promise<void> => {
    for (const item of left) await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(readsAtOnceMax, items.length) }, worker));
};

const trim = (chats: Map<ChatKey, ChatUnread>): void => {
  let viewers = 0;
  for (const counts of chats.values()) viewers += counts.count();
  for (const [chat, counts] of chats) {
    if (chats.size <= 1 || (chats.size <= chatsCountedMax && viewers <= viewersCountedMax)) return;
    viewers -= counts.count();
    chats.delete(chat);
  }
};
