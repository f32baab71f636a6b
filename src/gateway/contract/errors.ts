import type { RPCErrorInit } from '../../gen/core.js';
import { EventTooLarge } from '../../kernel/codec.js';
import { reject, type Rejection } from '../../kernel/decider.js';
import { VersionConflict } from '../../kernel/ports/eventLog.js';
import { LeaseLost } from '../../kernel/ports/leases.js';
import { HasherBusy } from '../../kernel/ports/system.js';
import { reasons } from '../../kernel/reasons.js';
import { ProjectionStopped, ProjectionsClosed } from '../../projections/progress/waiters.js';

/** The server cannot do this now, through no fault of the request: it is stopping, or something it needs is behind. */
export class Unavailable extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'Unavailable';
  }
}

const temporary = [Unavailable, ProjectionStopped, ProjectionsClosed, LeaseLost] as const;

/** Whether an engine failed in a way that passes: it is away, or its leader changes. */
export type IsAway = (error: unknown) => boolean;

/**
 * The rejection that a client is sent for an exception. `INTERNAL` is for those that nobody foresaw, which are bugs.
 */
export const rejectionOf = (error: unknown, isAway: IsAway): Rejection => {
  if (error instanceof VersionConflict) return reject('CONFLICT');
  if (error instanceof EventTooLarge) return reject('TOO_LARGE');
  // Not in the words of the engine: they are for the operator.
  if (isAway(error)) return reject('UNAVAILABLE');
  if (error instanceof HasherBusy) {
    return { ...reject('UNAVAILABLE', error.message), retryAfterSeconds: error.retryAfterSeconds };
  }
  const now = temporary.find((kind) => error instanceof kind);
  return now === undefined ? reject('INTERNAL') : reject('UNAVAILABLE', (error as Error).message);
};

export const rpcErrorOf = ({ rejected, detail, retryAfterSeconds }: Rejection): RPCErrorInit => {
  const { code, says } = reasons[rejected];
  const reason = detail === undefined ? says : `${says}: ${detail}`;
  const errorMessage =
    retryAfterSeconds === undefined
      ? reason
      : `${reason} (retry after ${Math.max(1, Math.ceil(retryAfterSeconds)).toString()} s)`;
  return { errorCode: code, errorMessage };
};
