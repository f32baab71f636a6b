import type { Content, Original } from '../../../../domain/messages/commands.js';
import { messages, showsSomething } from '../../../../domain/messages/decide.js';
import { mediaOf } from '../../../../domain/messages/attached.js';
import { messageStream, type Media } from '../../../../domain/messages/events.js';
import type { AliveMessage } from '../../../../domain/messages/state.js';
import { previews } from '../../../../domain/previews/decide.js';
import { previewStream } from '../../../../domain/previews/events.js';
import { isSuppressed } from '../../../../domain/previews/state.js';
import type { ChatKey } from '../../../../kernel/chat.js';
import { isRejection, reject, type Rejection } from '../../../../kernel/decider.js';
import type { FoldedStreams } from '../../../../kernel/foldedStreams.js';
import { millisOf, type MessageId } from '../../../../kernel/ids.js';
import { isShredded, opened } from '../../../../kernel/opened.js';
import type { Call } from '../../../contract/call.js';
import { costs } from '../../../contract/meter.js';
import { turnOf } from '../../../contract/meteredReads.js';

/** All that a forward takes along. Replies with their quotes stay behind, because they belong to the chat. */
export type Copy = Omit<Content, 'mentions'> &
  Original & { readonly media?: readonly Media[]; readonly suppressEmbeds?: true };

/**
 * The copy of a message of this chat as it is now, asked of its own stream: the read model may be behind, and knows no
 * message that was deleted meanwhile.
 */
export const copyOf = async (
  { streams }: { readonly streams: Pick<FoldedStreams, 'caughtUp'> },
  { meter }: Pick<Call, 'meter'>,
  { chat, message }: { readonly chat: ChatKey; readonly message: MessageId },
): Promise<Copy | Rejection> => {
  await turnOf(meter, costs.document);
  const { state } = await streams.caughtUp(messageStream(message), messages);
  if (state.status !== 'alive' || state.chat !== chat) return reject('MESSAGE_NOT_FOUND');
  const copy = copied(message, state);
  if (isRejection(copy)) return copy;
  await turnOf(meter, costs.document);
  const { state: shown } = await streams.caughtUp(previewStream(message), previews);
  return isSuppressed(shown, state) ? { ...copy, suppressEmbeds: true } : copy;
};

const copied = (original: MessageId, alive: AliveMessage): Copy | Rejection => {
  const { text, entities, author, forwarded } = alive;
  const [words, kept] = [opened(text), opened(entities)];
  if (isShredded(words) || isShredded(kept)) return reject('EMPTY_MESSAGE', 'nothing is left of a message');
  const written = forwarded ?? { writtenBy: author, writtenAt: millisOf(original) };
  if (alive.announces !== undefined) return reject('EMPTY_MESSAGE', 'a message about a member stays where it is');
  const media = mediaOf(alive);
  // Buttons stay behind, because their author is a bot.
  const isShown = media.length > 0 || showsSomething({ text: words, entities: kept });
  if (!isShown) return reject('EMPTY_MESSAGE', 'a message has buttons alone');
  return { text: words, entities: kept, original, ...written, ...(media.length > 0 && { media }) };
};
