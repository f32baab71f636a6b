import type { Position } from '../../kernel/event.js';
import type { EventLog } from '../../kernel/ports/eventLog.js';
import type { Timers } from '../../kernel/ports/leases.js';
import type { EnforcementLag } from '../contract/enforcement.js';
import type { Follower } from '../contract/readModels.js';

/**
 * Bans, rights and revoked sessions hold on a node from when its fan-out has come to them. So a node whose fan-out does
 * not follow must not write: it would write what a right that is long gone allowed.
 */
export interface LagWatch extends EnforcementLag {
  start(): void;
  close(): void;
}

/** How long ago the end of the log was seen that the fan-out has not come to. */
export const behindMillisMax = 2_000;
/** How often the log is asked where it ends. */
export const endLookMillis = 250;

export type LagWatchNeeds = {
  readonly log: Pick<EventLog, 'end'>;
  readonly fanOut: Pick<Follower, 'position'>;
  readonly timers: Timers;
};

export const lagWatch = ({ log, fanOut, timers }: LagWatchNeeds): LagWatch => {
  /** An end of the log that the fan-out had not reached, and when that was seen by the monotonic clock. */
  let ahead: { readonly position: Position; readonly seenAt: number } | undefined;
  let closed = false;
  let cancel = (): void => undefined;

  const isReached = (position: Position): boolean => fanOut.position() >= position;
  const saw = (end: Position): void => {
    // The earliest one that is not reached stays, or a fan-out that stands still would never be behind for long.
    if (ahead !== undefined && !isReached(ahead.position)) return;
    ahead = isReached(end) ? undefined : { position: end, seenAt: timers.now() };
  };
  const look = (): void => {
    const lookAgain = (): void => {
      if (!closed) cancel = timers.later(endLookMillis, look);
    };
    // A log that does not say where it ends takes no events either.
    log.end().then(saw).then(lookAgain, lookAgain);
  };

  return {
    isBehind: () => ahead !== undefined && timers.now() - ahead.seenAt > behindMillisMax && !isReached(ahead.position),
    start: look,
    close: () => {
      closed = true;
      cancel();
    },
  };
};
