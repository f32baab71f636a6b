import { lookMillis, type Lease, type Leases, type Timers } from './ports/leases.js';
import type { PubSub, Unsubscribe } from './ports/pubSub.js';
import { readClocks, renewal, type ClockReading } from './renewal.js';
import { deferred, wakeablePauses, type Deferred } from './timing.js';

/** The time in which this process holds a lease. */
export type Tenure = {
  /** Stamped on what is written, so that a later holder can keep it out; undefined when there can be no later one. */
  readonly fence: bigint | undefined;
  /** Raised when the lease is lost or is to be given back: end the work. */
  readonly signal: AbortSignal;
};

export type TenureNeeds = {
  readonly leases: Leases;
  readonly timers: Timers;
  /** Besides the monotonic clock, as for a renewal. */
  readonly uptime: Pick<Timers, 'now'>;
  /** Where others say that they gave a lease back, so that nobody need look for it first. */
  readonly pubSub?: PubSub;
  /** The store of leases failed, or the work did. It is tried again. */
  readonly onTrouble: (error: unknown) => void;
};

/** Work that one node at a time does. */
export interface Tenancy {
  /** Ends the work, waits for its end and gives the lease back. */
  close(): Promise<void>;
}

export const releasedTopic = 'leases';

/**
 * Does the work whenever this process holds the lease, for as long as it does. Work that ends by itself gives the lease
 * back, and begins again when the lease is next taken. Resolves after the first look: the work has begun by then if
 * the lease was there to be had.
 */
export const whileHeld = async (
  name: string,
  needs: TenureNeeds,
  work: (tenure: Tenure) => Promise<void>,
): Promise<Tenancy> => {
  const closing = new AbortController();
  const { pause, wake } = wakeablePauses(needs.timers, closing.signal);
  const turn = async (first: () => void): Promise<void> => {
    const asked = readClocks(needs);
    const lease = await needs.leases.take(name).catch(needs.onTrouble);
    const held = lease && holding({ lease, asked, closing: closing.signal }, needs, work);
    first();
    await held;
  };
  const firstLook: Deferred<void> = deferred();
  const run = async (): Promise<void> => {
    while (!closing.signal.aborted) {
      await turn(firstLook.resolve);
      await pause(lookMillis);
    }
    firstLook.resolve();
  };
  const unsubscribe = await heard(name, needs.pubSub, wake);
  const running = run();
  await firstLook.promise;
  return {
    close: async () => {
      closing.abort();
      await running;
      await unsubscribe();
    },
  };
};

type Holding = { readonly lease: Lease; readonly asked: ClockReading; readonly closing: AbortSignal };

const holding = async (
  { lease, asked, closing }: Holding,
  needs: TenureNeeds,
  work: (tenure: Tenure) => Promise<void>,
): Promise<void> => {
  const renewing = renewal(lease, asked, { ...needs, renew: () => lease.renew() });
  const stop = (): void => {
    renewing.stop();
  };
  closing.addEventListener('abort', stop);
  if (closing.aborted) stop();
  try {
    await work({ fence: lease.fence, signal: renewing.signal });
  } catch (error) {
    needs.onTrouble(error);
  } finally {
    closing.removeEventListener('abort', stop);
    stop();
  }
  try {
    await lease.release();
    // Only by who goes for good: otherwise they would be the first to hear it.
    if (closing.aborted) await needs.pubSub?.publish(releasedTopic, new TextEncoder().encode(lease.name));
  } catch (error) {
    // Then it lapses.
    needs.onTrouble(error);
  }
};

const heard = async (name: string, pubSub: PubSub | undefined, wake: () => void): Promise<Unsubscribe> =>
  pubSub === undefined
    ? () => Promise.resolve()
    : pubSub.subscribe(releasedTopic, (message) => {
        if (new TextDecoder().decode(message) === name) wake();
      });

/** Resolves when the signal is raised: work that lasts as long as a tenure waits for that. */
export const raised = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => {
      resolve();
    });
  });
