import type { MessageEvent } from '../../domain/messages/events.js';
import { reactionStreams, type ReactionEvent } from '../../domain/reactions/events.js';
import type { DocumentType } from '../../kernel/document.js';
import type { EventOf } from '../../kernel/event.js';
import type { MessageId } from '../../kernel/ids.js';
import { whenThere } from '../runner/foldHelpers.js';
import {
  messageReactionsKey,
  newestReactorsMax,
  userReactionsKey,
  userReactionsType,
  type EmojiCount,
  type MessageReactionsDocument,
  type UserReactionsDocument,
} from './documents.js';

const ofMessage = ({ data }: { readonly data: { readonly message: MessageId } }): readonly string[] => [
  messageReactionsKey(data.message),
];

export const messageReactionsDocuments: DocumentType<
  MessageReactionsDocument,
  ReactionEvent | EventOf<MessageEvent, 'MessageDeleted'>
> = {
  name: 'messageReactions',
  version: 1,
  keys: {
    ReactionAdded: ofMessage,
    ReactionRemoved: ofMessage,
    MessageDeleted: ofMessage,
  },
  // One for each user who reacted.
  streams: 'log',
  indexes: {},
  evolve: {
    ReactionAdded: (document = none, { data }) =>
      document.deleted ? document : { deleted: false, emoji: withReaction(document.emoji, data) },
    ReactionRemoved: whenThere((document, { data }) =>
      document.deleted ? document : unlessEmpty(withoutReaction(document.emoji, data)),
    ),
    MessageDeleted: () => ({ deleted: true }),
  },
};

const none: MessageReactionsDocument = { deleted: false, emoji: [] };
const unlessEmpty = (emoji: readonly EmojiCount[]): MessageReactionsDocument | undefined =>
  emoji.length === 0 ? undefined : { deleted: false, emoji };

const withReaction = (all: readonly EmojiCount[], { emoji, user }: ReactionEvent['data']): readonly EmojiCount[] => {
  if (!all.some((one) => one.emoji === emoji)) return [...all, { emoji, count: 1, newest: [user] }];
  return all.map((one) =>
    one.emoji === emoji
      ? { emoji, count: one.count + 1, newest: [user, ...one.newest].slice(0, newestReactorsMax) }
      : one,
  );
};

const withoutReaction = (all: readonly EmojiCount[], { emoji, user }: ReactionEvent['data']): readonly EmojiCount[] =>
  all.flatMap((one) => {
    if (one.emoji !== emoji) return [one];
    const newest = one.newest.filter((other) => other !== user);
    return one.count === 1 ? [] : [{ emoji, count: one.count - 1, newest }];
  });

export const userReactionsDocuments: DocumentType<UserReactionsDocument, ReactionEvent> = {
  ...userReactionsType,
  keys: {
    ReactionAdded: ({ data }) => [userReactionsKey(data.message, data.user)],
    ReactionRemoved: ({ data }) => [userReactionsKey(data.message, data.user)],
  },
  streams: (key) => [reactionStreams.named(key)],
  indexes: {},
  evolve: {
    ReactionAdded: (document, { data }) => ({ emoji: [...(document?.emoji ?? []), data.emoji] }),
    ReactionRemoved: whenThere(({ emoji }, { data }) => {
      const left = emoji.filter((other) => other !== data.emoji);
      return left.length === 0 ? undefined : { emoji: left };
    }),
  },
};
