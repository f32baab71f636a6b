import type { ChatKey } from '../../kernel/chat.js';
import type { MessageId, UserId } from '../../kernel/ids.js';
import { hasMessageAfter, lastSent, mentionCountAfter, mentionsAfter, messagesAfter } from '../messages/queries.js';
import { readMarker } from '../reads/queries.js';
import type { Reads } from '../reading/queries.js';

/** One viewer of one chat. */
export type ChatViewer = {
  readonly chat: ChatKey;
  readonly user: UserId;
  /** Messages up to this id do not count for the viewer, because they were sent before the chat was shown to them; 0 for none. */
  readonly floor: bigint;
};

export type UnreadState = {
  /** Messages by others after the marker that are not deleted. Exact. */
  readonly messages: number;
  /** Those among them that name the user. */
  readonly mentions: number;
  /**
   * The largest of how far the user said to have read, their own newest message, deleted or not, and the floor: sending
   * reads all that came before. It never moves back. Need not be the id of a message.
   */
  readonly marker: MessageId | undefined;
};

/** Reads the same few documents and keys however many messages there are, and three where all are read. */
export const unread = async (reads: Reads, viewer: ChatViewer): Promise<UnreadState> => {
  const marker = await markerOf(reads, viewer);
  return { ...(await countsAfter(reads, viewer, marker)), marker: marker === noMessage ? undefined : marker };
};

const countsAfter = async (
  reads: Reads,
  { chat, user }: ChatViewer,
  marker: MessageId,
): Promise<Pick<UnreadState, 'messages' | 'mentions'>> => {
  // Of most chats everything is read, and to count nothing takes as many reads as to count thousands.
  if (!(await hasMessageAfter(reads, chat, marker))) return { messages: 0, mentions: 0 };
  const [messages, mentions] = await Promise.all([
    messagesAfter(reads, chat, marker),
    mentionCountAfter(reads, user, chat, marker),
  ]);
  return { messages, mentions };
};

/** The messages after the marker that name the user, the oldest first. */
export const unreadMentions = async (
  reads: Reads,
  viewer: ChatViewer,
  limit: number,
): Promise<readonly MessageId[]> => {
  const after = await markerOf(reads, viewer);
  return (await mentionsAfter(reads, viewer.user, viewer.chat, { after, limit })).map(({ id }) => id);
};

const markerOf = async (reads: Reads, { chat, user, floor }: ChatViewer): Promise<MessageId> => {
  const [said, own] = await Promise.all([readMarker(reads, user, chat), lastSent(reads, chat, user)]);
  return highestMarker(said, own?.message, floor);
};

/** Before every message. */
export const noMessage = 0n as MessageId;

export const highestMarker = (...markers: readonly (bigint | undefined)[]): MessageId =>
  // Where all ids up to one are read, that one is a marker whether or not it is a message's.
  markers.reduce((one: bigint, other = noMessage) => (other > one ? other : one), noMessage) as MessageId;
