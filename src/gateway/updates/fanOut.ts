import type { Logger } from 'pino';
import { accountEvents, type AccountEvent } from '../../domain/accounts/events.js';
import { messageEvents, type MessageEvent } from '../../domain/messages/events.js';
import { readEvent, type EventCodec } from '../../kernel/codec.js';
import type { EventOf, Position, Recorded } from '../../kernel/event.js';
import type { EventLog, StoredEvent, Subscription } from '../../kernel/ports/eventLog.js';
import { SealBroken, type Sealer } from '../../kernel/ports/sealer.js';
import type { Reason } from '../../kernel/reasons.js';
import { Misshapen } from '../../kernel/schema.js';
import type { MessageJudge } from '../contract/messageJudge.js';
import type { Follower } from '../contract/readModels.js';
import { isLatestOnly, latestDeliveries, type HeldDelivery } from './latestDeliveries.js';
import { decidedMessage } from './messageJudge.js';
import { areMergeable, mergeDeliveries } from './mergeDeliveries.js';
import type { Hub } from '../sessions/hub.js';
import { Unavailable } from '../contract/errors.js';
import type { Delivery } from '../contract/updates.js';
import type { UpdateRenderer } from '../contract/updateView.js';
import { waiters } from './waiters.js';

export type FanOutNeeds = {
  readonly log: Pick<EventLog, 'subscribe' | 'end'>;
  readonly codec: EventCodec;
  readonly sealer: Sealer;
  readonly renderer: Pick<UpdateRenderer, 'isRelevant' | 'prefetch' | 'render'>;
  readonly hub: Pick<Hub, 'deliver' | 'revoked'>;
  /** Only where nodes share the log. Nobody is sent a message that this refuses. */
  readonly judge?: MessageJudge;
  /** Called with each event, also where it concerns nobody here. */
  readonly passed?: ((stored: StoredEvent) => void) | undefined;
  /** Waits until the updates sent so far have been written to the sockets. */
  readonly flushed: () => Promise<void> | undefined;
  readonly logger: Pick<Logger, 'error' | 'warn'>;
  /** So many updates were sent of what this user did. */
  readonly delivered?: (user: string, deliveries: number) => void;
  readonly count: (what: 'deliveries' | 'failures' | 'resubscriptions', by: number) => void;
};

/** Sends updates to connected clients, in log order. */
export interface FanOut extends Follower {
  /** Begins at the end of the log. Clients are sent the updates of the events after it. */
  start(): Promise<void>;
  /** False while the subscription breaks again and again. */
  isRunning(): boolean;
  /** When the log took in the last event that this has handled. */
  lastAt(): number | undefined;
  close(): Promise<void>;
}

/** After a subscription broke: at once the first time, then each time twice as late, up to this. */
export const resubscribeMillisMax = 10_000;
const resubscribeMillisMin = 20;
const brokenMillisMin = 1_000;

/** So much is put into the outboxes before they are written, so that a long batch is no flood. */
export const deliveriesPerFlushMax = 100_000;

export const fanOut = (needs: FanOutNeeds): FanOut => {
  const { log, logger, count } = needs;
  const waiting = waiters(() => new Unavailable('the server is stopping'));
  const state = { lastAt: undefined as number | undefined };
  let subscription: Subscription | undefined;
  let pause = 0;
  let closed = false;
  let finished: Promise<void> = Promise.resolve();
  let wake = (): void => undefined;

  const follow = async (): Promise<void> => {
    while (!isClosed()) {
      try {
        subscription = log.subscribe(waiting.position());
        for await (const batch of subscription) {
          await tellBatch(needs, batch, (stored) => {
            waiting.advance(stored.position);
            needs.passed?.(stored);
            state.lastAt = stored.at;
          });
          pause = 0;
        }
        if (isClosed()) return;
        logger.warn({ position: waiting.position().toString() }, 'the log ended the subscription of the fan-out');
      } catch (err) {
        logger.error({ err, position: waiting.position().toString() }, 'the subscription of the fan-out broke');
      }
      count('resubscriptions', 1);
      await sleep(pause);
      pause = Math.min(Math.max(pause * 2, resubscribeMillisMin), resubscribeMillisMax);
    }
  };
  // Read through a function: the loop above awaits, and the compiler takes the variable for unchanged.
  const isClosed = (): boolean => closed;

  const sleep = (millis: number): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, millis);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });

  return {
    position: waiting.position,
    reached: waiting.reached,
    isRunning: () => !closed && pause < brokenMillisMin,
    lastAt: () => state.lastAt,
    start: async () => {
      waiting.advance(await log.end());
      finished = follow();
    },
    close: async () => {
      closed = true;
      subscription?.close();
      wake();
      await finished;
      waiting.close();
    },
  };
};

