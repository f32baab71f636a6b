import type { Allowance, RateLimit, Verdict } from '../../kernel/ports/rateLimit.js';
import type { RedisClient } from '../redis/client.js';
import { luaScript } from '../redis/script.js';
import { localRateLimit, type LocalRateLimitNeeds } from './local.js';

export type RedisRateLimitNeeds = LocalRateLimitNeeds & {
  readonly redis: Pick<RedisClient, 'commands'>;
  /** A name, the same on all nodes, for the one who is limited: no address may stand in Redis. */
  readonly hidden: (of: string) => string;
  /** The prefix of all keys. Default: `limitPrefix`. */
  readonly prefix?: string;
};

export const limitPrefix = 'osmium:limit:';

/**
 * Token buckets that all nodes share, by the clock of Redis. While Redis is away, each node has buckets of its own; they
 * begin full, so that an interruption gives everybody one more burst.
 */
export const redisRateLimit = (needs: RedisRateLimitNeeds): RateLimit => {
  const { commands } = needs.redis;
  const prefix = needs.prefix ?? limitPrefix;
  const local = localRateLimit(needs);
  const keyOf = ({ name }: Allowance, of: string): string => `${prefix}${name}:${needs.hidden(of)}`;
  const take = async (allowance: Allowance, of: string): Promise<Verdict> => {
    try {
      return verdictOf(await commands.run(taking, [keyOf(allowance, of)], [allowance.burst, allowance.perSecond]));
    } catch {
      return local.take(allowance, of);
    }
  };
  const giveBack = async (allowance: Allowance, of: string): Promise<void> => {
    try {
      await commands.run(givingBack, [keyOf(allowance, of)], [allowance.burst, allowance.perSecond]);
    } catch {
      await local.giveBack(allowance, of);
    }
  };
  return {
    take: (allowance, of) => (commands.isUsable ? take(allowance, of) : local.take(allowance, of)),
    giveBack: (allowance, of) => (commands.isUsable ? giveBack(allowance, of) : local.giveBack(allowance, of)),
    close: () => local.close(),
  };
};

const verdictOf = (waitMillis: unknown): Verdict =>
  waitMillis === 0 ? { allowed: true } : { allowed: false, retryAfterSeconds: Number(waitMillis) / 1_000 };

/**
 * A bucket is its tokens and the time of Redis, in milliseconds, at which it had them. A full one says nothing, so it
 * expires as soon as it is.
 */
const bucketInRedis = `
local burst, perSecond = tonumber(ARGV[1]), tonumber(ARGV[2])
local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
local tokens = burst
local bucket = redis.call('GET', KEYS[1])
if bucket then
  local held, at = bucket:match('^(%S+) (%S+)$')
  -- The clock may step back: then nothing is regained, and nothing is lost.
  local seconds = math.max(0, now - tonumber(at)) / 1000
  tokens = math.min(burst, tonumber(held) + seconds * perSecond)
end
local function keep()
  local full = math.max(1, math.ceil((burst - tokens) / perSecond * 1000))
  redis.call('SET', KEYS[1], string.format('%.9f %.3f', tokens, now), 'PX', full)
end
`;

/** Answers the milliseconds until there is a token again, 0 when one was taken. */
const taking = luaScript(`${bucketInRedis}
local wait = 0
-- Thirds and tenths of tokens do not add up to whole ones.
if tokens > 1 - 1e-6 then
  tokens = math.max(0, tokens - 1)
else
  wait = math.ceil((1 - tokens) / perSecond * 1000)
end
keep()
return wait
`);

/** A bucket that has expired is as good as full. */
const givingBack = luaScript(`${bucketInRedis}
if bucket then
  tokens = math.min(burst, tokens + 1)
  keep()
end
return 0
`);
