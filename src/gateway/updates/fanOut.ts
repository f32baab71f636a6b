import type { Logger } from 'pino';
import { accountEvents, type AccountEvent } from '../../domain/accounts/events.js';
import { affectsPermissions } from '../../domain/registry.js';
import { readEvent, type EventCodec } from '../../kernel/codec.js';
import type { EventOf, Metadata, Position, Recorded } from '../../kernel/event.js';
import type { Trouble } from '../../kernel/outages.js';
import { partOf } from '../../kernel/parts.js';
import type { EventLog, StoredEvent, Subscription } from '../../kernel/ports/eventLog.js';
import type { Timers } from '../../kernel/ports/leases.js';
import { SealBroken, type Sealer } from '../../kernel/ports/sealer.js';
import { pause } from '../../kernel/timing.js';
import type { Reason } from '../../kernel/reasons.js';
import { slicesOf, type Slices } from '../../kernel/slices.js';
import { Misshapen } from '../../kernel/schema.js';
import type { ActJudge } from '../contract/judge.js';
import type { Follower } from '../contract/readModels.js';
import { gatheredParts, type GatheredParts } from './gatheredParts.js';
import { decidedAct } from './judge.js';
import { areMergeable, mergeDeliveries } from './mergeDeliveries.js';
import { sender, type Ready, type Sender } from './sender.js';
import type { Hub } from '../sessions/hub.js';
import { Unavailable } from '../contract/errors.js';
import type { Delivery } from '../contract/updates.js';
import type { UpdateRenderer } from '../contract/updateView.js';
import { UnreadableNow } from './unreadableNow.js';
import { waiters } from './waiters.js';

