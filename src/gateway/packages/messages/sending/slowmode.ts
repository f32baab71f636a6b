import { boundedMap } from '../../../../kernel/boundedMap.js';
import { reject, type Rejection } from '../../../../kernel/decider.js';
import { ages } from '../../../../kernel/ages.js';
import type { MessageId } from '../../../../kernel/ids.js';
import { has } from '../../../../kernel/permissions.js';
import { lastSent } from '../../../../projections/messages/queries.js';
import type { Reads } from '../../../../projections/reading/queries.js';
import type { SeenChat } from '../../../access/chatAccess.js';
import type { Call } from '../../../contract/call.js';

/** Turns that a node remembers. Messages that are in the read model are found there as well. */
export const sendPermitsMax = 10_000;

/** Either this message was sent with it, or it is given back because nothing was. */
export type SendPermit = {
  readonly sent: (message: MessageId) => void;
  readonly giveBack: () => void;
  /** Of the channel, where the author is subject to it. */
  readonly slowmodeSeconds?: number;
};

export interface Slowmode {
  /** Waits for nothing where there is no slow mode. */
  take(call: Call, seen: SeenChat): SendPermit | Rejection | Promise<SendPermit | Rejection>;
}

/**
 * One message per author and so many seconds. The read model knows what was sent, on any node: all that was in the log
 * when this one came. The turns in memory are of those who are sending now, so that two that come to this node at the
 * same time do not both pass. Of two that come to two nodes at the same time the later one in the log is taken back, as
 * `ActJudge` says.
 * No wait is longer than the channel says, however wrong a clock is or was.
 */
export const slowmode = (reads: Reads): Slowmode => {
  /** When they were given, by the monotonic clock. */
  const permits = boundedMap<string, number>({ entriesMax: sendPermitsMax });
  const messageAges = ages(sendPermitsMax);

  const taken = async (call: Call, { key: chat }: SeenChat, seconds: number): Promise<SendPermit | Rejection> => {
    const { user } = call.caller;
    await call.upToDateWithLog('messages');
    const last = await lastSent(reads, chat, user);
    // From here on without a wait, so the send that looks next sees this turn.
    const name = `${chat} ${user.toString()}`;
    const before = permits.get(name);
    const sinceSent = last && messageAges.of(last.message.toString(), last.at, call);
    const sincePermit = before === undefined ? undefined : call.monotonic - before;
    const waitMillis = seconds * 1000 - Math.min(sinceSent ?? Infinity, sincePermit ?? Infinity);
    if (waitMillis > 0) return { ...reject('SLOWMODE'), retryAfterSeconds: Math.ceil(waitMillis / 1000) };
    permits.set(name, call.monotonic);
    return {
      slowmodeSeconds: seconds,
      sent: (message) => {
        messageAges.begin(message.toString(), call);
      },
      giveBack: () => {
        if (permits.get(name) !== call.monotonic) return;
        if (before === undefined) permits.delete(name);
        else permits.set(name, before);
      },
    };
  };

  return {
    take: (call, seen) => {
      const seconds = slowSecondsFor(seen);
      return seconds === 0 ? free : taken(call, seen, seconds);
    },
  };
};

/** The slow mode that the caller is subject to in the chat; 0 for none. */
export const slowSecondsFor = ({ channel, permissions }: SeenChat): number => {
  const isExempt = has(permissions, 'deleteMessages') || has(permissions, 'modifyChannel');
  return isExempt ? 0 : (channel?.slowmodeSeconds ?? 0);
};

const free: SendPermit = { sent: () => undefined, giveBack: () => undefined };
