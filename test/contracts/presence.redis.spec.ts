import { redisPresence } from '../../src/adapters/presence/redis.js';
import type { Presence } from '../../src/kernel/ports/presence.js';
import { plainPresenceSeal } from '../support/presence.js';
import { freshPrefix, onRedis, openTestRedis } from '../support/redis.js';
import { presenceContract } from './presence.js';

onRedis('presence: redis', (url) => {
  presenceContract('redis', async () => {
    const prefix = freshPrefix();
    const node = async (): Promise<Presence> => {
      const redis = await openTestRedis(url);
      const presence = await redisPresence({
        redis,
        seal: plainPresenceSeal,
        prefix,
        onListenerError: () => undefined,
      });
      return {
        put: (entry) => presence.put(entry),
        remove: (user, session) => presence.remove(user, session),
        of: (users) => presence.of(users),
        keep: (stated) => presence.keep(stated),
        kept: (user, session) => presence.kept(user, session),
        close: async () => {
          await presence.close();
          await redis.close();
        },
      };
    };
    return { here: await node(), there: await node() };
  });
});
