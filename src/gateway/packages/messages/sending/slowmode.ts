import { reject, type Rejection } from '../../../../kernel/decider.js';
import { millisOf, type Millis } from '../../../../kernel/ids.js';
import { has } from '../../../../kernel/permissions.js';
import { lastMessageOf } from '../../../../projections/messages/queries.js';
import type { Reads } from '../../../../projections/reading/queries.js';
import type { SeenChat } from '../../../access/chatAccess.js';
import type { Call } from '../../../contract/call.js';

/** Turns that a node remembers. Messages that are in the read model are found there as well. */
export const turnsMax = 10_000;

/** Given back when nothing was sent in it. */
export type Turn = { readonly giveBack: () => void };

export interface Slowmode {
  /** Waits for nothing where there is no slow mode. */
  take(call: Call, seen: SeenChat): Turn | Rejection | Promise<Turn | Rejection>;
}

/**
 * One message per author and so many seconds. The read model knows what was sent, on any node: all that was in the log
 * when this one came. The turns in memory are of those who are sending now, so that two that come to this node at the
 * same time do not both pass. Of two that come to two nodes at the same time both may; the next one waits for both.
 */
export const slowmode = (reads: Reads): Slowmode => {
  const turns = new Map<string, Millis>();

  const taken = async (call: Call, { key: chat }: SeenChat, seconds: number): Promise<Turn | Rejection> => {
    const { user } = call.caller;
    await call.upToDateWithLog('messages');
    const newest = await lastMessageOf(reads, chat, user);
    // From here on without a wait: whoever looks next sees this turn.
    const name = `${chat} ${user.toString()}`;
    const before = turns.get(name);
    const last = Math.max(before ?? 0, newest === undefined ? 0 : millisOf(newest.id));
    const waitMillis = last + seconds * 1000 - call.now;
    if (waitMillis > 0) return { ...reject('SLOWMODE'), retryAfterSeconds: Math.ceil(waitMillis / 1000) };
    turns.delete(name);
    turns.set(name, call.now);
    const oldest = turns.keys().next();
    if (turns.size > turnsMax && oldest.done !== true) turns.delete(oldest.value);
    return {
      giveBack: () => {
        if (turns.get(name) !== call.now) return;
        if (before === undefined) turns.delete(name);
        else turns.set(name, before);
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

const free: Turn = { giveBack: () => undefined };
