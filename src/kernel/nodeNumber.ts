import { skewMillisMax, type CheckedClock } from './checkedClock.js';
import { millisOf, nodeMax, snowflakes, type Millis } from './ids.js';
import { idTime, type IdTime } from './idTime.js';
import { heldMillisMax, LeaseLost, lookMillis, type Lease, type Leases, type Timers } from './ports/leases.js';
import { readClocks, renewal, type Renewal } from './renewal.js';
import { wakeablePauses } from './timing.js';

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
  /** Compared with the clock of the leases' store before the first id, and again with each renewal. */
  readonly clock: CheckedClock;
  /** Besides the monotonic clock, as for a renewal. */
  readonly uptime: Pick<Timers, 'now'>;
  /** The time of the highest id in the log: the clock may be behind it, and ids must not be. */
  readonly after: Millis;
  /** The store of leases failed, or the number was lost. It is tried again until there is one. */
  readonly onTrouble: (error: unknown) => void;
};

/** So far the time in ids may run ahead of the clock between two renewals, when very many are made or others are ahead. */
export const aheadMillisMax = 1_000 + skewMillisMax;

/** So far ahead a holder reserves time for ids, and writes the mark: the time ends no sooner than the holder does. */
export const reservedMillis = heldMillisMax + aheadMillisMax;

export const nodeLease = (number: number): string => `node-${number.toString()}`;

/**
 * Resolves once there is a number. A node that loses its number makes no more ids, and looks for another number.
 *
 * With the lease its holder leaves the time up to which ids may carry the number, and makes none beyond it. A node that
 * finds a time there that is not over yet passes that number by, so no two ids are the same, also when a holder died.
 */
export const nodeNumber = async (needs: NodeNumberNeeds): Promise<NodeNumber> => {
  const closing = new AbortController();
  const time = idTime(needs);
  const { pause } = wakeablePauses(needs.timers, closing.signal);
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
      await pause(lookMillis);
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
    // The next millisecond, because within one the higher number of a node makes the higher id.
    saw: (id) => {
      time.reach((millisOf(id) + 1) as Millis);
      holding?.keepUp();
    },
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

type Holding = {
  readonly number: number;
  readonly renewing: Renewal;
  /** Throws `LeaseLost` beyond what is reserved. */
  readonly next: () => bigint;
  /** Reserves more time now if ids of others have moved the time for ids beyond the reserved one. */
  readonly keepUp: () => void;
  readonly giveBack: () => Promise<void>;
};

/** One look at each number, the lowest first. Those of dead nodes can be had once all others are taken. */
const anyNumber = async (needs: NodeNumberNeeds, time: IdTime): Promise<Holding | undefined> => {
  await needs.clock.check(() => needs.leases.time());
  for (let number = 0; number <= nodeMax; number += 1) {
    const asked = readClocks(needs);
    const lease = await needs.leases.take(nodeLease(number));
    if (lease === undefined) continue;
    if (lease.note >= BigInt(time.now())) {
      // A number that was just given back, or somebody's clock is ahead: that time is not over.
      await lease.release(lease.note);
      continue;
    }
    const reserved = reservation(lease, time, needs);
    if (!(await reserved.renew())) continue;
    const renewing = renewal(lease, asked, { ...needs, renew: reserved.renew });
    const keepUp = (): void => {
      if (time.now() > reserved.until()) renewing.soon();
    };
    return { number, renewing, keepUp, next: madeWith(number, time, reserved), giveBack: reserved.giveBack };
  }
  return undefined;
};

/** Ids may carry the number up to this time. It is with the lease, and the mark is there, before it is used. */
type Reservation = {
  readonly until: () => number;
  /** Reserves up to that time and somewhat beyond, at once. False where that has to wait for a renewal. */
  readonly extend: (to: Millis) => boolean;
  readonly renew: () => Promise<boolean>;
  readonly giveBack: () => Promise<void>;
};

const reservation = (lease: Lease, time: IdTime, { leases, clock }: NodeNumberNeeds): Reservation => {
  const { mark } = leases;
  let until = 0;
  const wanted = (): Millis => (time.now() + reservedMillis) as Millis;
  return {
    until: () => until,
    extend: (to) => {
      // Other nodes read the reserved time in the lease where they can take it, and that needs a renewal.
      if (lease.fence !== undefined || mark.raiseNow === undefined) return false;
      mark.raiseNow((to + reservedMillis) as Millis);
      until = to + reservedMillis;
      return true;
    },
    renew: async () => {
      await clock.check(() => leases.time());
      const to = wanted();
      const [isHeld] = await Promise.all([lease.renew(BigInt(to)), mark.raise(to)]);
      if (isHeld && to > until) until = to;
      return isHeld;
    },
    giveBack: () => lease.release(BigInt(time.now())),
  };
};

const madeWith = (number: number, time: IdTime, reserved: Reservation): (() => bigint) => {
  // After the last one made under another number, which may have had a higher one in the same millisecond.
  time.reach((time.now() + 1) as Millis);
  const make = snowflakes(number, time.now);
  return () => {
    const id = make();
    const at = millisOf(id);
    // Made faster than the clock counts milliseconds, ids run ahead of it.
    time.reach(at);
    if (at > reserved.until() && !reserved.extend(at)) throw new LeaseLost('the time for ids');
    return id;
  };
};
