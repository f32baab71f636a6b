import { messages } from '../../../../domain/messages/decide.js';
import type { MessageCommand } from '../../../../domain/messages/commands.js';
import { messageStream } from '../../../../domain/messages/events.js';
import type { BotInfo } from '../../../../domain/messages/botInfo.js';
import type { Media } from '../../../../domain/messages/events.js';
import type { ChatKey } from '../../../../kernel/chat.js';
import { defined } from '../../../../kernel/defined.js';
import { isRejection, reject, type Rejection } from '../../../../kernel/decider.js';
import type { FoldedStreams } from '../../../../kernel/foldedStreams.js';
import type { MessageId, UserId } from '../../../../kernel/ids.js';
import type { Sealer } from '../../../../kernel/ports/sealer.js';
import type { Ids } from '../../../../kernel/ports/system.js';
import type { Reads } from '../../../../projections/reading/queries.js';
import { noMessage } from '../../../../projections/unread/unread.js';
import { has } from '../../../../kernel/permissions.js';
import { deferred } from '../../../../kernel/timing.js';
import { usableEmoji, whileUsable, type EmojiOrigins } from '../../../access/usableEmoji.js';
import { askedInChat, writableChat, type SeenChat } from '../../../access/chatAccess.js';
import { serialQueues } from '../../../../kernel/serialQueue.js';
import type { Call } from '../../../contract/call.js';
import { customEmojiIn } from '../../../rendering/entities.js';
import type { FileStore } from '../../../files/fileStore.js';
import type { Typing } from '../../../presence/typing.js';
import { attached, type AttachingNeeds } from '../media.js';
import { mentionsIn, type MentionNeeds } from './mentions.js';
import { nonces, type Earlier, type Sent } from './nonces.js';
import { quoteFrom } from './quotes.js';
import { requestText } from './requestText.js';
import type { SendPermit, Slowmode } from './slowmode.js';
import type { Reply, Sending } from '../wire.js';

export type SendingNeeds = MentionNeeds &
  AttachingNeeds & {
    readonly ids: Pick<Ids, 'next'>;
    readonly reads: Reads;
    readonly streams: Pick<FoldedStreams, 'caughtUp'>;
    readonly typing: Pick<Typing, 'posted'>;
    readonly files: Pick<FileStore, 'picture'>;
    readonly sealer: Pick<Sealer, 'lookupHash'>;
  };

/** Stores a message; a retry under the same nonce answers the message that there is. */
export type SendMessage = (call: Call, sending: Sending) => Promise<Sent>;

/**
 * The messages of one session into one chat are handed to the log in the order in which they were asked for. Some have
 * to wait before that, for a name to be looked up or the message that they answer, so those behind them wait as well.
 * Nobody waits until the one before is durable: many on the way share one write to the disk.
 */
export const sender = (needs: SendingNeeds, slow: Slowmode): SendMessage => {
  const sent = nonces(needs.reads);
  const order = serialQueues();
  const inOrder = async (call: Call, sending: NamedSending, earlier: Earlier): Promise<Sent> => {
    const lane = `${call.caller.session.toString()} ${sending.chat}`;
    // Wrapped, because a promise that holds a promise waits for it.
    const handed = await order.run(lane, async () => {
      const found = await earlier();
      if (found !== undefined) return { sent: found };
      const ready = await prepared(needs, slow, call, sending);
      if (isRejection(ready)) return { sent: ready };
      const handing = deferred<undefined>();
      const handedIn = (): void => {
        handing.resolve(undefined);
      };
      const sent = append(needs, call, ready, handedIn);
      // Rights that are just being changed are waited for, and nothing may overtake meanwhile.
      sent.then(handedIn, handedIn);
      await handing.promise;
      return { sent };
    });
    return handed.sent;
  };
  return (call, sending) => {
    const { nonce } = sending;
    if (nonce === undefined) return inOrder(call, sending, never);
    const named = { requestHash: needs.sealer.lookupHash(requestText(sending)), ...sending, nonce };
    return sent.once(call, named, (earlier) => inOrder(call, named, earlier));
  };
};

type NamedSending = Sending & { readonly requestHash?: string };

const never: Earlier = () => Promise.resolve(undefined);

type Ready = {
  readonly sending: NamedSending;
  readonly seen: SeenChat;
  readonly reply: ReadyReply | undefined;
  readonly mentions: readonly UserId[];
  readonly media: readonly Media[] | undefined;
  readonly emojiOf: EmojiOrigins;
  readonly botInfo: BotInfo | undefined;
  readonly turn: SendPermit;
};

