import { isRejection, type Rejection } from '../../../../kernel/decider.js';
import { ages } from '../../../../kernel/ages.js';
import type { MessageId } from '../../../../kernel/ids.js';
import { opened } from '../../../../kernel/opened.js';
import { hasSentWithNonce, sentUnder } from '../../../../projections/messages/queries.js';
import type { MessageDocument } from '../../../../projections/messages/documents.js';
import type { Reads } from '../../../../projections/reading/queries.js';
import type { Call, Caller } from '../../../contract/call.js';
import type { Sending } from '../wire.js';

/** How long a session's nonce names the same message. */
export const nonceMillisMax = 10 * 60_000;

/** Sends with a nonce that a node remembers. Each takes the same few hundred bytes, however long its message is. */
export const nonceSendsMax = 200_000;

/** Messages from elsewhere that were asked for again, of which a node remembers how old they are. */
const retriesMax = 10_000;

export type Sent = MessageId | Rejection;

/** The message that this session has sent already; undefined when it has not. */
export type Earlier = () => Promise<MessageId | undefined>;

/**
 * A client that got no answer sends again, under the same nonce: over the same connection, over a new one, or to a
 * server that was started anew. It must find its message and not send it twice.
 *
 * Sends of this node, done or under way, are in memory. One of another process is looked up by its nonce in the read
 * model, which holds all that was in the log when the session came to this node. A retry is the same request as a whole:
 * the same nonce with anything else in it is another message, because there are clients that count from 1 again after
 * each start.
 */
export interface Nonces {
  /** Begins `send` before it returns, unless it remembers the same. `send` must ask `earlier` first. */
  once(call: Call, sending: Nonced, send: (earlier: Earlier) => Promise<Sent>): Promise<Sent>;
}

export type Nonced = Pick<Sending, 'chat' | 'text'> & { readonly nonce: bigint; readonly requestHash: string };

export const nonces = (reads: Reads, sendsMax = nonceSendsMax): Nonces => {
  const known = memory(sendsMax);
  const arrivals = arrivalsOf(reads);
  const messageAges = ages(retriesMax);

  const earlier = async (call: Call, sending: Nonced): Promise<MessageId | undefined> => {
    const arrival = arrivals.of(call);
    const isForgotten = known.forgot(call.monotonic);
    // A session that has been here for so long has nothing elsewhere that this could be.
    if (call.monotonic - arrival.at > nonceMillisMax && !isForgotten) return undefined;
    if (isForgotten) await call.upToDateWithLog('messages');
    else if (!(await arrival.hasSent())) return undefined;
    const found = await sentUnder(reads, call.caller.session, sending.nonce);
    if (found === undefined || !isRetryOf(found, sending)) return undefined;
    return messageAges.of(found.id.toString(), found.sentAt, call) <= nonceMillisMax ? found.id : undefined;
  };

  return {
    once: async (call, sending, send) => {
      const name = `${call.caller.session.toString()}.${sending.nonce.toString()}`;
      const before = known.get(name, sending, call.monotonic);
      if (before !== undefined) return before;
      // The newest of this nonce is another one that was sent from here; the read model may not hold it yet.
      const isSuperseded = known.has(name, call.monotonic);
      const sent = send(async () => (isSuperseded ? undefined : earlier(call, sending)));
      const { chat, requestHash } = sending;
      const remembered = known.remember(name, { chat, requestHash, at: call.monotonic, sent });
      try {
        const outcome = await sent;
        // A send that was refused may be allowed the next time.
        if (isRejection(outcome)) remembered.takeBack();
        return outcome;
      } catch (error) {
        // It may be in the log all the same, so the session is looked for there as one that has just come.
        remembered.forget();
        arrivals.again(call);
        throw error;
      }
    },
  };
};

/** A message of a former release has no hash of its request, and its text stands for it. */
const isRetryOf = (found: MessageDocument, { chat, text, requestHash }: Nonced): boolean =>
  found.chat === chat &&
  (found.requestHash === undefined ? opened(found.text) === text : opened(found.requestHash) === requestHash);

type Known = Pick<Nonced, 'chat' | 'requestHash'> & { readonly at: number; readonly sent: Promise<Sent> };

type Remembered = {
  /** For a message that may or may not have been sent. */
  forget(): void;
  /** For a message that was not sent: the newest of its nonce is again the one before. */
  takeBack(): void;
};

/** Sends with a nonce, the newest of each; those from within `nonceMillisMax`, and at most `sendsMax`. */
const memory = (sendsMax: number) => {
  // A Map keeps the order of insertion: the first is the oldest.
  const known = new Map<string, Known>();
  /** When the newest of those was sent that had to go before their time. */
  let lostAt = Number.NEGATIVE_INFINITY;

  const put = (name: string, one: Known): void => {
    known.delete(name);
    known.set(name, one);
  };
  const trim = (now: number): void => {
    for (const [name, { at }] of known) {
      const isOld = now - at > nonceMillisMax;
      if (!isOld && known.size <= sendsMax) return;
      if (!isOld) lostAt = Math.max(lostAt, at);
      known.delete(name);
    }
  };
  return {
    get: (name: string, { chat, requestHash }: Nonced, now: number): Promise<Sent> | undefined => {
      const one = known.get(name);
      return one?.chat === chat && one.requestHash === requestHash && now - one.at <= nonceMillisMax
        ? one.sent
        : undefined;
    },
    has: (name: string, now: number): boolean =>
      now - (known.get(name)?.at ?? Number.NEGATIVE_INFINITY) <= nonceMillisMax,
    remember: (name: string, one: Known): Remembered => {
      const before = known.get(name);
      put(name, one);
      trim(one.at);
      const forget = (): boolean => {
        const isNewest = known.get(name) === one;
        if (isNewest) known.delete(name);
        return isNewest;
      };
      return {
        forget,
        takeBack: () => {
          if (forget() && before !== undefined) put(name, before);
        },
      };
    },
    /** Something that was sent from here within the time is not remembered any more. */
    forgot: (now: number): boolean => now - lostAt <= nonceMillisMax,
  };
};

/** The time at which a session came to this node, and whether it had sent anything by then, on any node. */
type Arrival = { readonly at: number; readonly hasSent: () => Promise<boolean> };

const arrivalsOf = (reads: Reads) => {
  // A caller is one object for as long as their session has a connection to this node.
  const arrivals = new WeakMap<Caller, Arrival>();
  const arrivalOf = (call: Call): Arrival => {
    let looked: Promise<boolean> | undefined;
    const look = async (): Promise<boolean> => {
      await call.upToDateWithLog('messages');
      return hasSentWithNonce(reads, call.caller.session);
    };
    return { at: call.monotonic, hasSent: () => (looked ??= look()) };
  };
  return {
    of: (call: Call): Arrival => {
      const before = arrivals.get(call.caller);
      if (before !== undefined) return before;
      const arrival = arrivalOf(call);
      arrivals.set(call.caller, arrival);
      return arrival;
    },
    again: (call: Call): void => {
      arrivals.delete(call.caller);
    },
  };
};
