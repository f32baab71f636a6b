import { randomBytes } from 'node:crypto';
import type { PubSub } from '../../kernel/ports/pubSub.js';
import type { RedisClient } from '../redis/client.js';
import type { RedisConnection } from '../redis/connection.js';
import type { RedisCommand } from '../redis/pipeline.js';
import { localPubSub, type LocalPubSubOptions } from './local.js';

export type RedisPubSubNeeds = LocalPubSubOptions & {
  readonly redis: Pick<RedisClient, 'commands' | 'subscriptions'>;
  /** Default: `detected`, which is `sharded` from Redis 7 on. All nodes must use the same. */
  readonly channels?: 'detected' | 'sharded' | 'plain';
  /** The prefix of the names of all channels. Default: `channelPrefix`. */
  readonly prefix?: string;
};

export const channelPrefix = 'osmium:';

/**
 * Carries messages between the nodes of one Redis. Subscribers on the publishing node hear it without Redis, and before
 * all others, so that a node alone is as good as one without Redis.
 */
export const redisPubSub = (needs: RedisPubSubNeeds): PubSub => {
  const { redis, channels = 'detected', prefix = channelPrefix } = needs;
  const { commands, subscriptions } = redis;
  const local = localPubSub(needs);
  const self = randomBytes(senderBytes);
  const subscribers = new Map<string, number>();
  const on = (connection: RedisConnection, verb: Verb, topic: string): RedisCommand => {
    const isSharded = channels === 'detected' ? connection.hasShardedChannels : channels === 'sharded';
    return [isSharded ? `S${verb}` : verb, prefix + topic];
  };
  const tell = (verb: Verb, topic: string): Promise<void> =>
    done(subscriptions.send(...on(subscriptions, verb, topic)));

  const stop = subscriptions.onUsable(() => {
    for (const topic of subscribers.keys()) void tell('SUBSCRIBE', topic);
  });
  subscriptions.onMessage((channel, message) => {
    if (!channel.startsWith(prefix) || self.equals(message.subarray(0, senderBytes))) return;
    void local.publish(channel.slice(prefix.length), message.subarray(senderBytes));
  });

  const leave = async (topic: string): Promise<void> => {
    const left = (subscribers.get(topic) ?? 0) - 1;
    if (left > 0) subscribers.set(topic, left);
    else if (subscribers.delete(topic)) await tell('UNSUBSCRIBE', topic);
  };
  return {
    publish: async (topic, message) => {
      await local.publish(topic, message);
      await done(commands.send(...on(commands, 'PUBLISH', topic), Buffer.concat([self, message])));
    },
    subscribe: async (topic, listener) => {
      const unsubscribe = await local.subscribe(topic, listener);
      subscribers.set(topic, (subscribers.get(topic) ?? 0) + 1);
      // Also for the second subscriber: the answer to the first one may still be on its way.
      await tell('SUBSCRIBE', topic);
      let left = false;
      return async () => {
        if (left) return;
        left = true;
        await unsubscribe();
        await leave(topic);
      };
    },
    close: async () => {
      stop();
      const topics = [...subscribers.keys()];
      subscribers.clear();
      await local.close();
      await Promise.all(topics.map((topic) => tell('UNSUBSCRIBE', topic)));
    },
  };
};

type Verb = 'PUBLISH' | 'SUBSCRIBE' | 'UNSUBSCRIBE';

/** Each message begins with a random name of the one who published it, which is how a node knows its own. */
const senderBytes = 8;

/** Without Redis nobody else hears it; the connection counts and tells what went wrong. */
const done = async (sent: Promise<unknown>): Promise<void> => {
  await sent.catch(() => undefined);
};
