import { heldMillisMax, renewAgainMillis, renewMillis, type Lease, type Timers } from './ports/leases.js';

/** Keeps a lease that was taken. */
export interface Renewal {
  /** Raised when the lease is lost, or cannot be known to be held any more; and by `stop`. */
  readonly signal: AbortSignal;
  /** Exact also while timers are late. */
  isHeld(this: void): boolean;
  /** Renews now, unless that is under way. */
  soon(this: void): void;
  stop(): void;
}

export type RenewalNeeds = {
  readonly timers: Timers;
  /**
   * Milliseconds since the machine was started. Besides the monotonic clock, which on many systems stands still while
   * the machine sleeps. When either of them says that the lease is too old, it is. The wall clock would do as well, but
   * for those who set it.
   */
  readonly uptime: Pick<Timers, 'now'>;
  /** One try; like that of the lease itself. */
  readonly renew: () => Promise<boolean>;
  readonly onTrouble: (error: unknown) => void;
};

export type ClockReading = { readonly monotonic: number; readonly up: number };
export const readClocks = ({ timers, uptime }: Pick<RenewalNeeds, 'timers' | 'uptime'>): ClockReading => ({
  monotonic: timers.now(),
  up: uptime.now(),
});

/** `since` is a moment before the lease was asked for: it is counted as held from then on, which is on the safe side. */
export const renewal = ({ fence }: Pick<Lease, 'fence'>, since: ClockReading, needs: RenewalNeeds): Renewal => {
  const ending = new AbortController();
  const { signal } = ending;
  if (fence === undefined) return { signal, isHeld: () => !signal.aborted, soon: nothingToDo, stop: stopOf(ending) };
  const { timers, renew, onTrouble } = needs;
  let renewed = since;
  let isUnderWay = false;

  const isFresh = (): boolean => {
    const { monotonic, up } = readClocks(needs);
    return monotonic - renewed.monotonic < heldMillisMax && up - renewed.up < heldMillisMax;
  };
  const expire = (): void => {
    const left = heldMillisMax - (timers.now() - renewed.monotonic);
    if (left <= 0) ending.abort();
    else cancelExpiry = timers.later(left, expire);
  };
  const again = async (): Promise<void> => {
    isUnderWay = true;
    const asked = readClocks(needs);
    let next = renewMillis;
    try {
      if (await renew()) renewed = asked;
      else ending.abort();
    } catch (error) {
      next = renewAgainMillis;
      if (!signal.aborted) onTrouble(error);
    }
    isUnderWay = false;
    if (!signal.aborted) cancelRenewal = timers.later(next, () => void again());
  };
  let cancelExpiry = timers.later(heldMillisMax, expire);
  let cancelRenewal = timers.later(renewMillis, () => void again());
  signal.addEventListener('abort', () => {
    cancelExpiry();
    cancelRenewal();
  });
  const soon = (): void => {
    if (isUnderWay || signal.aborted) return;
    cancelRenewal();
    void again();
  };
  return { signal, isHeld: () => !signal.aborted && isFresh(), soon, stop: stopOf(ending) };
};

const nothingToDo = (): void => undefined;

const stopOf = (ending: AbortController) => (): void => {
  ending.abort();
};
