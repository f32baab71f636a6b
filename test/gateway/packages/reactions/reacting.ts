import assert from 'node:assert/strict';
import { reactionStream, type ReactionEvent } from '../../../../src/domain/reactions/events.js';
import type { ChatRefInit } from '../../../../src/gen/refs.js';
import type { MessageReactionsInit } from '../../../../src/gen/reactions.js';
import { channelChat } from '../../../../src/kernel/chat.js';
import type { ChannelId, MessageId, UserId } from '../../../../src/kernel/ids.js';
import { community, general } from '../../../support/house/cast.js';
import type { House } from '../../../support/house/house.js';
import type { Node } from '../../../support/house/node.js';
import { Encoded } from '../../../../src/wire/encoded.js';

export const generalChat = channelChat(community, 101n as ChannelId);
export const hiddenChat = channelChat(community, 103n as ChannelId);

/** A message of the general channel, or of another chat. */
export type Place = MessageId | { readonly message: MessageId; readonly chatRef: ChatRefInit };
const placeOf = (place: Place) => (typeof place === 'bigint' ? { message: place, chatRef: general } : place);

type Change = 'reactionsAddReaction' | 'reactionsRemoveReaction';

/** What the user asks for, as on the wire: `done`, or the reason of the refusal. */
export const asking =
  (rpc: Change) =>
  async (node: Node, user: UserId, place: Place, unicodeEmoji: string): Promise<string> => {
    const { message: messageId, chatRef } = placeOf(place);
    const answer = await node.ask(user, rpc, { chatRef, messageId, emoji: { unicodeEmoji } });
    return 'rejected' in answer ? answer.rejected : 'done';
  };
export const add = asking('reactionsAddReaction');
export const takeBack = asking('reactionsRemoveReaction');

/** A line for each emoji: itself, how often it is there, whether the viewer put it there, and users named with it. */
export const lines = ({ reactionFields = [] }: MessageReactionsInit): readonly unknown[] =>
  reactionFields.flatMap((field) =>
    field instanceof Encoded
      ? assert.fail('an update has nothing encoded in it')
      : [[field.emoji?.unicodeEmoji, field.count, field.me, ...(field.previewUserIds ?? [])]],
  );

/** What the history of the chat shows at this message. */
export const seenBy = async (node: Node, user: UserId, place: Place): Promise<readonly unknown[]> => {
  const { message, chatRef } = placeOf(place);
  const { messages } = await node.must(user, 'messagesGetHistory', { chatRef, around: message, limit: 1 });
  return messages.reactions.filter(({ messageId }) => messageId === message).flatMap(lines);
};

/** Reactions stand in the log, whatever the rules say of them. They are all noticed together, later. */
export const reacted = async (
  { unnoticed }: House,
  message: MessageId,
  changes: readonly (readonly [user: UserId, emoji: string, type?: 'Added' | 'Removed'])[],
  chat = generalChat,
): Promise<void> => {
  for (const [user, emoji, type = 'Added'] of changes) {
    const event: ReactionEvent = { type: `Reaction${type}`, data: { message, chat, user, emoji } };
    await unnoticed(reactionStream(message, user), event);
  }
};

export const strangers = (count: number): readonly UserId[] =>
  Array.from({ length: count }, (_, index) => BigInt(1_000 + index) as UserId);
