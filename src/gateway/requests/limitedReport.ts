import type { Timers } from '../../kernel/ports/leases.js';
import { boundedMap } from '../../kernel/boundedMap.js';
import type { AdmissionNeeds, Limited } from './admission.js';
import { networkOf } from './rateLimits.js';

/** A sender who is limited for so long is worth a line for the operator. */
export const limitedMillisMin = 60_000;

/** Limits that are so far apart are not one stretch. */
export const limitedPauseMillisMax = 15_000;

/** Of one sender a line is written this often at most. */
export const limitedLineMillisMin = 600_000;

/** Senders of whom it is remembered since when they are limited. */
const sendersMax = 10_000;

/** Characters that say whether two lines are about the same address, and not which. */
const hiddenUnits = 12;

export type LimitedReportNeeds = {
  readonly timers: Pick<Timers, 'now'>;
  readonly count: (limited: Pick<Limited, 'limit' | 'rpc' | 'how'>) => void;
  readonly warn: (details: object, message: string) => void;
  /** A keyed hash. */
  readonly hidden: (address: string) => string;
};

type Stretch = { since: number; last: number; lineAt: number | undefined; requests: number };

/** Counts requests that were limited, and tells the operator of a user or an address that is limited for a minute. */
export const limitedReport = (needs: LimitedReportNeeds): AdmissionNeeds['limited'] => {
  const { timers, count, warn, hidden } = needs;
  const stretches = boundedMap<string, Stretch>({ entriesMax: sendersMax });
  return (limited) => {
    const { limit, rpc, how, asker } = limited;
    count({ limit, rpc, how });
    const now = timers.now();
    const user = asker.session?.caller.user.toString();
    const key = user ?? networkOf(asker.address);
    const stretch = stretches.get(key) ?? { since: now, last: now, lineAt: undefined, requests: 0 };
    if (now - stretch.last > limitedPauseMillisMax) [stretch.since, stretch.requests] = [now, 0];
    stretch.last = now;
    stretch.requests += 1;
    stretches.set(key, stretch);
    if (now - stretch.since < limitedMillisMin || now - (stretch.lineAt ?? -Infinity) < limitedLineMillisMin) return;
    stretch.lineAt = now;
    const sender = user === undefined ? { address: hidden(key).slice(0, hiddenUnits) } : { user };
    const seconds = Math.round((now - stretch.since) / 1_000);
    warn({ ...sender, limit, rpc, requests: stretch.requests, seconds }, 'a client is at its limits for a minute');
  };
};
