import type { Logger } from 'pino';
import type { Position } from '../../kernel/event.js';
import type { Slices } from '../../kernel/slices.js';
import type { Delivery } from '../contract/updates.js';
import type { Hub } from '../sessions/hub.js';
import { isLatestOnly, latestDeliveries, type HeldDelivery } from './latestDeliveries.js';

/** The deliveries of an event, and what else it takes to send them. */
export type Ready = {
  readonly deliveries: readonly Delivery[];
  /** The topic. */
  readonly about: string;
  /** The user on whose request the event happened. */
  readonly actor: string | undefined;
  readonly position: Position;
};

export type SenderNeeds = {
  readonly hub: Pick<Hub, 'deliver'>;
  /** So many updates were sent of what this user did. */
  readonly delivered?: (user: string, deliveries: number) => void;
  readonly count: (what: 'deliveries' | 'failures', by: number) => void;
  readonly logger: Pick<Logger, 'error'>;
};

/** Sends deliveries, but holds those that a later one of the same flush may supersede. The user pays on whose request they are made. */
export interface Sender {
  /** Never throws: a delivery that cannot be sent is logged, and must not keep anybody from hearing of the rest. */
  send(this: void, ready: Ready): void;
  /** Sends what is held, of one thing after the other. A delivery that cannot be sent is logged, as with `send`. */
  rest(turn: Slices['turn']): Promise<void>;
  /** Counts the deliveries since it was called last. */
  counted(this: void): void;
  /** So much is held, or was sent and is not written, that it is to be flushed before more comes. */
  isFull(): boolean;
}

/** Updates that a later one may supersede are held until the flush, which comes at once where they are more than so many. */
export const supersededMax = 10_000;

/** So much is put into the outboxes before they are written, so that a long batch is no flood. */
export const deliveriesPerFlushMax = 100_000;

export const sender = ({ hub, delivered, count, logger }: SenderNeeds): Sender => {
  const latest = latestDeliveries();
  let uncounted = 0;
  // Where the sessions stand that were sent something. An update that was held is sent behind what came after its event.
  let sentUpTo: Position | undefined;

  const deliver = (deliveries: readonly Delivery[], actor: string | undefined): void => {
    const made = hub.deliver(deliveries, sentUpTo);
    uncounted += made;
    if (actor !== undefined) delivered?.(actor, made);
  };
  const unlessFailing = (position: Position | undefined, deliverSome: () => void): void => {
    try {
      deliverSome();
    } catch (err) {
      logger.error({ err, position: position?.toString() }, 'an update could not be sent');
      count('failures', 1);
    }
  };
  /** Each alone: they are of several events, and held no more. */
  const deliverHeld = (held: readonly HeldDelivery[]): void => {
    for (const one of held) {
      unlessFailing(sentUpTo, () => {
        deliver([one], one.actor);
      });
    }
  };
  const sendEach = ({ deliveries, about, actor }: Ready): void => {
    if (latest.size() === 0 && !deliveries.some(isLatestOnly)) {
      deliver(deliveries, actor);
      return;
    }
    for (const delivery of deliveries) {
      if (isLatestOnly(delivery)) latest.add(about, { actor, ...delivery });
      else {
        deliverHeld(latest.before(about));
        deliver([delivery], actor);
      }
    }
  };
  return {
    send: (ready) => {
      const { position } = ready;
      if (sentUpTo === undefined || position > sentUpTo) sentUpTo = position;
      unlessFailing(position, () => {
        sendEach(ready);
      });
    },
    rest: async (turn) => {
      for (const held of latest.all()) {
        deliverHeld(held);
        const waiting = turn();
        if (waiting !== undefined) await waiting;
      }
    },
    isFull: () => uncounted > deliveriesPerFlushMax || latest.size() > supersededMax,
    counted: () => {
      count('deliveries', uncounted);
      uncounted = 0;
    },
  };
};
