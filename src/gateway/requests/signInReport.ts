import type { Timers } from '../../kernel/ports/leases.js';

/** One line for each network in this time, with the number of each kind. */
export const reportMillis = 60_000;

/** Networks that have a line of their own; the others of the minute share one. */
export const reportedNetworksMax = 1_000;

/** `limited`: refused because of a budget, so nothing was compared. */
export type SignInFailure = 'wrongPasswords' | 'refusedTokens' | 'limited';

/** Tells the operator who tries to get in and does not. */
export interface SignInReport {
  noted(failure: SignInFailure, network: string): void;
  /** Writes the lines of the minute that has begun. */
  close(): void;
}

export type SignInReportNeeds = {
  readonly log: (details: object, message: string) => void;
  readonly count: (failure: SignInFailure) => void;
  /** A keyed hash, because the log must not hold addresses in the clear. */
  readonly keyed: (text: string) => string;
  readonly timers: Pick<Timers, 'later'>;
};

type Counts = Partial<Record<SignInFailure, number>>;

/** In hexadecimal digits: enough to tell networks apart, and to find one again in the lines of other days. */
const networkDigits = 16;

export const signInReport = ({ log, count, keyed, timers }: SignInReportNeeds): SignInReport => {
  const ofNetworks = new Map<string, Counts>();
  let ofOthers: Counts = {};
  let stop: (() => void) | undefined;

  const close = (): void => {
    stop?.();
    stop = undefined;
    for (const [network, counts] of ofNetworks) {
      log({ network: keyed(`log:${network}`).slice(0, networkDigits), ...counts }, message);
    }
    if (Object.keys(ofOthers).length > 0) log({ network: 'others', ...ofOthers }, message);
    ofNetworks.clear();
    ofOthers = {};
  };

  return {
    close,
    noted: (failure, network) => {
      count(failure);
      stop ??= timers.later(reportMillis, close);
      const known = ofNetworks.get(network);
      if (known !== undefined || ofNetworks.size < reportedNetworksMax) {
        ofNetworks.set(network, plusOne(known ?? {}, failure));
      } else ofOthers = plusOne(ofOthers, failure);
    },
  };
};

const message = 'failed to get in within the last minute';

const plusOne = (counts: Counts, failure: SignInFailure): Counts => ({
  ...counts,
  [failure]: (counts[failure] ?? 0) + 1,
});
