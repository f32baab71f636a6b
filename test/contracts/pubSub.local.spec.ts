import assert from 'node:assert/strict';
import { it } from 'node:test';
import { localPubSub } from '../../src/adapters/pubsub/local.js';
import { pubSubContract } from './pubSub.js';

pubSubContract('local', () => {
  const bus = localPubSub({ onListenerError: () => undefined });
  return { here: bus, there: bus };
});

it('local pub/sub: tells of what a listener throws, and is silent once closed', async () => {
  const errors: unknown[] = [];
  const bus = localPubSub({ onListenerError: (error, topic) => errors.push([error, topic]) });
  const failure = new Error('a listener of the test fails');
  await bus.subscribe('topic', () => {
    throw failure;
  });
  await bus.publish('topic', new Uint8Array());
  await bus.close();
  await bus.publish('topic', new Uint8Array());
  assert.deepEqual(errors, [[failure, 'topic']]);
});
