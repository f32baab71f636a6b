import type { MessageCommand } from '../../../../domain/messages/commands.js';
import { messages } from '../../../../domain/messages/decide.js';
import { nothing } from '../../../../gen/rpcs.js';
import { defined } from '../../../../kernel/defined.js';
import { isRejection, reject, type Rejection } from '../../../../kernel/decider.js';
import type { Asked } from '../../../../kernel/execute.js';
import type { FoldedStreams } from '../../../../kernel/foldedStreams.js';
import type { MessageId, UserId } from '../../../../kernel/ids.js';
import { has } from '../../../../kernel/permissions.js';
import type { Ids } from '../../../../kernel/ports/system.js';
import { noMessage } from '../../../../projections/unread/unread.js';
import { askedInChat, seenTextChat, writableChat, type SeenChat } from '../../../access/chatAccess.js';
import type { Call } from '../../../contract/call.js';
import type { Handler } from '../../../contract/handlers.js';
import type { Typing } from '../../../presence/typing.js';
import { chargeIndexed } from '../sending/indexed.js';
import { mentionsIn, type MentionNeeds } from '../sending/mentions.js';
import { slowSecondsFor, type SendPermit, type Slowmode } from '../sending/slowmode.js';
import { copyOf, type Copy } from './copies.js';
import { forwardingOf, type Forwarding } from './wire.js';

export type ForwardingNeeds = MentionNeeds & {
  readonly ids: Pick<Ids, 'next'>;
  readonly streams: Pick<FoldedStreams, 'caughtUp'>;
  readonly typing: Pick<Typing, 'posted'>;
};

/**
 * Copies messages from a chat that the caller sees to one where they may write: all of them in one append, or none. A
 * forward has no nonce in the protocol, so a client that got no answer must look before it asks again.
 */
export const forwarder =
  (needs: ForwardingNeeds, slow: Slowmode): Handler<'messagesForwardMessage'> =>
  async (request, call) => {
    const forwarding = forwardingOf(request, call.caller.user);
    if (isRejection(forwarding)) return forwarding;
    const ready = await prepared(needs, slow, call, forwarding);
    if (isRejection(ready)) return ready;
    // The request itself has been counted as one.
    call.meter.alsoCounts?.(ready.copies.length - 1);
    return (await append(needs, call, ready)) ?? nothing;
  };

type NamingCopy = Copy & { readonly mentions: readonly UserId[] };

type Ready = {
  readonly from: SeenChat;
  readonly to: SeenChat;
  readonly copies: readonly NamingCopy[];
  readonly turn: SendPermit;
};

/** All that has to be asked and waited for. */
const prepared = async (
  needs: ForwardingNeeds,
  slow: Slowmode,
  call: Call,
  forwarding: Forwarding,
): Promise<Ready | Rejection> => {
  const from = await seenTextChat(needs.access, call, forwarding.from);
  if (isRejection(from)) return from;
  const to = await writableChat(needs.access, call, forwarding.to);
  if (isRejection(to)) return to;
  if (forwarding.originals.length > 1 && slowSecondsFor(to) > 0) {
    return reject('SLOWMODE', 'messages are forwarded here one at a time');
  }
  const about = { chat: from.key, author: call.caller.user };
  const found = allOf(
    await Promise.all(forwarding.originals.map((message) => copyOf(needs, call, { ...about, message }))),
  );
  if (isRejection(found)) return found;
  if (!mayAttach(found, to)) return reject('MISSING_PERMISSION');
  const copies = allOf(await Promise.all(found.map((copy) => naming(needs, call, copy, to))));
  if (isRejection(copies)) return copies;
  // Last, so that a request that is refused or fails for another reason takes no turn.
  const turn = await slow.take(call, to);
  return isRejection(turn) ? turn : { from, to, copies, turn };
};

const mayAttach = (copies: readonly Copy[], { permissions }: SeenChat): boolean =>
  copies.every(({ media }) => media === undefined) || has(permissions, 'sendMedia');

/** A copy names users as a message does that is sent there: those who see the chat now. */
const naming = async (
  needs: ForwardingNeeds,
  call: Call,
  copy: Copy,
  to: SeenChat,
): Promise<NamingCopy | Rejection> => {
  chargeIndexed(call, copy);
  const mentions = await mentionsIn(needs, copy, { ...to, author: call.caller.user, meter: call.meter });
  return isRejection(mentions) ? mentions : { ...copy, mentions };
};

const allOf = <T extends object>(outcomes: readonly (T | Rejection)[]): readonly T[] | Rejection => {
  const all: T[] = [];
  for (const outcome of outcomes) {
    if (isRejection(outcome)) return outcome;
    all.push(outcome);
  }
  return all;
};

/**
 * In the tick in which the log takes the messages their ids are minted, in the order of the originals, and both rights
 * are looked at, which may have gone during all the waits.
 */
const append = async (
  needs: ForwardingNeeds,
  call: Call,
  { from, to, copies, turn }: Ready,
): Promise<Rejection | undefined> => {
  const { access, ids, typing } = needs;
  const { key: chat } = to;
  const by = call.caller.user;
  let last = noMessage;
  const seen = askedInChat(access, call, from, (): readonly MessageCommand[] => []);
  const written = askedInChat(access, call, to, (now): readonly MessageCommand[] | Rejection => {
    if (!has(now.permissions, 'sendMessages') || !mayAttach(copies, now)) return reject('MISSING_PERMISSION');
    return copies.map((copy) => {
      last = ids.next() as MessageId;
      return { type: 'ForwardMessage', data: { ...copy, message: last, chat, by } };
    });
  });
  const forward: Asked<readonly MessageCommand[]> = (decidedOn) => {
    const still = seen(decidedOn);
    return still instanceof Promise || isRejection(still) ? still : written(decidedOn);
  };
  const { slowmodeSeconds } = turn;
  const outcome = await call.run(messages, forward, { rights: { chat, ...defined({ slowmodeSeconds }) } });
  if (isRejection(outcome)) {
    turn.giveBack();
    return outcome;
  }
  turn.sent(last);
  typing.posted(chat, by);
  return undefined;
};
