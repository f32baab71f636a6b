import type { ChatKey } from '../../kernel/chat.js';
import type { MessageId, UserId } from '../../kernel/ids.js';
import { lastMessageOf, mentionCountAfter, messagesAfter } from '../messages/queries.js';
import { readMarker } from '../reads/queries.js';
import type { Reads } from '../reading/queries.js';

export type UnreadState = {
  /** Messages by others after the marker that are not deleted. Exact. */
  readonly messages: number;
  /** Those among them that name the user. */
  readonly mentions: number;
  /** The larger of what the user said to have read and their own newest message: sending reads all that came before. */
  readonly marker: MessageId | undefined;
};

export const unread = async (reads: Reads, user: UserId, chat: ChatKey): Promise<UnreadState> => {
  const [said, own] = await Promise.all([readMarker(reads, user, chat), lastMessageOf(reads, chat, user)]);
  const marker = larger(said, own?.id);
  const [messages, mentions] = await Promise.all([
    messagesAfter(reads, chat, marker ?? 0n),
    mentionCountAfter(reads, user, chat, marker),
  ]);
  return { messages, mentions, marker };
};

const larger = (one: MessageId | undefined, other: MessageId | undefined): MessageId | undefined =>
  one === undefined || (other !== undefined && other > one) ? other : one;
