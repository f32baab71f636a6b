import { collectionOf } from '../../kernel/document.js';
import type { Position } from '../../kernel/event.js';
import type { MessageId, UserId } from '../../kernel/ids.js';
import type { Reads } from '../reading/queries.js';
import {
  messageReactionsKey,
  userReactionsCollection,
  userReactionsKey,
  type EmojiCount,
  type MessageReactionsDocument,
  type UserReactionsDocument,
} from './documents.js';
import { messageReactionsDocuments } from './fold.js';

export type ReactedMessage = { readonly message: MessageId; readonly emoji: readonly EmojiCount[] };

export type ReactionsAsOf = ReactedMessage & {
  readonly deleted: boolean;
  /** Of the last event that changed anything here. */
  readonly position: Position;
};

/** No emoji when nobody reacted, or when the message was deleted. */
export const reactionsTo = async ({ store }: Reads, message: MessageId): Promise<ReactionsAsOf> => {
  const { document, position } = await store.get(collectionOf(messageReactionsDocuments), messageReactionsKey(message));
  return { message, ...shown(document), position };
};

/** Those of the messages that have any, in their order, each with the emoji that the user put there. */
export const reactionsInPage = async (
  reads: Reads,
  messages: readonly MessageId[],
  user: UserId,
): Promise<readonly (ReactedMessage & { readonly own: readonly string[] })[]> => {
  const found = await reads.store.getMany(collectionOf(messageReactionsDocuments), messages.map(messageReactionsKey));
  const reacted = found.flatMap(({ document }, index): readonly ReactedMessage[] => {
    const message = messages[index];
    const { emoji } = shown(document);
    return message === undefined || emoji.length === 0 ? [] : [{ message, emoji }];
  });
  const unsure = reacted.filter(({ emoji }) => emoji.some((one) => !isListed(one) && !one.newest.includes(user)));
  const stored = await storedEmoji(
    reads,
    unsure.map(({ message }) => userReactionsKey(message, user)),
  );
  return reacted.map(({ message, emoji }) => {
    const named = emoji.filter(({ newest }) => newest.includes(user)).map((one) => one.emoji);
    return { message, emoji, own: stored.get(userReactionsKey(message, user)) ?? named };
  });
};

/** The emoji that each of the users put on the message, by user; users who put none there are left out. */
export const reactionsOfUsers = async (
  reads: Reads,
  { message, emoji }: ReactedMessage,
  users: readonly UserId[],
): Promise<ReadonlyMap<UserId, readonly string[]>> => {
  const named = new Map<UserId, string[]>();
  for (const one of emoji) for (const user of one.newest) named.set(user, [...(named.get(user) ?? []), one.emoji]);
  if (emoji.every(isListed)) return named;
  const stored = await storedEmoji(
    reads,
    users.map((user) => userReactionsKey(message, user)),
  );
  for (const user of stored.size === 0 ? [] : users) {
    const own = stored.get(userReactionsKey(message, user));
    if (own !== undefined) named.set(user, [...own]);
  }
  return named;
};

/** `newest` names all who put it there, so that nobody need be looked up. */
const isListed = ({ count, newest }: EmojiCount): boolean => newest.length === count;

// The documents in these collections were put there by the folds of their types: here, and in the cast below.
const shown = (stored: unknown): { readonly emoji: readonly EmojiCount[]; readonly deleted: boolean } => {
  const document = stored as MessageReactionsDocument | undefined;
  if (document === undefined) return { emoji: [], deleted: false };
  return document.deleted ? { emoji: [], deleted: true } : document;
};

const keysPerReadMax = 1_000;

const storedEmoji = async (
  { store }: Reads,
  keys: readonly string[],
): Promise<ReadonlyMap<string, readonly string[]>> => {
  const stored = new Map<string, readonly string[]>();
  for (let at = 0; at < keys.length; at += keysPerReadMax) {
    const some = keys.slice(at, at + keysPerReadMax);
    for (const { key, document } of await store.getMany(userReactionsCollection, some)) {
      const found = document as UserReactionsDocument | undefined;
      if (found !== undefined) stored.set(key, found.emoji);
    }
  }
  return stored;
};
