import type { ChatKey } from '../../kernel/chat.js';
import type { MessageId, SessionId, UserId } from '../../kernel/ids.js';
import {
  countIn,
  documentOf,
  documentsIn,
  documentsOf,
  scanned,
  unopenedIn,
  type Reads,
  type Unopened,
} from '../reading/queries.js';
import {
  coarsest,
  coarsestSpansMax,
  countKey,
  countPrefix,
  finest,
  finestMessagesMax,
  firstIdOf,
  spanOf,
  spansPerSpan,
  type Level,
} from './countKey.js';
import type { LastSentDocument, MessageDocument } from './documents.js';
import { lastSentDocuments, lastSentKey, messageCountDocuments, messageDocuments, messageKey } from './fold.js';

/** In the order of `ids`; those that were deleted are left out. */
export const messagesById = (reads: Reads, ids: readonly MessageId[]): Promise<readonly MessageDocument[]> =>
  documentsOf(reads, messageDocuments, ids.map(messageKey));

/** At most one of `since`, `before` and `around`; the first of them counts. */
export type HistoryPage = {
  /** The oldest messages that are newer than this one. */
  readonly since?: MessageId;
  /** The newest messages that are older than this one. */
  readonly before?: MessageId;
  /** This message and those sent right before and after it: half of the page is older. */
  readonly around?: MessageId;
  readonly limit: number;
  /**
   * No further messages are read once those found have more bytes than this; on a page around a message, on each side
   * of it. Default: any number.
   */
  readonly bytesMax?: number;
};

/** The newest first, whichever page it is. Without an anchor: the newest messages of the chat. */
export const history = async (reads: Reads, chat: ChatKey, page: HistoryPage): Promise<readonly MessageDocument[]> => {
  const { since, before, around, ...most } = page;
  if (since !== undefined) return newer(reads, chat, since, most);
  if (before !== undefined || around === undefined) return older(reads, chat, before, most);
  const olderLimit = Math.floor(most.limit / 2);
  const [above, below] = await Promise.all([
    newer(reads, chat, around - 1n, { ...most, limit: most.limit - olderLimit }),
    older(reads, chat, around, { ...most, limit: olderLimit }),
  ]);
  return [...above, ...below];
};

type Most = Pick<HistoryPage, 'limit' | 'bytesMax'>;

const newer = async (reads: Reads, chat: ChatKey, after: bigint, most: Most): Promise<readonly MessageDocument[]> => {
  const index = { index: 'history', within: [chat] } as const;
  return (await documentsIn(reads, messageDocuments, { ...index, ...most, after, order: 'ascending' })).toReversed();
};

const older = (
  reads: Reads,
  chat: ChatKey,
  before: bigint | undefined,
  most: Most,
): Promise<readonly MessageDocument[]> =>
  documentsIn(reads, messageDocuments, {
    index: 'history',
    within: [chat],
    ...(before === undefined ? {} : { before }),
    ...most,
    order: 'descending',
  });

/** The newest message of the chat that is not deleted. */
export const lastMessage = async (reads: Reads, chat: ChatKey): Promise<MessageDocument | undefined> =>
  (await older(reads, chat, undefined, { limit: 1 }))[0];

/** The message that the author sent last to the chat, deleted or not; undefined when there never was any. */
export const lastSent = (reads: Reads, chat: ChatKey, author: UserId): Promise<LastSentDocument | undefined> =>
  documentOf(reads, lastSentDocuments, lastSentKey(chat, author));

/** The newest message that this session has sent under this nonce, unless it was deleted. */
export const sentUnder = async (
  reads: Reads,
  session: SessionId,
  nonce: bigint,
): Promise<MessageDocument | undefined> => {
  const range = { index: 'byNonce', within: [session, nonce], order: 'descending', limit: 1 } as const;
  return (await documentsIn(reads, messageDocuments, range))[0];
};

/** Whether the session has ever sent a message with a nonce that is not deleted. */
export const hasSentWithNonce = async (reads: Reads, session: SessionId): Promise<boolean> =>
  (await countIn(reads, messageDocuments, { index: 'byNonce', within: [session], limit: 1 })) > 0;

export type MentionsPage = {
  /** Only messages that are newer than this one. */
  readonly after: MessageId | undefined;
  readonly limit: number;
};

/** Messages of the chat that name the user, the oldest first, without what is personal in them. */
export const mentionsAfter = (
  reads: Reads,
  user: UserId,
  chat: ChatKey,
  { after, limit }: MentionsPage,
): Promise<readonly Unopened<MessageDocument>[]> =>
  unopenedIn(reads, messageDocuments, {
    index: 'mentions',
    within: [user, chat],
    after: after ?? 0n,
    order: 'ascending',
    limit,
  });

export const mentionsCountedMax = 10_000;

/** How many messages of the chat that are newer than this one name the user; exact up to `mentionsCountedMax`. */
export const mentionCountAfter = (
  reads: Reads,
  user: UserId,
  chat: ChatKey,
  after: MessageId | undefined,
): Promise<number> =>
  countIn(reads, messageDocuments, {
    index: 'mentions',
    within: [user, chat],
    after: after ?? 0n,
    limit: mentionsCountedMax,
  });

/** Whether any message of the chat that is not deleted has an id above this one. */
export const hasMessageAfter = async (reads: Reads, chat: ChatKey, id: bigint): Promise<boolean> =>
  (await countIn(reads, messageDocuments, { index: 'history', within: [chat], after: id, limit: 1 })) > 0;

/**
 * How many messages of the chat that are not deleted have an id above this one. Exact, and bounded in work however
 * many there are: the rest of the finest span message by message, then the later spans within the same coarser one,
 * level by level. Every message is in exactly one of the parts, so a message that comes meanwhile counts once or not.
 */
export const messagesAfter = async (reads: Reads, chat: ChatKey, id: bigint): Promise<number> => {
  const parts = await Promise.all([
    restOfFinest(reads, chat, id),
    laterSiblings(reads, chat, id, 0),
    laterSiblings(reads, chat, id, 1),
    laterSiblings(reads, chat, id, 2),
  ]);
  return parts.reduce((sum, part) => sum + part, 0);
};

const restOfFinest = (reads: Reads, chat: ChatKey, id: bigint): Promise<number> =>
  countedBetween(reads, chat, id, firstIdOf(spanOf(id, finest) + 1, finest));

/** Messages within a finest span, without those that nobody has unread; both ends are left out. */
export const countedBetween = async (reads: Reads, chat: ChatKey, after: bigint, before: bigint): Promise<number> => {
  const range = { within: [chat], after, before, limit: finestMessagesMax };
  const [all, announcements] = await Promise.all([
    countIn(reads, messageDocuments, { index: 'history', ...range }),
    countIn(reads, messageDocuments, { index: 'announcements', ...range }),
  ]);
  return Math.max(0, all - announcements);
};

const laterSiblings = async (reads: Reads, chat: ChatKey, id: bigint, level: Level): Promise<number> => {
  const span = spanOf(id, level);
  const within =
    level === coarsest
      ? { limit: coarsestSpansMax }
      : { before: countKey(chat, level, nextFamily(span)), limit: spansPerSpan };
  const after = countKey(chat, level, span);
  const counts = await scanned(reads, messageCountDocuments, { prefix: countPrefix(chat, level), after, ...within });
  return counts.reduce((sum, { messages }) => sum + messages, 0);
};

/** The first span that is no sibling any more. */
const nextFamily = (span: number): number => (Math.floor(span / spansPerSpan) + 1) * spansPerSpan;
