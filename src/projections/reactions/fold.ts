import type { MessageEvent } from '../../domain/messages/events.js';
import { reactionOf, reactionStreams, type Reaction, type ReactionEvent } from '../../domain/reactions/events.js';
import type { DocumentType } from '../../kernel/document.js';
import type { EventOf } from '../../kernel/event.js';
import type { MessageId, UserId } from '../../kernel/ids.js';
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
    CustomReactionAdded: ofMessage,
    CustomReactionRemoved: ofMessage,
    MessageDeleted: ofMessage,
  },
  // One for each user who reacted.
  streams: 'log',
  indexes: {},
  evolve: {
    ReactionAdded: (document, event) => reactedTo(document, event),
    ReactionRemoved: whenThere((document, event) => takenBackFrom(document, event)),
    CustomReactionAdded: (document, event) => reactedTo(document, event),
    CustomReactionRemoved: whenThere((document, event) => takenBackFrom(document, event)),
    MessageDeleted: () => ({ deleted: true }),
  },
};

const reactedTo = (document: MessageReactionsDocument = none, event: ReactionEvent): MessageReactionsDocument =>
  document.deleted ? document : { deleted: false, emoji: withReaction(document.emoji, putBy(event)) };

const takenBackFrom = (
  document: MessageReactionsDocument,
  event: ReactionEvent,
): MessageReactionsDocument | undefined =>
  document.deleted ? document : unlessEmpty(withoutReaction(document.emoji, putBy(event)));

type Put = { readonly emoji: Reaction; readonly user: UserId };
const putBy = (event: ReactionEvent): Put => ({ emoji: reactionOf(event), user: event.data.user });

const none: MessageReactionsDocument = { deleted: false, emoji: [] };
const unlessEmpty = (emoji: readonly EmojiCount[]): MessageReactionsDocument | undefined =>
  emoji.length === 0 ? undefined : { deleted: false, emoji };

const withReaction = (all: readonly EmojiCount[], { emoji, user }: Put): readonly EmojiCount[] => {
  if (!all.some((one) => one.emoji === emoji)) return [...all, { emoji, count: 1, newest: [user] }];
  return all.map((one) =>
    one.emoji === emoji
      ? { emoji, count: one.count + 1, newest: [user, ...one.newest].slice(0, newestReactorsMax) }
      : one,
  );
};

const withoutReaction = (all: readonly EmojiCount[], { emoji, user }: Put): readonly EmojiCount[] =>
  all.flatMap((one) => {
    if (one.emoji !== emoji) return [one];
    const newest = one.newest.filter((other) => other !== user);
    return one.count === 1 ? [] : [{ emoji, count: one.count - 1, newest }];
  });

const ofReactor = ({ data }: ReactionEvent): readonly string[] => [userReactionsKey(data.message, data.user)];

export const userReactionsDocuments: DocumentType<UserReactionsDocument, ReactionEvent> = {
  ...userReactionsType,
  keys: {
    ReactionAdded: ofReactor,
    ReactionRemoved: ofReactor,
    CustomReactionAdded: ofReactor,
    CustomReactionRemoved: ofReactor,
  },
  streams: (key) => [reactionStreams.named(key)],
  indexes: {},
  evolve: {
    ReactionAdded: (document, event) => withOwn(document, event),
    ReactionRemoved: whenThere((document, event) => withoutOwn(document, event)),
    CustomReactionAdded: (document, event) => withOwn(document, event),
    CustomReactionRemoved: whenThere((document, event) => withoutOwn(document, event)),
  },
};

const withOwn = (document: UserReactionsDocument | undefined, event: ReactionEvent): UserReactionsDocument => ({
  emoji: [...(document?.emoji ?? []), reactionOf(event)],
});

const withoutOwn = ({ emoji }: UserReactionsDocument, event: ReactionEvent): UserReactionsDocument | undefined => {
  const left = emoji.filter((other) => other !== reactionOf(event));
  return left.length === 0 ? undefined : { emoji: left };
};
