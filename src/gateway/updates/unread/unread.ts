import type { MessageEvent } from '../../../domain/messages/events.js';
import type { ReadEvent } from '../../../domain/reads/events.js';
import type { ChatKey } from '../../../kernel/chat.js';
import type { EventOf, Position, Recorded } from '../../../kernel/event.js';
import type { MessageId, UserId } from '../../../kernel/ids.js';
import type { UnreadReads } from '../../../projections/unread/unreadReads.js';
import { chatUnread, noMessage, type ChatUnread } from './chatUnread.js';
import type { UnreadCounts } from '../../contract/updateView.js';

/**
 * How much connected viewers have not read, kept by the events themselves once it has been loaded. Loads happen while an
 * event is told, so no event comes in between; the read model has that event in it, and may be ahead.
 */
export interface LiveUnreadCounts {
  readonly holds: (chat: ChatKey) => boolean;
  readonly folds: (type: string) => boolean;
  readonly apply: (event: Recorded) => void;
  /** In the order of the viewers. */
  readonly countsOfAll: (chat: ChatKey, viewers: Iterable<UserId>) => Promise<readonly number[]>;
  readonly counts: (chat: ChatKey, user: UserId) => Promise<UnreadCounts>;
  /** Events of the user's markers are not followed before and after they are connected. */
  readonly forget: (user: UserId) => void;
}

export type UnreadNeeds = {
  readonly reads: UnreadReads;
  /** Resolves once the read model has in it all events told so far, the present one included. */
  readonly caughtUp: () => Promise<void>;
  /** All events up to here are in the read model. */
  readonly position: () => Position;
};

export const chatsCountedMax = 4096;
/** Over all chats, roughly 100 bytes each. The chat that is being told stays however many viewers it has. */
export const viewersCountedMax = 500_000;
/** Of a chat that is counted for the first time, so many messages are read, within these bounds: one for each viewer. */
const newestReadMin = 32;
const newestReadMax = 256;
const readsAtOnceMax = 16;

export const unreadCounts = ({ reads, caughtUp, position }: UnreadNeeds): LiveUnreadCounts => {
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
    await caughtUp();
    const asOf = position();
    const counts = use(chat, chats.get(chat) ?? (await firstCounts(reads, chat, viewers.length)));
    const missing = viewers.filter((viewer) => !counts.has(viewer));
    await enterAll({ reads, chat, counts, asOf }, missing);
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
    countsOfAll: async (chat, viewers) => {
      const list: readonly UserId[] = isList(viewers) ? viewers : [...viewers];
      const known = chats.get(chat);
      const counts = known?.unreadOfAll(list);
      if (known !== undefined && counts !== undefined) {
        use(chat, known);
        return counts;
      }
      const loaded = use(chat, await load(chat, list));
      return list.map((viewer) => loaded.unreadOf(viewer) ?? 0);
    },
    counts: async (chat, user) => {
      const known = chats.get(chat);
      const messages = known?.unreadOf(user);
      const mentions = known?.mentionsOf(user);
      if (messages !== undefined && mentions !== undefined)
        return { messages, mentions, marker: known?.markerOf(user) };
      await caughtUp();
      return reads.unread(chat, user);
    },
    forget: (user) => {
      for (const chat of chatsOf.get(user) ?? []) {
        const counts = chats.get(chat);
        counts?.drop(user);
        if (counts?.count() === 0) chats.delete(chat);
      }
      chatsOf.delete(user);
    },
  };
};

// Anything else may give others the next time.
const isList = (viewers: Iterable<UserId>): viewers is readonly UserId[] => Array.isArray(viewers);

type Lines<E extends MessageEvent | ReadEvent> = {
  readonly [Type in E['type']]: (event: Recorded<EventOf<E, Type>>) => void;
};

const linesOver = (chats: ReadonlyMap<ChatKey, ChatUnread>): ReadonlyMap<string, (event: Recorded) => void> => {
  const lines: Lines<MessageEvent | ReadEvent> = {
    MessageSent: ({ data: { chat, message, author, mentions }, position }) =>
      chats.get(chat)?.sent({ id: message, author, mentions }, position),
    MessageEdited: ({ data: { chat, message, mentions } }) => chats.get(chat)?.edited(message, mentions),
    MessageDeleted: ({ data: { chat, message, author }, position }) =>
      chats.get(chat)?.deleted({ id: message, author }, position),
    MarkerMoved: ({ data: { chat, user, message } }) => chats.get(chat)?.markerMoved(user, message),
  };
  // Each line stands under the type of its own events.
  return new Map(Object.entries(lines) as readonly [string, (event: Recorded) => void][]);
};

/** One read serves all viewers who have read up to somewhere in it. */
const firstCounts = async (reads: UnreadReads, chat: ChatKey, viewers: number): Promise<ChatUnread> => {
  const limit = Math.min(Math.max(viewers, newestReadMin), newestReadMax);
  // Only so much of them: what they say is not to stay in memory.
  const newest = (await reads.newest(chat, limit)).map(({ id, author, mentions }) => ({ id, author, mentions }));
  if (newest.length < limit) return chatUnread(newest, noMessage);
  // The oldest of them is left out and is what all of the others are above.
  const floor = newest.reduce((lowest, { id }) => (id < lowest ? id : lowest), newest[0]?.id ?? noMessage);
  return chatUnread(
    newest.filter(({ id }) => id > floor),
    floor,
  );
};

type Entering = {
  readonly reads: UnreadReads;
  readonly chat: ChatKey;
  readonly counts: ChatUnread;
  readonly asOf: Position;
};

const enterAll = async ({ reads, chat, counts, asOf }: Entering, viewers: readonly UserId[]): Promise<void> => {
  if (viewers.length === 0) return;
  const said = await reads.markers(chat, viewers);
  const own = counts.newestByAuthor();
  const behind: { readonly viewer: UserId; readonly marker: MessageId }[] = [];
  for (const [place, viewer] of viewers.entries()) {
    const marker = maxMarker(said[place], own.get(viewer));
    if (marker >= counts.floor) counts.enter(viewer, { marker, older: 0, asOf });
    else behind.push({ viewer, marker });
  }
  // Many have read nothing yet, or stopped at the same message: they share one count.
  const older = sharedReads((marker: MessageId) => reads.between(chat, marker, counts.floor));
  await inParallel(behind, async ({ viewer, marker }) => {
    const from = maxMarker(marker, await reads.newestBy(chat, viewer));
    counts.enter(viewer, { marker: from, older: await older(from), asOf });
  });
};

const maxMarker = (one: MessageId | undefined, other: MessageId | undefined): MessageId => {
  const [first, second] = [one ?? noMessage, other ?? noMessage];
  return first > second ? first : second;
};

const sharedReads = <Key, T>(read: (key: Key) => Promise<T>): ((key: Key) => Promise<T>) => {
  const known = new Map<Key, Promise<T>>();
  return (key) => {
    const shared = known.get(key) ?? read(key);
    known.set(key, shared);
    return shared;
  };
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
