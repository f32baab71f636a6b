import type { Timers } from '../../kernel/ports/leases.js';
import type { Allowance, RateLimit, Verdict } from '../../kernel/ports/rateLimit.js';

export type LocalRateLimitNeeds = {
  readonly timers: Pick<Timers, 'now'>;
  /** Default: `bucketsMax`. */
  readonly bucketsMax?: number;
};

/** About 20 MB. */
export const bucketsMax = 100_000;

/** How many of the buckets used longest ago are looked at with each take, to forget those that are full again. */
export const examinedPerTakeMax = 4;

/**
 * Token buckets in this process. Above half of their number, those that are full again are forgotten little by little,
 * since they say nothing; when there are too many even so, those that were used longest ago go.
 */
export const localRateLimit = (needs: LocalRateLimitNeeds): RateLimit => {
  const { timers } = needs;
  const most = needs.bucketsMax ?? bucketsMax;
  // In the order of their last use.
  const buckets = new Map<string, Bucket>();
  // An iterator of a Map sees what is added and removed behind its back, so the search goes on where it was. One that is
  // kept without going on would keep every former table of the Map in memory.
  let search: ReturnType<typeof buckets.entries> | undefined;
  const makeRoom = (now: number): void => {
    if (buckets.size <= most / 2) {
      search = undefined;
      return;
    }
    search ??= buckets.entries();
    for (let examined = 0; examined < examinedPerTakeMax; examined += 1) {
      const found = search.next();
      if (found.done === true) {
        search = undefined;
        break;
      }
      const [key, { fullAt }] = found.value;
      if (fullAt <= now) buckets.delete(key);
    }
    const oldest = buckets.keys().next();
    if (buckets.size >= most && oldest.done !== true) buckets.delete(oldest.value);
  };
  const set = (allowance: Allowance, key: string, { tokens, now }: { tokens: number; now: number }): void => {
    buckets.delete(key);
    buckets.set(key, { tokens, at: now, fullAt: now + millisToGain(allowance, allowance.burst - tokens) });
  };
  return {
    take: (allowance, of) => {
      const now = timers.now();
      makeRoom(now);
      const key = keyOf(allowance, of);
      const { verdict, tokens } = taken(allowance, buckets.get(key), now);
      set(allowance, key, { tokens, now });
      return verdict;
    },
    giveBack: (allowance, of) => {
      const key = keyOf(allowance, of);
      const bucket = buckets.get(key);
      // A bucket that was forgotten is as good as full.
      if (bucket === undefined) return;
      const now = timers.now();
      set(allowance, key, { tokens: Math.min(allowance.burst, tokensOf(allowance, bucket, now) + 1), now });
    },
    close: () => {
      buckets.clear();
      return Promise.resolve();
    },
  };
};

const keyOf = ({ name }: Allowance, of: string): string => `${name} ${of}`;

type Bucket = { readonly tokens: number; readonly at: number; readonly fullAt: number };

const taken = (
  allowance: Allowance,
  bucket: Bucket | undefined,
  now: number,
): { readonly verdict: Verdict; readonly tokens: number } => {
  const tokens = tokensOf(allowance, bucket, now);
  if (tokens > 1 - roundingMax) return { verdict: { allowed: true }, tokens: Math.max(0, tokens - 1) };
  return { verdict: { allowed: false, retryAfterSeconds: millisToGain(allowance, 1 - tokens) / 1_000 }, tokens };
};

const tokensOf = ({ burst, perSecond }: Allowance, bucket: Bucket | undefined, now: number): number =>
  bucket === undefined ? burst : Math.min(burst, bucket.tokens + ((now - bucket.at) / 1_000) * perSecond);

/** Thirds and tenths of tokens do not add up to whole ones. */
const roundingMax = 1e-6;

const millisToGain = ({ perSecond }: Allowance, tokens: number): number => Math.ceil((tokens / perSecond) * 1_000);