export type FanOutNeeds = {
  readonly log: Pick<EventLog, 'subscribe' | 'end'>;
  readonly codec: EventCodec;
  readonly sealer: Sealer;
  readonly renderer: Pick<UpdateRenderer, 'isRelevant' | 'prefetch' | 'render'>;
  readonly hub: Pick<Hub, 'deliver' | 'revoked'>;
  /** Only where nodes share the log. Nobody is sent a message, an edit or a reaction that this refuses. */
  readonly judge?: ActJudge;
  /** Called with each event, also where it concerns nobody here. */
  readonly passed?: ((stored: StoredEvent) => void) | undefined;
  /** Waits until the updates sent so far have been written to the sockets. */
  readonly flushed: () => Promise<void> | undefined;
  readonly logger: Pick<Logger, 'error' | 'warn'>;
  /** The subscription broke, and begins again. */
  readonly troubled: (trouble: Trouble) => void;
  /** So many updates were sent of what this user did. */
  readonly delivered?: (user: string, deliveries: number) => void;
  readonly timers: Timers;
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

/** The fan-out lets requests and all else in after so long. */
const sliceMillisMax = 5;

export const fanOut = (needs: FanOutNeeds): FanOut => {
  const { log, logger, count } = needs;
  const sending = sender(needs);
  const parts = gatheredParts({ timers: needs.timers, send: sending.send, overdue: sending.counted });
  const slices = slicesOf(needs.timers, sliceMillisMax);
  const waiting = waiters(() => new Unavailable('the server is stopping'));
  const state = { lastAt: undefined as number | undefined };
  let subscription: Subscription | undefined;
  let pauseMillis = 0;
  const closing = new AbortController();
  const isClosed = (): boolean => closing.signal.aborted;
  let finished: Promise<void> = Promise.resolve();

  const handled = (stored: StoredEvent): void => {
    waiting.advance(stored.position);
    needs.passed?.(stored);
    state.lastAt = stored.at;
  };
  const follow = async (): Promise<void> => {
    while (!isClosed()) {
      try {
        subscription = log.subscribe(waiting.position());
        for await (const batch of subscription) {
          await renderBatch({ needs, sending, parts, slices, handled }, batch);
          pauseMillis = 0;
        }
        if (isClosed()) return;
        logger.warn({ position: waiting.position().toString() }, 'the log ended the subscription of the fan-out');
      } catch (error) {
        needs.troubled({ doing: 'sending updates', error });
      }
      count('resubscriptions', 1);
      await pause(pauseMillis, closing.signal);
      pauseMillis = Math.min(Math.max(pauseMillis * 2, resubscribeMillisMin), resubscribeMillisMax);
    }
  };
  return {
    position: waiting.position,
    reached: waiting.reached,
    isRunning: () => !isClosed() && pauseMillis < brokenMillisMin,
    lastAt: () => state.lastAt,
    start: async () => {
      waiting.advance(await log.end());
      finished = follow();
    },
    close: async () => {
      closing.abort();
      subscription?.close();
      await finished;
      parts.release();
      waiting.close();
    },
  };
};

type Rendering = {
  readonly needs: FanOutNeeds;
  readonly sending: Sender;
  readonly parts: GatheredParts;
  readonly slices: Slices;
  /** The event was rendered and folded. */
  readonly handled: (stored: StoredEvent) => void;
};

const renderBatch = async (
  { needs, sending, parts, slices, handled }: Rendering,
  batch: readonly StoredEvent[],
): Promise<void> => {
  const unnumbered = mergingNeighbours(sending);
  slices.begin();
  const flush = async (): Promise<void> => {
    await sending.rest(slices.turn);
    sending.counted();
    await needs.flushed();
  };
  needs.renderer.prefetch(batch);
  for (const stored of batch) {
    parts.passed();
    let heading: Heading | undefined;
    let ready: Ready | undefined;
    try {
      heading = headingOf(needs, stored);
      // Those who lose sight of something are sent what happened before that.
      if (heading?.cares === true && affectsPermissions(heading)) parts.release();
      const rendering = heading === undefined ? undefined : readyOf(needs, stored, heading);
      ready = rendering instanceof Promise ? await rendering : rendering;
    } catch (err) {
      // Left out, it would be missing in the documents in memory for ever after, so the subscription begins again with
      // it.
      if (err instanceof UnreadableNow) {
        unnumbered.release();
        await flush();
        throw err;
      }
      // One event that cannot be rendered must not keep everybody from hearing of the rest.
      const { position, type } = stored;
      needs.logger.error({ err, position: position.toString(), type }, 'an event could not be told');
      needs.count('failures', 1);
    }
    const part = heading && partOf(heading.metadata);
    if (heading !== undefined && part !== undefined) {
      unnumbered.release();
      parts.came(requestOf(heading.metadata), part, ready);
    } else if (heading !== undefined && ready !== undefined) unnumbered.take(heading.metadata, ready);
    handled(stored);
    const waiting = sending.isFull() ? flush() : slices.turn();
    if (waiting !== undefined) await waiting;
  }
  unnumbered.release();
  await flush();
};

const requestOf = ({ $correlationId, $causationId }: Metadata): string => `${$correlationId} ${$causationId}`;

/** Events of one request that say nothing of its parts, of an older release, are merged where they stand next to each other. */
const mergingNeighbours = ({ send }: Sender) => {
  let held: (Ready & { readonly request: string }) | undefined;
  const release = (): void => {
    if (held !== undefined) send(held);
    held = undefined;
  };
  return {
    release,
    take: ({ $correlationId, about }: Metadata, ready: Ready): void => {
      const request = `${$correlationId} ${about}`;
      const both = held?.request === request ? mergeDeliveries(held.deliveries, ready.deliveries) : undefined;
      if (both === undefined) release();
      held = { request, ...ready, deliveries: both ?? ready.deliveries };
      if (!areMergeable(ready.deliveries)) release();
    },
  };
};

type Heading = {
  /** The name of the fact. */
  readonly type: string;
  readonly metadata: Metadata;
  /** Somebody here may hear of it. */
  readonly cares: boolean;
};

const headingOf = ({ codec, renderer }: FanOutNeeds, stored: StoredEvent): Heading | undefined => {
  const type = codec.factOf(stored);
  if (type === undefined) return undefined;
  const metadata = codec.metadata(stored);
  return { type, metadata, cares: renderer.isRelevant(metadata.about, type) };
};

/** `undefined` when nobody here cares: then the body is not even parsed. */
const readyOf = (
  needs: FanOutNeeds,
  stored: StoredEvent,
  heading: Heading,
): Ready | undefined | Promise<Ready | undefined> => {
  if (!heading.cares && heading.type !== accountEvents.SessionRevoked.type) return undefined;
  const event = read(needs, stored);
  if (!(event instanceof Promise)) return rendered(needs, event, heading);
  return event.then((opened) => rendered(needs, opened, heading));
};

/** A record that is damaged will not get better; anything else will, and is worth waiting for. */
const read = (needs: FanOutNeeds, stored: StoredEvent): ReturnType<typeof readEvent> => {
  const event = readEvent(needs.codec, needs.sealer, stored);
  if (!(event instanceof Promise)) return event;
  return event.catch((error: unknown) => {
    if (error instanceof Misshapen || error instanceof SealBroken) throw error;
    throw new UnreadableNow(stored.position, error);
  });
};

const rendered = (
  { renderer, hub, judge }: FanOutNeeds,
  event: Recorded | undefined,
  { cares, metadata: { about, actor, asOf } }: Heading,
): Ready | undefined | Promise<Ready | undefined> => {
  if (event === undefined) return undefined;
  if (isRevocation(event) && !cares) hub.revoked(event.data.session);
  if (!cares) return undefined;
  const act = asOf === undefined ? undefined : decidedAct(event);
  const refusal = act && judge?.refusalOf(act);
  const { position } = event;
  const render = () => renderer.render(event);
  const deliveries = refusal === undefined ? render() : unlessRefused(position, refusal, render);
  const ready = (made: readonly Delivery[]): Ready => ({ deliveries: made, about, actor, position });
  return deliveries instanceof Promise ? deliveries.then(ready) : ready(deliveries);
};

const unlessRefused = async (
  position: Position,
  refusal: Promise<Reason | undefined>,
  render: () => readonly Delivery[] | Promise<readonly Delivery[]>,
): Promise<readonly Delivery[]> => {
  // Judged first, because one that cannot be judged now is met again, and an event is folded once.
  const reason = await refusal.catch((error: unknown) => {
    throw new UnreadableNow(position, error);
  });
  // Folded like any other also when it is refused, because what takes it back is as well.
  const items = await render();
  return reason === undefined ? items : items.filter(({ tellsOthers }) => tellsOthers);
};

// The type says which event it is.
const isRevocation = (event: Recorded): event is Recorded<EventOf<AccountEvent, 'SessionRevoked'>> =>
  event.type === accountEvents.SessionRevoked.type;
