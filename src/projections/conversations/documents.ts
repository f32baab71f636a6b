import type { ChatKey } from '../../kernel/chat.js';
import type { MessageId, UserId } from '../../kernel/ids.js';

/**
 * A direct chat or somebody's saved messages, once something was sent there. Key: the chat key.
 * Index `byMember`: [user, sortId] for each of its members.
 */
export type ConversationDocument = {
  readonly chat: ChatKey;
  readonly members: readonly UserId[];
  /** The newest messages that are not deleted, oldest first; at most `recentMessagesMax`. */
  readonly recent: readonly MessageId[];
  /** The highest id that fell out of `recent`, or of the first message. Lists are sorted by `recent`'s last, or else by this. */
  readonly floor: MessageId;
};

export const recentMessagesMax = 32;

/** The id by which lists of chats are sorted and paged, and which the wire calls `last_message_id`. */
export const sortIdOf = ({ recent, floor }: ConversationDocument): MessageId => recent.at(-1) ?? floor;

/**
 * Whether this message, which the conversation has taken in, began it. The floor is the id of the first message until
 * `recent` has overflowed. Afterwards it is above the first message, and above a message that came below the floor too:
 * such a message began the conversation only if `recent` has overflowed since.
 */
export const mayHaveBegunWith = ({ recent, floor }: ConversationDocument, message: MessageId): boolean =>
  floor === message || (floor > message && recent[0] !== floor);
