import { heldMillisMax, renewAgainMillis, renewMillis, type Lease, type Timers } from './ports/leases.js';
import type { Clock } from './ports/system.js';

/** Keeps a lease that was taken. */
export interface Renewal {
  /** Raised when the lease is lost, or cannot be known to be held any more; and by `stop`. */
  readonly signal: AbortSignal;
  /** Exact also while timers are late. */
  isHeld(this: void): boolean;
  stop(): void;
}

export type RenewalNeeds = {
  readonly timers: Timers;
  /**
   * Besides the monotonic clock, which on many systems stands still while the machine sleeps. When either of them says
   * that the lease is too old, it is.
   */
  readonly clock: Clock;
  /** One try; like that of the lease itself. */
  readonly renew: () => Promise<boolean>;
  readonly onTrouble: (error: unknown) => void;
};

export type Moment = { readonly monotonic: number; readonly wall: number };
export const momentOf = ({ timers, clock }: Pick<RenewalNeeds, 'timers' | 'clock'>): Moment => ({
  monotonic: timers.now(),
  wall: clock.now(),
});

/** `since` is a moment before the lease was asked for: it is counted as held from then on, which is on the safe side. */
export const renewal = ({ fence }: Pick<Lease, 'fence'>, since: Moment, needs: RenewalNeeds): Renewal => {
  const ending = new AbortController();
  const { signal } = ending;
  if (fence === undefined) return { signal, isHeld: () => !signal.aborted, stop: stopOf(ending) };
  const { timers, renew, onTrouble } = needs;
  let renewed = since;

  const isFresh = (): boolean => {
    const { monotonic, wall } = momentOf(needs);
    return monotonic - renewed.monotonic < heldMillisMax && wall - renewed.wall < heldMillisMax;
  };
  const expire = (): void => {
    const left = heldMillisMax - (timers.now() - renewed.monotonic);
    if (left <= 0) ending.abort();
    else cancelExpiry = timers.later(left, expire);
  };
  const again = async (): Promise<void> => {
    const asked = momentOf(needs);
    let next = renewMillis;
    try {
      if (await renew()) renewed = asked;
      else ending.abort();
    } catch (error) {
      next = renewAgainMillis;
      if (!signal.aborted) onTrouble(error);
    }
    if (!signal.aborted) cancelRenewal = timers.later(next, () => void again());
  };
  let cancelExpiry = timers.later(heldMillisMax, expire);
  let cancelRenewal = timers.later(renewMillis, () => void again());
  signal.addEventListener('abort', () => {
    cancelExpiry();
    cancelRenewal();
  });
  return { signal, isHeld: () => !signal.aborted && isFresh(), stop: stopOf(ending) };
};

const stopOf = (ending: AbortController) => (): void => {
  ending.abort();
};