type Held = Ready & { readonly position: Position };

/** Updates that a later one may supersede are held until the flush; with more than so many they are sent before. */
export const supersededMax = 10_000;

/** Sends what is not held any longer, and counts deliveries. The user pays on whose request they are made. */
const sender = ({ hub, delivered }: Pick<FanOutNeeds, 'hub' | 'delivered'>) => {
  const latest = latestDeliveries();
  const deliver = (told: readonly Delivery[], actor: string | undefined, position: Position | undefined): number => {
    const deliveries = hub.deliver(told, position);
    if (actor !== undefined) delivered?.(actor, deliveries);
    return deliveries;
  };
  const deliverHeld = (held: readonly HeldDelivery[], position: Position | undefined): number =>
    held.reduce((deliveries, one) => deliveries + deliver([one], one.actor, position), 0);
  return {
    send: ({ told, about, actor, position }: Held): number => {
      if (latest.size() === 0 && !told.some(isLatestOnly)) return deliver(told, actor, position);
      let deliveries = 0;
      for (const delivery of told) {
        if (isLatestOnly(delivery)) latest.add(about, { ...delivery, actor });
        else deliveries += deliverHeld(latest.before(about), position) + deliver([delivery], actor, position);
      }
      return latest.size() > supersededMax ? deliveries + deliverHeld(latest.all(), position) : deliveries;
    },
    rest: (position: Position | undefined): number => deliverHeld(latest.all(), position),
  };
};

/** The events of one request stand next to each other in the log, so deliveries that can be merged wait for the next event. */
const tellBatch = async (
  needs: FanOutNeeds,
  batch: readonly StoredEvent[],
  handled: (stored: StoredEvent) => void,
): Promise<void> => {
  const sending = sender(needs);
  let held: Held | undefined;
  let last: Position | undefined;
  let deliveries = 0;
  const release = (): void => {
    if (held !== undefined) deliveries += sending.send(held);
    last = held?.position ?? last;
    held = undefined;
  };
  const flush = async (): Promise<void> => {
    deliveries += sending.rest(last);
    needs.count('deliveries', deliveries);
    deliveries = 0;
    await needs.flushed();
  };
  needs.renderer.prefetch(batch);
  for (const stored of batch) {
    try {
      const telling = toldOf(needs, stored);
      const told = telling instanceof Promise ? await telling : telling;
      if (told !== undefined) {
        const next = { ...told, position: stored.position };
        const both = held?.request === next.request ? mergeDeliveries(held.told, next.told) : undefined;
        if (both === undefined) release();
        held = { ...next, told: both ?? next.told };
        if (next.request === '') release();
      }
    } catch (err) {
      // Left out, it would be missing in the documents in memory for ever after, so the subscription begins again with
      // it.
      if (err instanceof UnreadableNow) {
        release();
        await flush();
        throw err;
      }
      // One event that cannot be rendered must not keep everybody from hearing of the rest.
      const { position, type } = stored;
      needs.logger.error({ err, position: position.toString(), type }, 'an event could not be told');
      needs.count('failures', 1);
    }
    handled(stored);
    if (deliveries > deliveriesPerFlushMax) await flush();
  }
  release();
  await flush();
};