/** All that has to be asked and waited for. */
const prepared = async (
  needs: SendingNeeds,
  slow: Slowmode,
  call: Call,
  sending: NamedSending,
): Promise<Ready | Rejection> => {
  const seen = await writableChat(needs.access, call, sending.chat);
  if (isRejection(seen)) return seen;
  const reply = sending.reply && (await replyIn(needs, sending.chat, sending.reply));
  if (isRejection(reply)) return reply;
  // Those of a quote stand in the original.
  const emojiOf = await usableEmoji(needs, call, customEmojiIn(sending.entities));
  if (isRejection(emojiOf)) return emojiOf;
  const mentions = await mentionsIn(needs, sending, { author: call.caller.user, meter: call.meter, ...seen });
  if (isRejection(mentions)) return mentions;
  const media = sending.media && (await mediaOf(needs, call, sending, seen));
  if (isRejection(media)) return media;
  const botInfo = sending.botInfo && (await botInfoWithPhoto(needs, call, sending));
  if (isRejection(botInfo)) return botInfo;
  // Last, so that a send that is refused or fails for another reason takes no turn.
  const turn = await slow.take(call, seen);
  return isRejection(turn) ? turn : { sending, seen, reply, mentions, media, botInfo, emojiOf, turn };
};

/** The id of a photo goes in; all that shows it is kept. */
const botInfoWithPhoto = async (
  { files }: SendingNeeds,
  call: Call,
  { botInfo, cloakPhoto: asked }: NamedSending,
): Promise<BotInfo | Rejection | undefined> => {
  if (botInfo === undefined || asked === undefined) return botInfo;
  const cloakPhoto = await files.picture(call, asked);
  return isRejection(cloakPhoto) ? cloakPhoto : { ...botInfo, cloakPhoto };
};

/** The files are made before the message, and are kept for an hour if it is refused. */
const mediaOf = async (
  needs: SendingNeeds,
  call: Call,
  { media: attaching, reply, ...written }: NamedSending,
  { permissions }: SeenChat,
): Promise<readonly Media[] | Rejection | undefined> => {
  if (attaching === undefined) return undefined;
  if (!has(permissions, 'sendMedia')) return reject('MISSING_PERMISSION');
  const beside = reply?.quote === undefined ? [written] : [written, reply.quote];
  return attached(needs, call, { attaching, beside });
};

/**
 * Asked of the original's own stream: the read model may be behind, and knows no message that was deleted meanwhile. A
 * quote that the original does not have is left out, so that no message is lost to its quote.
 */
const replyIn = async (
  { streams }: SendingNeeds,
  chat: ChatKey,
  { to, quote }: Reply,
): Promise<ReadyReply | Rejection> => {
  const { state: original } = await streams.caughtUp(messageStream(to), messages);
  if (original.status === 'absent' || original.chat !== chat) {
    return reject('MESSAGE_NOT_FOUND', 'the message that this one answers');
  }
  const found = quote && original.status === 'alive' ? quoteFrom(original, quote) : undefined;
  if (found === undefined || original.status !== 'alive') return { to };
  return { to, quote: found, quotes: original.forwarded?.writtenBy ?? original.author };
};

/** `quotes`: the user whose words are quoted. */
type ReadyReply = Reply & { readonly quotes?: UserId };

/**
 * Begins without a wait, and the id is minted in the tick in which the log takes the message: so the ids of a chat are
 * in log order. In the same tick the right to write is looked at, which may have gone during all the waits. `handedIn`
 * is called then.
 *
 * The command has no name of its own to be repeated under. Each attempt mints another id, which is another stream, and
 * the log knows a repeated append only within its stream. A name made from the nonce would keep nothing from being
 * stored twice, and would give two events one id where a client counts its nonces anew. `Nonces` finds the retries.
 */
const append = async (
  needs: SendingNeeds,
  call: Call,
  { sending, seen, reply, mentions, media, botInfo, emojiOf, turn }: Ready,
  handedIn: () => void,
): Promise<Sent> => {
  const { chat, text, entities, nonce, requestHash, suppressEmbeds } = sending;
  const about = {
    chat,
    by: call.caller.user,
    text,
    entities,
    mentions,
    ...defined({
      replyTo: reply?.to,
      quote: reply?.quote,
      quotes: reply?.quotes,
      nonce,
      requestHash,
      media,
      botInfo,
      suppressEmbeds,
    }),
  };
  let message = noMessage;
  const send = askedInChat(needs.access, call, seen, (now): MessageCommand | Rejection => {
    const mayAttach = media === undefined || has(now.permissions, 'sendMedia');
    if (!mayAttach || !has(now.permissions, 'sendMessages')) return reject('MISSING_PERMISSION');
    handedIn();
    message = needs.ids.next() as MessageId;
    return { type: 'SendMessage', data: { message, ...about } };
  });
  const { slowmodeSeconds } = turn;
  const outcome = await call.run(messages, whileUsable(needs.access, call, emojiOf, send), {
    rights: { chat, ...defined({ slowmodeSeconds }) },
  });
  if (isRejection(outcome)) {
    turn.giveBack();
    return outcome;
  }
  turn.sent(message);
  needs.typing.posted(chat, call.caller.user);
  return message;
};
