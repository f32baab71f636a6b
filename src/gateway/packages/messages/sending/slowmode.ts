import { reject, type Rejection } from '../../../../kernel/decider.js';
import { millisOf, type Millis } from '../../../../kernel/ids.js';
import { has } from '../../../../kernel/permissions.js';
import { lastMessageOf } from '../../../../projections/messages/queries.js';
import type { Reads } from '../../../../projections/reading/queries.js';
import type { SeenChat } from '../../../access/chatAccess.js';
import type { Call } from '../../../contract/call.js';

/** Turns that a node remembers. Messages that are in the read model are found there as well. */
export const sendPermitsMax = 10_000;

/** Given back when nothing was sent in it. */
export type SendPermit = { readonly giveBack: () => void };

export interface Slowmode {
  /** Waits for nothing where there is no slow mode. */
  take(call: Call, seen: SeenChat): SendPermit | Rejection | Promise<SendPermit | Rejection>;
}

/**
 * One message per author and so many seconds. The read model knows what was sent, on any node: all that was in the log
 * when this one came. The turns in memory are of those who are sending now, so that two that come to this node at the
 * same time do not both pass. Of two that come to two nodes at the same time both may; the next one waits for both.
 */
export const slowmode = (reads: Reads): Slowmode => {
  const permits = new Map<string, Millis>();

  const taken = async (call: Call, { key: chat }: SeenChat, seconds: number): Promise<SendPermit | Rejection> => {
    const { user } = call.caller;
    await call.upToDateWithLog('messages');
    const newest = await lastMessageOf(reads, chat, user);
    // From here on without a wait: whoever looks next sees this turn.
    const name = `${chat} ${user.toString()}`;
    const before = permits.get(name);
    const last = Math.max(before ?? 0, newest === undefined ? 0 : millisOf(newest.id));
    const waitMillis = last + seconds * 1000 - call.now;
    if (waitMillis > 0) return { ...reject('SLOWMODE'), retryAfterSeconds: Math.ceil(waitMillis / 1000) };
    permits.delete(name);
    permits.set(name, call.now);
    const oldest = permits.keys().next();
    if (permits.size > sendPermitsMax && oldest.done !== true) permits.delete(oldest.value);
    return {
      giveBack: () => {
        if (permits.get(name) !== call.now) return;
        if (before === undefined) permits.delete(name);
        else permits.set(name, before);
      },
    };
  };

  return {
    take: (call, seen) => {
      const seconds = seen.channel?.slowmodeSeconds ?? 0;
      const exempt = has(seen.permissions, 'deleteMessages') || has(seen.permissions, 'modifyChannel');
      return seconds === 0 || exempt ? free : taken(call, seen, seconds);
    },
  };
};

const free: SendPermit = { giveBack: () => undefined };
