import type { Reaction } from '../../domain/reactions/events.js';
import { collectionOf } from '../../kernel/document.js';
import type { MessageId, UserId } from '../../kernel/ids.js';

/**
 * The reactions to a message. Key: the message's id, in decimal. Absent while it has none. The document of a deleted
 * message keeps only that it was deleted, because a reaction may still stand behind the deletion in the log.
 */
export type MessageReactionsDocument =
  { readonly deleted: false; readonly emoji: readonly EmojiCount[] } | { readonly deleted: true };

/** The emoji of a message stand in the order of their first use. */
export type EmojiCount = {
  readonly emoji: Reaction;
  /** Users; at least 1. */
  readonly count: number;
  /** Some of them, the newest first; at most `newestReactorsMax`, and fewer once one of these took it back. */
  readonly newest: readonly UserId[];
};

export const newestReactorsMax = 8;

export const messageReactionsKey = (message: MessageId): string => message.toString();

/** The emoji that one user put on one message. Key: `<message>.<user>`. Absent while there are none. */
export type UserReactionsDocument = { readonly emoji: readonly Reaction[] };

/** The keys of all users' reactions to a message begin so. */
export const userReactionsPrefix = (message: MessageId): string => `${message.toString()}.`;
export const userReactionsKey = (message: MessageId, user: UserId): string =>
  userReactionsPrefix(message) + user.toString();

/** Under what name and version the reactions of users are kept. */
export const userReactionsType = { name: 'userReactions', version: 1 } as const;
export const userReactionsCollection = collectionOf(userReactionsType);
