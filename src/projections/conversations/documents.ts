import type { ChatKey } from '../../kernel/chat.js';
import type { MessageId, UserId } from '../../kernel/ids.js';

/**
 * A direct chat or somebody's saved messages, once something was sent there. Key: the chat key.
 * Indexes: `byMember`: [user, sortId] for each of its members; `answered`: the same, once both members have written.
 */
export type ConversationDocument = {
  readonly chat: ChatKey;
  readonly members: readonly UserId[];
  /** The member who wrote first. */
  readonly begunBy: UserId;
  /** The first message of the other member; absent until then. It stays when the message is deleted. */
  readonly answeredWith?: MessageId;
  /** The newest messages that are not deleted, oldest first; at most `recentMessagesMax`. */
  readonly recent: readonly MessageId[];
  /** The highest id that fell out of `recent`, or of the first message. Lists are sorted by `recent`'s last, or else by this. */
  readonly floor: MessageId;
};

export const recentMessagesMax = 32;

/** Whether both members have written, so that each has made the other an acquaintance. */
export const isAnswered = ({ answeredWith }: ConversationDocument): boolean => answeredWith !== undefined;

/** The id by which lists of chats are sorted and paged, and which the wire calls `last_message_id`. */
export const sortIdOf = ({ recent, floor }: ConversationDocument): MessageId => recent.at(-1) ?? floor;

/**
 * Whether this message, which the conversation has taken in, began it. The floor is the id of the first message until
 * `recent` has overflowed. Afterwards it is above the first message, and above a message that came below the floor too:
 * such a message began the conversation only if `recent` has overflowed since.
 */
export const mayHaveBegunWith = ({ recent, floor }: ConversationDocument, message: MessageId): boolean =>
  floor === message || (floor > message && recent[0] !== floor);
