import type { ChatKey } from '../../kernel/chat.js';
import { declareEvents, type EventsOf } from '../../kernel/declareEvents.js';
import type { FileId, MessageId, UserId } from '../../kernel/ids.js';
import { added, chatKey, id, oneOf, text } from '../../kernel/schema.js';
import { streamFamily } from '../../kernel/streams.js';

const reacting = { message: id<MessageId>('message'), chat: chatKey, user: id<UserId>('user') };
const fields = { ...reacting, emoji: text };
const because = added(oneOf('rightLost'));
const customFields = { ...reacting, emoji: id<FileId>('emoji') };

export const reactionStreams = streamFamily('reactions');
export const reactionStream = (message: MessageId, user: UserId): string =>
  reactionStreams.named(`${message.toString()}.${user.toString()}`);

type OfReactor = { readonly message: MessageId; readonly chat: ChatKey; readonly user: UserId };
const stream = (data: OfReactor): string => reactionStream(data.message, data.user);
const about = (data: OfReactor): string => data.chat;

/** Streams: `reactions-<message>.<user>`: all that one user ever put on one message. */
export const reactionEvents = declareEvents(
  'reactions',
  { stream, about },
  {
    ReactionAdded: {
      says: 'A user put an emoji on a message. `emoji` is in its fully-qualified form.',
      fields,
    },
    ReactionRemoved: {
      says: 'A user took an emoji back that they had put on a message. `because`: the server did, because the user had lost the right before the emoji was in the log.',
      fields: { ...fields, because },
    },
    CustomReactionAdded: {
      says: 'A user put a custom emoji on a message, which they could use then.',
      fields: customFields,
    },
    CustomReactionRemoved: {
      says: 'A user took a custom emoji back that they had put on a message. `because` is as in `ReactionRemoved`.',
      fields: { ...customFields, because },
    },
  },
);
export type ReactionEvent = EventsOf<typeof reactionEvents>;

/**
 * A user puts it on a message once: an emoji of Unicode in its fully-qualified form, or the name of a custom emoji, with
 * which none of Unicode begins.
 */
export type Reaction = string;

const custom = 'custom.';
export const customReaction = (emoji: FileId): Reaction => custom + emoji.toString();

/** Undefined for an emoji of Unicode. */
export const customEmojiOf = (reaction: Reaction): FileId | undefined =>
  // Only `customReaction` makes one that begins so.
  reaction.startsWith(custom) ? (BigInt(reaction.slice(custom.length)) as FileId) : undefined;

export const reactionOf = ({ data: { emoji } }: ReactionEvent): Reaction =>
  typeof emoji === 'bigint' ? customReaction(emoji) : emoji;
