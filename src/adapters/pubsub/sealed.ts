import type { PresenceSeal } from '../../kernel/ports/presence.js';
import type { PubSub } from '../../kernel/ports/pubSub.js';

/**
 * Seals the messages of some topics, which are texts, on their way through a server that others may look into: presses of
 * buttons and the answers of bots have words in them. A message that does not open is not heard.
 */
export const sealedPubSub = (pubSub: PubSub, seal: PresenceSeal, topics: ReadonlySet<string>): PubSub => ({
  publish: (topic, message) =>
    pubSub.publish(topic, topics.has(topic) ? Buffer.from(seal.seal(topic, textOf(message))) : message),
  subscribe: (topic, listener) =>
    pubSub.subscribe(topic, (message) => {
      const plain = topics.has(topic) ? seal.open(topic, textOf(message)) : message;
      if (plain === undefined) throw new Error(`a message of the topic ${topic} does not open`);
      listener(typeof plain === 'string' ? Buffer.from(plain) : plain);
    }),
  close: () => pubSub.close(),
});

const textOf = (message: Uint8Array): string => Buffer.from(message).toString();
