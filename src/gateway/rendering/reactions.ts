import { customEmojiOf, type Reaction } from '../../domain/reactions/events.js';
import type { MessageReactionsInit, ReactionEmojiInit } from '../../gen/reactions.js';
import type { MessageId, UserId } from '../../kernel/ids.js';
import { reactionsInPage, type ReactedMessage } from '../../projections/reactions/queries.js';
import type { Reads } from '../../projections/reading/queries.js';

/** Users named with each emoji, the newest. */
export const previewUsersMax = 3;

/** All reactions to a message for a viewer who put the emoji in `own` there. */
export const reactionsFor = ({ message, emoji }: ReactedMessage, own: readonly string[]): MessageReactionsInit => ({
  messageId: message,
  reactionFields: emoji.map(({ emoji: reaction, count, newest }) => ({
    emoji: emojiFor(reaction),
    count,
    me: own.includes(reaction),
    previewUserIds: newest.slice(0, previewUsersMax),
  })),
});

const emojiFor = (reaction: Reaction): ReactionEmojiInit => {
  const customEmoji = customEmojiOf(reaction);
  return customEmoji === undefined ? { unicodeEmoji: reaction } : { customEmoji };
};

/** Only of those messages that have any, in their order. */
export const reactionsOnPage = async (
  reads: Reads,
  messages: readonly MessageId[],
  viewer: UserId,
): Promise<readonly MessageReactionsInit[]> =>
  (await reactionsInPage(reads, messages, viewer)).map((reacted) => reactionsFor(reacted, reacted.own));
