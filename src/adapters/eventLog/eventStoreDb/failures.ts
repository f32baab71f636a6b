import { ErrorType } from '@eventstore/db-client';

/** How the log got into difficulties and out of them again, for metrics. */
export type EventStoreDbCount =
  | 'appends_asked_again'
  | 'appends_unknown'
  | 'append_calls_broken'
  | 'append_answers_late'
  | 'append_answers_stray'
  | 'reads_tried_again'
  | 'subscriptions_too_slow'
  | 'subscriptions_dropped'
  | 'subscriptions_ended'
  | 'subscriptions_silent'
  | 'duplicates_dropped';

export type EventStoreDbAlarm = {
  readonly doing: 'appending' | 'reading' | 'following the log';
  /** How often in a row it has failed. It goes on trying. */
  readonly failures: number;
  /** So many calls wait for that now. */
  readonly waiting: number;
  readonly error: unknown;
};

/** The counts and alarms that the parts of the adapter give of their work. */
export type Telling = {
  readonly count: (what: EventStoreDbCount, n?: number) => void;
  readonly alarm: (alarm: EventStoreDbAlarm) => void;
};

/** Nothing came for as long as we wait. */
export class Silence extends Error {
  constructor(what: string, millis: number) {
    super(`${what}: no answer within ${millis.toString()} ms`);
    this.name = 'Silence';
  }
}

/** Asking again would get the same answer. Everything else may pass: the server restarts, its leader changes. */
export const isFinal = (error: unknown): boolean => {
  const { type, code, message } = partsOf(error);
  if (type !== undefined && finalTypes.has(type)) return true;
  // How the server words a position at which no event is; of a stream, which has none, it means a fault of its own.
  if (code === unknownCode && /Unexpected ReadAllResult|Invalid ?Position/i.test(message)) return true;
  return code !== undefined && finalCodes.has(code);
};

export const isStreamNotFound = (error: unknown): boolean => partsOf(error).type === ErrorType.STREAM_NOT_FOUND;

/** The client then knows where the leader is, and goes there with the next call. */
export const isNotLeader = (error: unknown): boolean => partsOf(error).type === ErrorType.NOT_LEADER;

/**
 * Servers up to 23.10 keep 32 live events for a subscription and cut it when a burst brings more, however fast the
 * consumer is. That is normal operation.
 */
export const isTooSlow = (error: unknown): boolean => {
  const { code, message } = partsOf(error);
  return code === abortedCode && /too slow|resubscription required/i.test(message);
};

/** For reads and appends while somebody waits: the n-th pause, jittered so that nodes do not come back as one. */
export const shortPauseMillis = (failures: number): number => jittered(Math.min(50 * 2 ** (failures - 1), 2_000));

/** For subscriptions, from 0.1 s to 5 s: requests wait for 10 s at most until what follows the log has come up to it. */
export const longPauseMillis = (failures: number): number => jittered(Math.min(200 * 2 ** (failures - 1), 5_000));

const jittered = (millis: number): number => Math.round(millis * (0.5 + Math.random() / 2));

// gRPC's numbers. The client's own classes cover most, but "no connection" comes without one.
const unknownCode = 2;
const abortedCode = 10;
/** Invalid argument, permission denied, unimplemented, unauthenticated. */
const finalCodes: ReadonlySet<number> = new Set([3, 7, 12, 16]);
const finalTypes: ReadonlySet<string> = new Set([
  ErrorType.ACCESS_DENIED,
  ErrorType.STREAM_DELETED,
  ErrorType.INVALID_ARGUMENT,
  ErrorType.UNSUPPORTED,
]);

type Parts = { readonly type: string | undefined; readonly code: number | undefined; readonly message: string };

const partsOf = (error: unknown): Parts => {
  if (typeof error !== 'object' || error === null) return { type: undefined, code: undefined, message: String(error) };
  const { type, code, message } = error as { readonly [Key in keyof Parts]?: unknown }; // Checked one by one below.
  return {
    type: typeof type === 'string' ? type : undefined,
    code: typeof code === 'number' ? code : undefined,
    message: typeof message === 'string' ? message : '',
  };
};
