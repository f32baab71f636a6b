import { redisRateLimit } from '../../src/adapters/rateLimit/redis.js';
import { luaScript } from '../../src/adapters/redis/script.js';
import { systemTimers } from '../../src/adapters/system/timers.js';
import { freshPrefix, keysOf, onRedis, openTestRedis } from '../support/redis.js';
import { rateLimitContract } from './rateLimit.js';

/** What Redis would have after so many milliseconds: its clock cannot be moved, so everything else is. */
const passing = luaScript(`
for _, key in ipairs(KEYS) do
  local tokens, at = redis.call('GET', key):match('^(%S+) (%S+)$')
  local left = redis.call('PTTL', key) - ARGV[1]
  if left > 0 then
    redis.call('SET', key, string.format('%s %.3f', tokens, at - ARGV[1]), 'PX', math.ceil(left))
  else
    redis.call('DEL', key)
  end
end
`);

onRedis('rate limit: redis', (url) => {
  rateLimitContract('redis', async () => {
    const redis = await openTestRedis(url);
    const prefix = freshPrefix();
    const limit = redisRateLimit({ redis, prefix, timers: systemTimers, hidden: (of) => of });
    return {
      limit: {
        take: (allowance, of) => limit.take(allowance, of),
        giveBack: (allowance, of) => limit.giveBack(allowance, of),
        close: async () => {
          await limit.close();
          await redis.close();
        },
      },
      pass: async (seconds) => {
        await redis.commands.run(passing, await keysOf(redis, prefix), [seconds * 1_000]);
      },
    };
  });
});
