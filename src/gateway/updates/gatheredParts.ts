import { eventsPerAppendMax } from '../../kernel/ports/eventLog.js';
import type { Timers } from '../../kernel/ports/leases.js';
import type { Part } from '../../kernel/parts.js';
import { areMergeable, mergeDeliveries } from './mergeDeliveries.js';
import type { Ready } from './sender.js';

/** The deliveries of requests whose events come one by one, held so that each request is one update. */
export interface GatheredParts {
  /** Counts an event of the log. Those that have waited for too many of them wait no more. */
  passed(): void;
  /**
   * One part of a request has come. Its deliveries are sent at once where they cannot be merged, and otherwise with the
   * last part. `ready` is absent when nobody is told of it.
   */
  came(request: string, part: Part, ready: Ready | undefined): void;
  /** Sends all that is held. Later parts of the same requests are sent by themselves. */
  release(): void;
}

export type GatheredPartsNeeds = {
  readonly timers: Pick<Timers, 'later'>;
  readonly send: (ready: Ready) => void;
  /** Something was sent because its time had passed, and not while an event was looked at. */
  readonly overdue: () => void;
};

/** After the first part that is held the others are waited for so long, or for so many events of the log. */
export const gatherMillisMax = 100;
export const gatherEventsMax = 1_000;

type Request = {
  /** The number of the event before the first part. */
  readonly since: number;
  /** Parts that have come. */
  parts: number;
  held: Ready | undefined;
  /** No part is waited for any more. */
  closed: boolean;
  stop: () => void;
};

export const gatheredParts = ({ timers, send, overdue }: GatheredPartsNeeds): GatheredParts => {
  // In the order of their first parts. As many at most as there are events within which they end.
  const requests = new Map<string, Request>();
  let events = 0;

  const sendHeld = (request: Request): void => {
    const { held } = request;
    request.held = undefined;
    request.stop();
    request.stop = ignored;
    if (held !== undefined) send(held);
  };
  const close = (request: Request): void => {
    request.closed = true;
    sendHeld(request);
  };
  const hold = (request: Request, ready: Ready): void => {
    const { held } = request;
    const deliveries = held?.about === ready.about ? mergeDeliveries(held.deliveries, ready.deliveries) : undefined;
    if (deliveries === undefined) sendHeld(request);
    request.held = deliveries === undefined ? ready : { ...ready, deliveries };
    if (request.stop !== ignored) return;
    request.stop = timers.later(gatherMillisMax, () => {
      close(request);
      overdue();
    });
  };

  return {
    passed: () => {
      events += 1;
      for (const [name, request] of requests) {
        if (events - request.since <= gatherEventsMax) return;
        requests.delete(name);
        close(request);
      }
    },
    came: (name, { of }, ready) => {
      // An append has no more parts than that, so this was written by something else.
      if (of > eventsPerAppendMax) {
        if (ready !== undefined) send(ready);
        return;
      }
      const request = requests.get(name) ?? { since: events, parts: 0, held: undefined, closed: false, stop: ignored };
      requests.set(name, request);
      request.parts += 1;
      if (ready !== undefined) {
        if (request.closed || !areMergeable(ready.deliveries)) send(ready);
        else hold(request, ready);
      }
      if (request.parts < of) return;
      requests.delete(name);
      close(request);
    },
    release: () => {
      for (const request of requests.values()) if (request.held !== undefined) close(request);
    },
  };
};

const ignored = (): void => undefined;
