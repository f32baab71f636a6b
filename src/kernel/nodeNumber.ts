import { millisOf, nodeMax, snowflakes, type Millis } from './ids.js';
import { heldMillisMax, LeaseLost, lookMillis, type Lease, type Leases, type Timers } from './ports/leases.js';
import type { Clock } from './ports/system.js';
import { momentOf, renewal, type Renewal } from './renewal.js';

/** The number that this node's ids carry. It is held under a lease, so that no other node has the same. */
export interface NodeNumber {
  /** The next id of this node, larger than every one before it. Throws `LeaseLost` while no number is held. */
  next(this: void): bigint;
  /** Somebody's id came by: those that are made from now on are newer, so that an answer comes after its question. */
  saw(this: void, id: bigint): void;
  /** Undefined while none is held. */
  held(this: void): number | undefined;
  /** Gives the number back. */
  close(): Promise<void>;
}

export type NodeNumberNeeds = {
  readonly leases: Leases;
  readonly timers: Timers;
  readonly clock: Clock;
  /** Ids are later than this: the log may be ahead of a clock that stepped back. */
  readonly after: Millis;
  /** The store of leases failed, or the number was lost. It is tried again until there is one. */
  readonly onTrouble: (error: unknown) => void;
};

/** Another node's clock is followed for so long; one that is further ahead is wrong, and must not spoil all others. */
export const skewMillisMax = 2_000;

/** So far the time in ids may run ahead of the clock between two renewals, when very many are made or others are ahead. */
export const aheadMillisMax = 1_000 + skewMillisMax;

/** Up to this time in the future a holder reserves ids: they end no sooner than the holder does. */
export const reservedMillis = heldMillisMax + aheadMillisMax;

export const nodeLease = (number: number): string => `node-${number.toString()}`;

/**
 * Resolves once there is a number. Whoever loses it makes no more ids, and looks for another one.
 *
 * With the lease its holder leaves the time up to which ids may carry the number, and makes none beyond it. Who finds
 * a time there that is not over yet passes that number by: so no two ids are the same, whoever died and when.
 */
export const nodeNumber = async (needs: NodeNumberNeeds): Promise<NodeNumber> => {
  const closing = new AbortController();
  const time = timeOf(needs);
  let holding: Holding | undefined;
  let seeking: Promise<void> = Promise.resolve();

  const seek = async (): Promise<void> => {
    while (!closing.signal.aborted) {
      holding = await anyNumber(needs, time).catch((error: unknown) => {
        needs.onTrouble(error);
        return undefined;
      });
      if (holding !== undefined) {
        whenLost(holding);
        return;
      }
      await pause(needs.timers, closing.signal);
    }
  };
  const whenLost = (lost: Holding): void => {
    const { signal } = lost.renewing;
    const again = (): void => {
      if (closing.signal.aborted) return;
      holding = undefined;
      needs.onTrouble(new LeaseLost(`the number ${lost.number.toString()}`));
      seeking = lost.giveBack().catch(needs.onTrouble).then(seek);
    };
    if (signal.aborted) again();
    else signal.addEventListener('abort', again);
  };
  await seek();
  return {
    next: () => {
      if (holding?.renewing.isHeld() !== true) throw new LeaseLost('a number for ids');
      return holding.next();
    },
    saw: time.saw,
    held: () => (holding?.renewing.isHeld() === true ? holding.number : undefined),
    close: async () => {
      closing.abort();
      await seeking;
      const last = holding;
      holding = undefined;
      last?.renewing.stop();
      await last?.giveBack().catch(needs.onTrouble);
    },
  };
};

/** The time for ids: never before one that was made or seen here. */
type Time = { readonly now: () => Millis; readonly saw: (id: bigint) => void; readonly made: (id: bigint) => Millis };

const timeOf = ({ clock, after }: Pick<NodeNumberNeeds, 'clock' | 'after'>): Time => {
  let latest = after;
  return {
    now: () => later(clock.now(), latest),
    made: (id) => (latest = later(latest, millisOf(id))),
    saw: (id) => {
      // The next millisecond: within one, the higher number of a node makes the higher id.
      const next = (millisOf(id) + 1) as Millis;
      if (next > latest && next - clock.now() <= skewMillisMax) latest = next;
    },
  };
};

const later = (one: Millis, other: Millis): Millis => (one > other ? one : other);

type Holding = {
  readonly number: number;
  readonly renewing: Renewal;
  /** Throws `LeaseLost` beyond what is reserved. */
  readonly next: () => bigint;
  readonly giveBack: () => Promise<void>;
};

/** One look at each number, the lowest first. Those of dead nodes can be had once all others are taken. */
const anyNumber = async (needs: NodeNumberNeeds, time: Time): Promise<Holding | undefined> => {
  for (let number = 0; number <= nodeMax; number += 1) {
    const asked = momentOf(needs);
    const lease = await needs.leases.take(nodeLease(number));
    if (lease === undefined) continue;
    if (lease.note >= BigInt(time.now())) {
      // A number that was just given back, or somebody's clock is ahead: that time is not over.
      await lease.release(lease.note);
      continue;
    }
    const reserved = reservation(lease, time);
    if (!(await reserved.renew())) continue;
    const renewing = renewal(lease, asked, { ...needs, renew: reserved.renew });
    return { number, renewing, next: madeWith(number, time, reserved), giveBack: reserved.giveBack };
  }
  return undefined;
};

/** Ids may carry the number up to this time. It is with the lease before it is used. */
type Reservation = {
  readonly until: () => number;
  readonly renew: () => Promise<boolean>;
  readonly giveBack: () => Promise<void>;
};

const reservation = (lease: Lease, time: Time): Reservation => {
  // Where nobody else can take the lease there is nobody to reserve anything from.
  let until = lease.fence === undefined ? Number.POSITIVE_INFINITY : 0;
  return {
    until: () => until,
    renew: async () => {
      const wanted = time.now() + reservedMillis;
      const isHeld = await lease.renew(BigInt(wanted));
      if (isHeld && wanted > until) until = wanted;
      return isHeld;
    },
    giveBack: () => lease.release(BigInt(time.now())),
  };
};

const madeWith = (number: number, time: Time, reserved: Reservation): (() => bigint) => {
  // After the last one made under another number, which may have had a higher one in the same millisecond.
  const first = (time.now() + 1) as Millis;
  const make = snowflakes(number, () => later(time.now(), first));
  return () => {
    const id = make();
    if (time.made(id) > reserved.until()) throw new LeaseLost('the time for ids');
    return id;
  };
};

const pause = (timers: Timers, closing: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const over = (): void => {
      cancel();
      closing.removeEventListener('abort', over);
      resolve();
    };
    const cancel = timers.later(lookMillis, over);
    closing.addEventListener('abort', over);
  });
