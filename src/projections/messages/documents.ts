import type { Announcement, BotInfo, Entity, Media, Quote } from '../../domain/messages/events.js';
import type { ChatKey } from '../../kernel/chat.js';
import type { MessageId, Millis, SessionId, UserId } from '../../kernel/ids.js';
import type { Personal } from '../../kernel/personal.js';

/**
 * Key: the message's id, in decimal. A deleted message has no document.
 * Indexes: `history` [chat, id]; `mentions` [user, chat, id] for each user named in it;
 * `byNonce` [session, nonce, id] of those that were sent with a nonce; `announcements` [chat, id] of those that the server
 * posted, which nobody has unread.
 */
export type MessageDocument = {
  readonly id: MessageId;
  readonly chat: ChatKey;
  readonly author: UserId;
  readonly text: Personal<string>;
  readonly entities: Personal<readonly Entity[]>;
  readonly quote?: Personal<Quote>;
  /** Absent where nothing ever was attached. */
  readonly media?: Personal<readonly Media[]>;
  readonly botInfo?: Personal<BotInfo>;
  readonly replyTo?: MessageId;
  readonly mentions: readonly UserId[];
  readonly nonce?: bigint;
  /** A keyed hash over all that was asked for; kept with a nonce, and absent in messages of former releases. */
  readonly requestHash?: Personal<string>;
  /** The session that sent it; kept with a nonce only, which is a name that this session gave. */
  readonly session?: SessionId;
  readonly sentAt: Millis;
  /** Of a forward: the author of its words, and when they were first sent. */
  readonly writtenBy?: UserId;
  readonly writtenAt?: Millis;
  readonly editedAt?: Millis;
  /** Posted by the server, about the author. */
  readonly announces?: Announcement;
  /** The place of the latest edit in the message's stream; absent before the first one. */
  readonly revision?: number;
};

/**
 * How many messages of a chat that are not deleted were sent in one span of time, so that a million unread messages
 * are counted by adding up a few hundred numbers. Key: see `countKey`.
 */
export type MessageCountDocument = { readonly messages: number };

/**
 * The newest message that an author ever sent to a chat. Key: `<chat>.<author>`. Deletions leave it as it is, so that a
 * read marker does not move back, and a deleted message does not shorten slow mode.
 */
export type LastSentDocument = {
  /** The highest id. */
  readonly message: MessageId;
  /** The highest id before that one; absent for the first message. */
  readonly before?: MessageId;
  /** When the log took the latest message in. */
  readonly at: Millis;
};
