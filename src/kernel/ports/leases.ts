import type { Millis } from '../ids.js';

/**
 * Rights that one holder has at a time, over all nodes. No promise rests on clocks that agree: a holder shows that it
 * is there by raising a counter, and only who has seen the counter stand still for `leaseMillis` of their own monotonic
 * clock may take the lease from it.
 */
export interface Leases {
  /**
   * One look, without waiting: the lease, when nobody has it or its holder is seen to have stood still for long enough;
   * otherwise undefined, and the look is remembered. So who wants the lease of a dead holder looks again and again,
   * every `lookMillis` or so. Of several who take it at once one gets it. Rejects when the store cannot be reached; the
   * lease may have been taken all the same, and is then given to the next who looks through these same `Leases`.
   */
  take(name: string): Promise<Lease | undefined>;
  /**
   * The time that the clock of the store showed at some moment of the call; undefined where the store is this process, which has
   * no other clock. Rejects when the store cannot be reached.
   */
  time(): Promise<Millis | undefined>;
  readonly mark: IdMark;
  close(): Promise<void>;
}

/**
 * The time up to which the ids of any node may go, in Unix milliseconds. It only grows, and outlives all nodes. A node
 * raises it before the node makes ids of that time.
 */
export interface IdMark {
  /** Undefined when no node has ever raised it, or the record is damaged. Rejects when it cannot be read. */
  read(): Promise<Millis | undefined>;
  /** Leaves a mark that is higher as it is. Durable when resolved. Rejects when the store cannot be reached. */
  raise(to: Millis): Promise<void>;
  /** The same while the caller waits, a few milliseconds. Only where no other process shares the mark. Throws when it cannot be written. */
  raiseNow?(to: Millis): void;
}

/** A lease that was taken. */
export interface Lease {
  readonly name: string;
  /**
   * Higher than that of every holder before, so that a late write of a former holder can be recognised and refused.
   * Undefined where no other process can take the lease: then it cannot be lost, need not be renewed, and there is
   * nobody to fence off.
   */
  readonly fence: bigint | undefined;
  /** The note that the last holder left with the lease, 0n when none did. */
  readonly note: bigint;
  /**
   * Shows that the holder is there, and leaves the note with the lease where one is given. False: the lease is somebody
   * else's, for good. Rejects when the store cannot be reached; whether it was renewed is then unknown, and it may be
   * renewed again.
   */
  renew(note?: bigint): Promise<boolean>;
  /** Others can take it at once. Does nothing when it is somebody else's already. */
  release(note?: bigint): Promise<void>;
}

/** How long a holder must be seen to stand still before another one takes its lease. */
export const leaseMillis = 6_000;

/** A holder that could not renew for so long no longer counts itself as one; the rest is for what it has under way. */
export const heldMillisMax = 5_000;

/** How often a lease is renewed, and how soon again after that failed. */
export const renewMillis = 2_000;
export const renewAgainMillis = 500;

/** How often somebody looks who waits for a lease. */
export const lookMillis = 1_000;

/** Time that only goes forward, and work that is done later. Tests pass their own. */
export interface Timers {
  /** Milliseconds of a monotonic clock. */
  now(this: void): number;
  /** Does the work once, after so many milliseconds, unless the answer is called before. */
  later(millis: number, work: () => void): () => void;
}

/**
 * Work that needs the lease cannot be done now, because this process does not hold it or cannot know whether it does.
 */
export class LeaseLost extends Error {
  constructor(what: string) {
    super(`${what} is not held by this node right now`);
    this.name = 'LeaseLost';
  }
}
