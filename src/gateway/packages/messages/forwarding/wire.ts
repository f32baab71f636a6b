import type { ForwardMessage } from '../../../../gen/messages.js';
import type { ChatKey } from '../../../../kernel/chat.js';
import { isRejection, reject, type Rejection } from '../../../../kernel/decider.js';
import type { MessageId, UserId } from '../../../../kernel/ids.js';
import { chatKeyFrom } from '../../../contract/chatRefs.js';

/** Messages that are forwarded at once, repetitions included. The log takes as many events in one append. */
export const forwardedTogetherMax = 100;

export type Forwarding = {
  readonly from: ChatKey;
  readonly to: ChatKey;
  /** Each once, the oldest first. */
  readonly originals: readonly MessageId[];
};

export const forwardingOf = (
  { chatRef, from: fromRef, messageIds }: ForwardMessage,
  forwarder: UserId,
): Forwarding | Rejection => {
  const to = chatKeyFrom(chatRef, forwarder);
  if (isRejection(to)) return to;
  const from = chatKeyFrom(fromRef, forwarder);
  if (isRejection(from)) return from;
  if (messageIds.length === 0 || messageIds.length > forwardedTogetherMax) {
    return reject('INVALID_ARGUMENT', `1 to ${forwardedTogetherMax.toString()} messages are forwarded at once`);
  }
  const originals = [...new Set(messageIds)].sort((one, other) => (one < other ? -1 : 1));
  return { from, to, originals };
};
