import { reject, type Rejection } from '../../kernel/decider.js';
import type { Timers } from '../../kernel/ports/leases.js';
import { boundedMap } from '../../kernel/boundedMap.js';
import type { RpcName } from '../../gen/rpcs.js';
import type { Caller } from '../contract/call.js';
import type { BoundName, BoundReached } from '../contract/bounds.js';
import { rpcPolicy } from '../contract/rpcPolicy.js';
import { Bucket, type Budget } from './budgets.js';

/** Users of whom a node remembers how much they have written: so many, those who wrote last. */
export const writersMax = 50_000;

/** Bytes of events that one user may write in a day. */
export const writtenBytesPerUserMax = 1_073_741_824;

/** A user who may write again this soon is not refused. */
const shortMillisMax = 1_000;

/**
 * The bounds on what is written. They hold without rate limits as well, since a full disk stops everybody. Requests that
 * read, and those that free room, are never refused here.
 */
export interface WriteBounds {
  /** Why this request must not write now; undefined when it may, or does not. */
  refusal(this: void, asker: Writer, name: RpcName | 'malformed' | 'unknown'): WriteRefusal | undefined;
  /** Events of so many bytes were appended for this user. */
  wrote(this: void, user: string, bytes: number): void;
}

type Writer = { readonly session: { readonly caller: Caller } | undefined };

export type WriteRefusal = {
  readonly bound: Extract<BoundName, 'free_disk' | 'written_per_user'>;
  readonly rejection: Rejection;
};

export type WriteBoundsNeeds = {
  readonly timers: Pick<Timers, 'now'>;
  readonly disk: { readonly isFull: () => boolean };
  /** Default: `writtenBytesPerUserMax`. */
  readonly writtenBytesPerUserMax?: number;
  readonly reached: BoundReached;
};

/** Writes have no bounds. */
export const noWriteBounds: WriteBounds = { refusal: () => undefined, wrote: () => undefined };

export const writeBounds = (needs: WriteBoundsNeeds): WriteBounds => {
  const { timers, disk, writtenBytesPerUserMax: burst = writtenBytesPerUserMax, reached } = needs;
  const budget: Budget = { per: 'user', of: 'bytes', burst, perSecond: burst / secondsPerDay };
  const writers = boundedMap<string, Bucket>({ entriesMax: writersMax });

  const refused = (bound: WriteRefusal['bound'], rejection: Rejection): WriteRefusal => {
    reached(bound);
    return { bound, rejection };
  };

  return {
    refusal: ({ session }, name) => {
      if (name === 'malformed' || name === 'unknown' || rpcPolicy[name].stores !== 'events') return undefined;
      if (disk.isFull()) return refused('free_disk', reject('UNAVAILABLE', 'the disk is nearly full'));
      const writer = session && writers.get(session.caller.user.toString());
      const millis = writer?.millisUntil(1, timers.now()) ?? 0;
      if (millis <= shortMillisMax) return undefined;
      const tooMuch = reject('RATE_LIMITED', 'you have written as much as a user may in a day');
      return refused('written_per_user', { ...tooMuch, retryAfterSeconds: millis / 1_000 });
    },
    wrote: (user, bytes) => {
      let writer = writers.get(user);
      if (writer === undefined) writers.set(user, (writer = new Bucket(budget, timers.now())));
      // It regains what is due first: a bucket that is full keeps no more.
      writer.millisUntil(0, timers.now());
      writer.take(bytes);
    },
  };
};

const secondsPerDay = 86_400;
