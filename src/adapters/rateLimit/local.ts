import type { Timers } from '../../kernel/ports/leases.js';
import type { Allowance, RateLimit, Verdict } from '../../kernel/ports/rateLimit.js';

export type LocalRateLimitNeeds = {
  readonly timers: Pick<Timers, 'now'>;
  /** Default: `bucketsMax`. */
  readonly bucketsMax?: number;
};

/** About 20 MB. */
export const bucketsMax = 100_000;

/**
 * Token buckets in this process. When there are too many, those that are full again are forgotten, since they say
 * nothing; if that is not enough, those that were used longest ago.
 */
export const localRateLimit = (needs: LocalRateLimitNeeds): RateLimit => {
  const { timers } = needs;
  const most = needs.bucketsMax ?? bucketsMax;
  // In the order of their last use.
  const buckets = new Map<string, Bucket>();
  const makeRoom = (now: number): void => {
    if (buckets.size < most) return;
    for (const [key, { fullAt }] of buckets) if (fullAt <= now) buckets.delete(key);
    // A tenth at a time, so that the search above is rare.
    const kept = most * 0.9;
    for (const key of buckets.keys()) {
      if (buckets.size <= kept) return;
      buckets.delete(key);
    }
  };
  return {
    take: (allowance, of) => {
      const now = timers.now();
      makeRoom(now);
      const key = `${allowance.name} ${of}`;
      const { verdict, tokens } = taken(allowance, buckets.get(key), now);
      buckets.delete(key);
      buckets.set(key, { tokens, at: now, fullAt: now + millisToGain(allowance, allowance.burst - tokens) });
      return verdict;
    },
    close: () => {
      buckets.clear();
      return Promise.resolve();
    },
  };
};

type Bucket = { readonly tokens: number; readonly at: number; readonly fullAt: number };

const taken = (
  allowance: Allowance,
  bucket: Bucket | undefined,
  now: number,
): { readonly verdict: Verdict; readonly tokens: number } => {
  const { burst, perSecond } = allowance;
  const seconds = bucket === undefined ? 0 : (now - bucket.at) / 1_000;
  const tokens = bucket === undefined ? burst : Math.min(burst, bucket.tokens + seconds * perSecond);
  if (tokens > 1 - roundingMax) return { verdict: { allowed: true }, tokens: Math.max(0, tokens - 1) };
  return { verdict: { allowed: false, retryAfterSeconds: millisToGain(allowance, 1 - tokens) / 1_000 }, tokens };
};

/** Thirds and tenths of tokens do not add up to whole ones. */
const roundingMax = 1e-6;

const millisToGain = ({ perSecond }: Allowance, tokens: number): number => Math.ceil((tokens / perSecond) * 1_000);
