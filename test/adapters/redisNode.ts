import { redisPresence } from '../../src/adapters/presence/redis.js';
import type { Millis, SessionId, UserId } from '../../src/kernel/ids.js';
import { plainPresenceSeal } from '../support/presence.js';
import { openTestRedis } from '../support/redis.js';

// Run as a process of its own, to be killed: enters a user into the presence that all share, and says so.
const [url = '', prefix = '', lifetimeMillis = '', user = ''] = process.argv.slice(2);

const redis = await openTestRedis(url);
const presence = await redisPresence({
  redis,
  seal: plainPresenceSeal,
  prefix,
  lifetimeMillis: Number(lifetimeMillis),
  onListenerError: () => undefined,
});
await presence.put({
  user: BigInt(user) as UserId,
  session: 1n as SessionId,
  status: 'online',
  activities: [],
  lastActive: 0 as Millis,
});
console.log('entered');