/** `request` names the request and the topic; it is empty for updates that are sent by themselves. */
type Ready = {
  readonly told: readonly Delivery[];
  /** The topic. */
  readonly about: string;
  readonly request: string;
  /** The user on whose request the event happened. */
  readonly actor: string | undefined;
};

/** `undefined` when nobody here cares: then the body is not even parsed. */
const toldOf = (needs: FanOutNeeds, stored: StoredEvent): Ready | undefined | Promise<Ready | undefined> => {
  const fact = needs.codec.factOf(stored);
  if (fact === undefined) return undefined;
  const { about, actor, $correlationId, asOf } = needs.codec.metadata(stored);
  const cares = needs.renderer.isRelevant(about, fact);
  if (!cares && fact !== accountEvents.SessionRevoked.type) return undefined;
  const from = { cares, about, actor, request: `${$correlationId} ${about}` };
  const event = read(needs, stored);
  const found = { ...from, isDecided: asOf !== undefined };
  if (!(event instanceof Promise)) return telling(needs, event, found);
  return event.then((opened) => telling(needs, opened, found));
};

/** The keys of an event cannot be had right now. */
class UnreadableNow extends Error {
  constructor(position: Position, cause: unknown) {
    super(`the event at ${position.toString()} cannot be read now`, { cause });
    this.name = 'UnreadableNow';
  }
}

/** A record that is damaged will not get better; anything else will, and is worth waiting for. */
const read = (needs: FanOutNeeds, stored: StoredEvent): ReturnType<typeof readEvent> => {
  const event = readEvent(needs.codec, needs.sealer, stored);
  if (!(event instanceof Promise)) return event;
  return event.catch((error: unknown) => {
    if (error instanceof Misshapen || error instanceof SealBroken) throw error;
    throw new UnreadableNow(stored.position, error);
  });
};

const telling = (
  { renderer, hub, judge }: FanOutNeeds,
  event: Recorded | undefined,
  { cares, isDecided, ...from }: Found,
): Ready | undefined | Promise<Ready | undefined> => {
  if (event === undefined) return undefined;
  if (isRevocation(event) && !cares) hub.revoked(event.data.session);
  if (!cares) return undefined;
  const refusal = isDecided && isSent(event) ? judge?.refusalOf(decidedMessage(event)) : undefined;
  const render = () => renderer.render(event);
  if (refusal !== undefined)
    return unlessRefused(event.position, refusal, render).then((items) => readyOf(items, from));
  const told = render();
  return told instanceof Promise ? told.then((items) => readyOf(items, from)) : readyOf(told, from);
};

/** `isDecided`: it says as of when its right was looked at. */
type Found = { readonly cares: boolean; readonly isDecided: boolean } & Omit<Ready, 'told'>;

const unlessRefused = async (
  position: Position,
  refusal: Promise<Reason | undefined>,
  render: () => readonly Delivery[] | Promise<readonly Delivery[]>,
): Promise<readonly Delivery[]> => {
  // Judged first, because one that cannot be judged now is met again, and an event is folded once.
  const reason = await refusal.catch((error: unknown) => {
    throw new UnreadableNow(position, error);
  });
  // Folded like any other also when it is refused, because the deletion that follows is as well.
  const items = await render();
  return reason === undefined ? items : [];
};

const readyOf = (told: readonly Delivery[], { about, request, actor }: Omit<Ready, 'told'>): Ready => ({
  told,
  about,
  request: areMergeable(told) ? request : '',
  actor,
});

// The type says which event it is.
const isRevocation = (event: Recorded): event is Recorded<EventOf<AccountEvent, 'SessionRevoked'>> =>
  event.type === accountEvents.SessionRevoked.type;

const isSent = (event: Recorded): event is Recorded<EventOf<MessageEvent, 'MessageSent'>> =>
  event.type === messageEvents.MessageSent.type;
