import { redisPubSub } from '../../src/adapters/pubsub/redis.js';
import type { PubSub } from '../../src/kernel/ports/pubSub.js';
import { freshPrefix, onRedis, openTestRedis } from '../support/redis.js';
import { pubSubContract } from './pubSub.js';

for (const channels of ['sharded', 'plain'] as const) {
  const name = `redis, ${channels} channels`;
  onRedis(`pub/sub: ${name}`, (url) => {
    pubSubContract(name, async () => {
      const prefix = freshPrefix();
      const node = async (): Promise<PubSub> => {
        const redis = await openTestRedis(url);
        const bus = redisPubSub({ redis, channels, prefix, onListenerError: () => undefined });
        const close = async (): Promise<void> => {
          await bus.close();
          await redis.close();
        };
        return { ...bus, close };
      };
      return { here: await node(), there: await node() };
    });
  });
}
