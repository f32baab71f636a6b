import type { ChatKey } from '../../kernel/chat.js';
import { collectionOf } from '../../kernel/document.js';
import type { MessageId, UserId } from '../../kernel/ids.js';
import {
  countKey,
  countPrefix,
  coarsest,
  finest,
  firstIdOf,
  spanOf,
  spansPerSpan,
  type Level,
} from '../messages/countKey.js';
import type { LastSentDocument, MessageDocument } from '../messages/documents.js';
import { lastSentDocuments, lastSentKey, messageCountDocuments, messageDocuments } from '../messages/fold.js';
import { countedBetween, lastSent } from '../messages/queries.js';
import { scanned, unopenedIn, type Reads } from '../reading/queries.js';
import type { ReadMarkerDocument } from '../reads/documents.js';
import { readMarkerDocuments, readMarkerKey } from '../reads/fold.js';
import { readMarker } from '../reads/queries.js';
import { highestMarker, unread, type ChatViewer, type UnreadState } from './unread.js';

/** The reads that the unread counts of many viewers of one chat are made from. */
export interface UnreadReads {
  /** The newest messages that are not deleted, in any order, with those that nobody has unread. */
  readonly newest: (
    chat: ChatKey,
    limit: number,
  ) => Promise<readonly Pick<MessageDocument, 'id' | 'author' | 'mentions' | 'announces'>[]>;
  /**
   * How far these users have read, in their order: the later of the marker they set and the newest message they ever
   * sent.
   */
  readonly markers: (chat: ChatKey, users: readonly UserId[]) => Promise<readonly MessageId[]>;
  /**
   * How many messages were there for the author to read right before they sent this one, which is in the read models.
   * Undefined when they have sent others since, because then it is not known any more how far they had read.
   */
  readonly unreadBefore: (viewer: ChatViewer, sent: MessageId) => Promise<number | undefined>;
  /** How many messages that are not deleted have an id above the one and not above the other. */
  readonly between: (chat: ChatKey, above: bigint, upTo: bigint) => Promise<number>;
  readonly unread: (viewer: ChatViewer) => Promise<UnreadState>;
}

export const unreadReads = (reads: Reads): UnreadReads => ({
  newest: (chat, limit) =>
    unopenedIn(reads, messageDocuments, { index: 'history', within: [chat], order: 'descending', limit }),
  markers: (chat, users) => markersOf(reads, chat, users),
  unreadBefore: (viewer, sent) => unreadBefore(reads, viewer, sent),
  between: (chat, above, upTo) => messagesBetween(reads, chat, above, upTo),
  unread: (viewer) => unread(reads, viewer),
});

const markersOf = async (reads: Reads, chat: ChatKey, users: readonly UserId[]): Promise<readonly MessageId[]> => {
  const [said, own] = await Promise.all([
    reads.store.getMany(
      collectionOf(readMarkerDocuments),
      users.map((user) => readMarkerKey(user, chat)),
    ),
    reads.store.getMany(
      collectionOf(lastSentDocuments),
      users.map((user) => lastSentKey(chat, user)),
    ),
  ]);
  // Each of the collections holds what the fold of its type put there, and both documents name a message.
  const idIn = (stored: { readonly document?: unknown } | undefined): MessageId | undefined =>
    (stored?.document as ReadMarkerDocument | LastSentDocument | undefined)?.message;
  return users.map((_, place) => highestMarker(idIn(said[place]), idIn(own[place])));
};

const unreadBefore = async (
  reads: Reads,
  { chat, user, floor }: ChatViewer,
  sent: MessageId,
): Promise<number | undefined> => {
  const [said, own] = await Promise.all([readMarker(reads, user, chat), lastSent(reads, chat, user)]);
  if (own?.message !== sent) return undefined;
  return messagesBetween(reads, chat, highestMarker(said, own.before, floor), sent - 1n);
};

/**
 * Bounded in work however many there are: the finest spans of both ends message by message, and whole spans between
 * them, as coarse as they can be.
 */
const messagesBetween = async (reads: Reads, chat: ChatKey, above: bigint, upTo: bigint): Promise<number> => {
  const [first, last] = [spanOf(above, finest), spanOf(upTo, finest)];
  if (upTo <= above) return 0;
  if (first === last) return countedBetween(reads, chat, above, upTo + 1n);
  const parts = await Promise.all([
    countedBetween(reads, chat, above, firstIdOf(first + 1, finest)),
    countedBetween(reads, chat, firstIdOf(last, finest) - 1n, upTo + 1n),
    spansBetween({ reads, chat, level: finest }, first, last),
  ]);
  return parts.reduce((sum, part) => sum + part, 0);
};

type Spans = { readonly reads: Reads; readonly chat: ChatKey; readonly level: Level };

/** The messages in all spans strictly between these two. */
const spansBetween = async (spans: Spans, after: number, before: number): Promise<number> => {
  const [family, lastFamily] = [familyOf(after), familyOf(before)];
  if (spans.level === coarsest || family === lastFamily) return summed(spans, after, before);
  const parts = await Promise.all([
    summed(spans, after, (family + 1) * spansPerSpan),
    summed(spans, lastFamily * spansPerSpan - 1, before),
    spansBetween({ ...spans, level: (spans.level + 1) as Level }, family, lastFamily), // The coarsest went no further.
  ]);
  return parts.reduce((sum, part) => sum + part, 0);
};

const familyOf = (span: number): number => Math.floor(span / spansPerSpan);

const summed = async ({ reads, chat, level }: Spans, after: number, before: number): Promise<number> => {
  const limit = before - after - 1;
  if (limit <= 0) return 0;
  const counts = await scanned(reads, messageCountDocuments, {
    prefix: countPrefix(chat, level),
    after: countKey(chat, level, after),
    before: countKey(chat, level, before),
    limit,
  });
  return counts.reduce((sum, { messages }) => sum + messages, 0);
};
