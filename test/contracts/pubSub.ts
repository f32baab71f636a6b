import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import type { PubSub } from '../../src/kernel/ports/pubSub.js';

/** Two ends of one bus; where there is only one process, the same object twice. */
export type PubSubPair = { readonly here: PubSub; readonly there: PubSub };

export const pubSubContract = (name: string, makePair: () => PubSubPair | Promise<PubSubPair>): void => {
  describe(`pub/sub: ${name}`, () => {
    let pair: PubSubPair | undefined;
    const ends = (): PubSubPair => {
      assert.ok(pair);
      return pair;
    };
    before(async () => {
      pair = await makePair();
    });
    after(async () => {
      await ends().here.close();
      if (ends().there !== ends().here) await ends().there.close();
    });
    delivery(ends);
    subscriptions(ends);
  });
};

const freshTopic = (): string => `test.${randomBytes(6).toString('hex')}`;
const bytes = (number: number): Uint8Array => Uint8Array.of(number);

/** Collects what is heard; `until` resolves when so many have come. */
const ear = () => {
  const heard: number[] = [];
  let wanted: { readonly count: number; readonly resolve: () => void } | undefined;
  return {
    heard,
    listener: (message: Uint8Array): void => {
      heard.push(message[0] ?? -1);
      if (wanted !== undefined && heard.length >= wanted.count) wanted.resolve();
    },
    until: (count: number): Promise<void> =>
      new Promise((resolve) => {
        if (heard.length >= count) resolve();
        else wanted = { count, resolve };
      }),
  };
};

const delivery = (ends: () => PubSubPair): void => {
  it('carries messages to every subscriber, in the order of the publisher', async () => {
    const { here, there } = ends();
    const topic = freshTopic();
    const [one, other] = [ear(), ear()];
    await here.subscribe(topic, one.listener);
    await there.subscribe(topic, other.listener);
    for (let number = 0; number < 50; number += 1) await here.publish(topic, bytes(number));
    await Promise.all([one.until(50), other.until(50)]);
    const all = Array.from({ length: 50 }, (_, number) => number);
    assert.deepEqual([one.heard, other.heard], [all, all]);
  });

  it('keeps the topics apart', async () => {
    const { here, there } = ends();
    const [topic, another] = [freshTopic(), freshTopic()];
    const [one, other] = [ear(), ear()];
    await there.subscribe(topic, one.listener);
    await there.subscribe(another, other.listener);
    await here.publish(topic, bytes(1));
    await here.publish(another, bytes(2));
    await Promise.all([one.until(1), other.until(1)]);
    assert.deepEqual([one.heard, other.heard], [[1], [2]]);
  });

  it('keeps any bytes, also none', async () => {
    const { here, there } = ends();
    const topic = freshTopic();
    const heard: number[][] = [];
    const all = Uint8Array.from({ length: 256 }, (_, index) => index);
    const done = ear();
    await there.subscribe(topic, (message) => {
      heard.push([...message]);
      done.listener(message);
    });
    await here.publish(topic, all);
    await here.publish(topic, new Uint8Array());
    await done.until(2);
    assert.deepEqual(heard, [[...all], []]);
  });

  it('does not mind that nobody listens', async () => {
    await ends().here.publish(freshTopic(), bytes(1));
    assert.ok(true);
  });
};

const subscriptions = (ends: () => PubSubPair): void => {
  it('lets the others hear what makes one listener throw', async () => {
    const { here } = ends();
    const topic = freshTopic();
    const one = ear();
    await here.subscribe(topic, () => {
      throw new Error('a listener of the test fails');
    });
    await here.subscribe(topic, one.listener);
    await here.publish(topic, bytes(1));
    await here.publish(topic, bytes(2));
    await one.until(2);
    assert.deepEqual(one.heard, [1, 2]);
  });

  it('stops calling who has unsubscribed, and nobody else', async () => {
    const { here } = ends();
    const topic = freshTopic();
    const [one, other] = [ear(), ear()];
    const unsubscribe = await here.subscribe(topic, one.listener);
    await here.subscribe(topic, other.listener);
    await here.publish(topic, bytes(1));
    await Promise.all([one.until(1), other.until(1)]);
    await unsubscribe();
    await unsubscribe();
    await here.publish(topic, bytes(2));
    await other.until(2);
    assert.deepEqual([one.heard, other.heard], [[1], [1, 2]]);
  });

  it('calls a function twice that subscribed twice, until it unsubscribes once', async () => {
    const { here } = ends();
    const topic = freshTopic();
    const one = ear();
    await here.subscribe(topic, one.listener);
    const unsubscribe = await here.subscribe(topic, one.listener);
    await here.publish(topic, bytes(1));
    await one.until(2);
    await unsubscribe();
    await here.publish(topic, bytes(2));
    await one.until(3);
    assert.deepEqual(one.heard, [1, 1, 2]);
  });

  it('lets a listener publish', async () => {
    const { here } = ends();
    const topic = freshTopic();
    const one = ear();
    await here.subscribe(topic, (message) => {
      if (message[0] === 1) void here.publish(topic, bytes(2));
    });
    await here.subscribe(topic, one.listener);
    await here.publish(topic, bytes(1));
    await one.until(2);
    assert.deepEqual(one.heard, [1, 2]);
  });
};
