import type { PubSub } from '../../kernel/ports/pubSub.js';

export type LocalPubSubOptions = {
  /** Called with an error that a listener throws. The other listeners hear the message all the same. */
  readonly onListenerError: (error: unknown, topic: string) => void;
};

type Listener = (message: Uint8Array) => void;

/** Carries messages within this process: to every listener before `publish` returns. */
export const localPubSub = ({ onListenerError }: LocalPubSubOptions): PubSub => {
  // Each subscription is an object of its own, so that a function that listens twice hears twice.
  const topics = new Map<string, Set<{ readonly listener: Listener }>>();
  const queue: { readonly topic: string; readonly message: Uint8Array }[] = [];
  let delivering = false;
  let closed = false;
  const deliver = (topic: string, message: Uint8Array): void => {
    for (const { listener } of [...(topics.get(topic) ?? [])]) {
      try {
        listener(message);
      } catch (error) {
        onListenerError(error, topic);
      }
    }
  };
  // A listener may publish: that message waits until all have heard the one before.
  const deliverAll = (): void => {
    if (delivering) return;
    delivering = true;
    try {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) deliver(next.topic, next.message);
    } finally {
      delivering = false;
    }
  };
  return {
    publish: (topic, message) => {
      if (!closed && topics.has(topic)) {
        queue.push({ topic, message });
        deliverAll();
      }
      return Promise.resolve();
    },
    subscribe: (topic, listener) => {
      const subscription = { listener };
      const listeners = topics.get(topic) ?? new Set();
      if (!closed) topics.set(topic, listeners.add(subscription));
      return Promise.resolve(() => {
        listeners.delete(subscription);
        if (listeners.size === 0 && topics.get(topic) === listeners) topics.delete(topic);
        return Promise.resolve();
      });
    },
    close: () => {
      closed = true;
      topics.clear();
      return Promise.resolve();
    },
  };
};
