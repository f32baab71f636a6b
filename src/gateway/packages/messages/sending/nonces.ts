import { isRejection, type Rejection } from '../../../../kernel/decider.js';
import { ages } from '../../../../kernel/ages.js';
import type { MessageId, Millis } from '../../../../kernel/ids.js';
import { opened } from '../../../../kernel/opened.js';
import { sentBySession } from '../../../../projections/messages/queries.js';
import type { MessageDocument } from '../../../../projections/messages/documents.js';
import type { Reads } from '../../../../projections/reading/queries.js';
import type { Call, Caller } from '../../../contract/call.js';
import { meteredReads } from '../../../contract/meteredReads.js';
import type { Sending } from '../wire.js';

/** How long a session's nonce names the same message. */
export const nonceMillisMax = 10 * 60_000;

/** The bounds of a node's memory of sends with a nonce: so many, with so much text in UTF-16 code units. */
export type NonceBounds = { readonly sendsMax: number; readonly textUnitsMax: number };
export const nonceBounds: NonceBounds = { sendsMax: 200_000, textUnitsMax: 20_000_000 };

/** Messages from elsewhere that were asked for again, of which a node remembers how old they are. */
const retriesMax = 10_000;

export type Sent = MessageId | Rejection;

/** The message that this session has sent already; undefined when it has not. */
export type Earlier = () => Promise<MessageId | undefined>;

/**
 * A client that got no answer sends again, under the same nonce: over the same connection, over a new one, or to a
 * server that was started anew. It must find its message and not send it twice.
 *
 * Sends of this node, done or under way, are in memory. Those of another process are fetched from the read model, once,
 * as soon as that holds all that was in the log when the session came to this node. The same nonce with another text or
 * in another chat is another message: there are clients that count from 1 again after each start.
 */
export interface Nonces {
  /** Begins `send` before it returns, unless it remembers the same. `send` must ask `earlier` first. */
  once(call: Call, sending: Nonced, send: (earlier: Earlier) => Promise<Sent>): Promise<Sent>;
}

export type Nonced = Pick<Sending, 'chat' | 'text'> & { readonly nonce: bigint };

export const nonces = (reads: Reads, bounds = nonceBounds): Nonces => {
  const known = memory(bounds);
  const arrivals = arrivalsOf(reads);
  const messageAges = ages(retriesMax);

  const earlier = async (call: Call, { chat, text, nonce }: Nonced): Promise<MessageId | undefined> => {
    const arrival = arrivals.of(call);
    const isForgotten = known.forgot(call.monotonic);
    // A session that has been here for so long has nothing elsewhere that this could be.
    if (call.monotonic - arrival.at > nonceMillisMax && !isForgotten) return undefined;
    const found = (await (isForgotten ? sentUpTo(reads, call) : arrival.sent)).get(nonce);
    if (found?.chat !== chat || opened(found.text) !== text) return undefined;
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
      const remembered = known.remember(name, { ...sending, at: call.monotonic, sent });
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

type Known = Nonced & { readonly at: number; readonly sent: Promise<Sent> };

type Remembered = {
  /** For a message that may or may not have been sent. */
  forget(): void;
  /** For a message that was not sent: the newest of its nonce is again the one before. */
  takeBack(): void;
};

/** Sends with a nonce, the newest of each; those from within `nonceMillisMax`, and fewer where the bounds are reached. */
const memory = ({ sendsMax, textUnitsMax }: NonceBounds) => {
  // A Map keeps the order of insertion: the first is the oldest.
  const known = new Map<string, Known>();
  let textUnits = 0;
  /** When the newest of those was sent that had to go before their time. */
  let lostAt = Number.NEGATIVE_INFINITY;

  const remove = (name: string): void => {
    textUnits -= known.get(name)?.text.length ?? 0;
    known.delete(name);
  };
  const put = (name: string, one: Known): void => {
    remove(name);
    known.set(name, one);
    textUnits += one.text.length;
  };
  const trim = (now: number): void => {
    for (const [name, { at }] of known) {
      const isOld = now - at > nonceMillisMax;
      if (!isOld && known.size <= sendsMax && textUnits <= textUnitsMax) return;
      if (!isOld) lostAt = Math.max(lostAt, at);
      remove(name);
    }
  };
  return {
    get: (name: string, { chat, text }: Nonced, now: number): Promise<Sent> | undefined => {
      const one = known.get(name);
      return one?.chat === chat && one.text === text && now - one.at <= nonceMillisMax ? one.sent : undefined;
    },
    has: (name: string, now: number): boolean =>
      now - (known.get(name)?.at ?? Number.NEGATIVE_INFINITY) <= nonceMillisMax,
    remember: (name: string, one: Known): Remembered => {
      const before = known.get(name);
      put(name, one);
      trim(one.at);
      const forget = (): boolean => {
        const isNewest = known.get(name) === one;
        if (isNewest) remove(name);
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

type SentMessage = Pick<MessageDocument, 'chat' | 'text' | 'id' | 'sentAt'>;
type SentBefore = ReadonlyMap<bigint, SentMessage>;

/** The newest of each nonce that the session has sent, on any node, by now. */
const sentUpTo = async (reads: Reads, call: Call): Promise<SentBefore> => {
  await call.upToDateWithLog('messages');
  const sent = new Map<bigint, SentMessage>();
  const since = (call.now - nonceMillisMax) as Millis;
  const metered = meteredReads(reads, call);
  for await (const { nonce, chat, text, id, sentAt } of sentBySession(metered, call.caller.session, since)) {
    if (nonce !== undefined && !sent.has(nonce)) sent.set(nonce, { chat, text, id, sentAt });
  }
  return sent;
};

/** The time at which a session came to this node, and the messages it had sent by then. */
type Arrival = { readonly at: number; readonly sent: Promise<SentBefore> };

const arrivalsOf = (reads: Reads) => {
  // A caller is one object for as long as their session has a connection to this node.
  const arrivals = new WeakMap<Caller, Arrival>();
  return {
    of: (call: Call): Arrival => {
      const before = arrivals.get(call.caller);
      if (before !== undefined) return before;
      const arrival = { at: call.monotonic, sent: sentUpTo(reads, call) };
      arrivals.set(call.caller, arrival);
      return arrival;
    },
    again: (call: Call): void => {
      arrivals.delete(call.caller);
    },
  };
};
