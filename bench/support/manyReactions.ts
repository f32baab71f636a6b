import { randomUUID } from 'node:crypto';
import { systemIds } from '../../src/adapters/system/ids.js';
import { reactionStream, type ReactionEvent } from '../../src/domain/reactions/events.js';
import { channelChat } from '../../src/kernel/chat.js';
import { periodOf } from '../../src/kernel/codec.js';
import { snowflakes, type Millis, type UserId, type MessageId } from '../../src/kernel/ids.js';
import { openEngines } from './dataSet.js';
import type { Channel } from './rawClient.js';

const appendsAtOnce = 4_096;
const emoji = ['👍', '❤️', '🎉', '😂', '😮', '😢', '😡', '🔥', '👏', '🙏'] as const;

/** Puts reactions of users who are nobody else into the log of a server that does not run. */
export const appendReactions = async (
  dataDir: string,
  { communityId, channelId }: Channel,
  message: MessageId,
  count: number,
): Promise<void> => {
  const now = (): Millis => Date.now() as Millis;
  const { log, codec, close } = await openEngines(dataDir, now);
  const ids = systemIds(snowflakes(0, now));
  const chat = channelChat(communityId, channelId);
  const appendOne = async (user: UserId): Promise<void> => {
    const data = { message, chat, user, emoji: emoji[Number(user) % emoji.length] ?? emoji[0] };
    const event: ReactionEvent = { type: 'ReactionAdded', data };
    const commandId = randomUUID();
    const metadata = { $correlationId: commandId, $causationId: commandId, command: 'AddReaction' };
    const stream = reactionStream(message, user);
    const id = ids.eventId(commandId, 0);
    const record = codec.write(event, { id, stream, metadata, period: periodOf(now()) });
    if ('names' in record) throw new Error('reactions are not sealed');
    await log.append(stream, [record], 'noStream');
  };
  for (let at = 0; at < count; at += appendsAtOnce) {
    const some = Array.from(
      { length: Math.min(appendsAtOnce, count - at) },
      (_, one) => BigInt(at + one + 1) as UserId,
    );
    await Promise.all(some.map(appendOne));
  }
  await close();
};
