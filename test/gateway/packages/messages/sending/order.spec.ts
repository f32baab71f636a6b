import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { MessageEvent } from '../../../../../src/domain/messages/events.js';
import { eventKinds } from '../../../../../src/domain/registry.js';
import { eventCodec, readEvents } from '../../../../../src/kernel/codec.js';
import type { EventOf } from '../../../../../src/kernel/event.js';
import type { Bare } from '../../../../support/bare.js';
import { plainSealer } from '../../../../support/plainSealer.js';
import { ada, bob, cleo, general } from '../../../../support/house/cast.js';
import { holding } from '../../../../support/house/holding.js';
import { house, type House } from '../../../../support/house/house.js';
import type { Node } from '../../../../support/house/node.js';

let here: House;
before(async () => {
  here = await house();
});
after(() => here.close());

const sentSince = async (position: bigint): Promise<readonly Bare<EventOf<MessageEvent, 'MessageSent'>>['data'][]> => {
  const sealer = plainSealer();
  const stored = await here.log.readAll({ from: position, limit: 10_000 });
  const events = await readEvents(eventCodec(eventKinds, sealer), sealer, stored);
  return events
    .filter(({ type }) => type === 'MessageSent')
    .map(({ data }) => data as Bare<EventOf<MessageEvent, 'MessageSent'>>['data']);
};

type Request = Parameters<Node['send']>[1];

/** Messages that have to wait for different things before they can be stored. */
const kinds: readonly ((message: string, earlier: Request['replyToOld']) => Request)[] = [
  (message) => ({ message }),
  (message) => ({ message: `@user3 ${message}`, entities: [{ startIndex: 0, length: 6, username: true }] }),
  (message) => ({ message, clientId: BigInt(message) + 1n }),
  (message, replyToOld) => ({ message, replyToOld }),
  (message) => ({ message: `3 ${message}`, entities: [{ startIndex: 0, length: 1, userMention: {} }] }),
];

describe('what one connection sends into one chat', () => {
  it('is stored in the order in which it was sent, whatever each has to wait for', async () => {
    const node = await here.node();
    const earlier = await node.send(ada, { chatRef: general, message: 'first of all' });
    const start = await here.log.end();
    const requests = Array.from({ length: 60 }, (_, index) => {
      const request = kinds[index % kinds.length]?.(index.toString(), earlier);
      return { chatRef: general, ...request };
    });
    await Promise.all(requests.map((request) => node.send(bob, request)));
    const texts = (await sentSince(start)).map(({ text }) => text);
    assert.deepEqual(
      texts,
      requests.map(({ message }) => message),
    );
  });

  it('does not wait until the one before is durable', async () => {
    const log = holding(here.log);
    const node = await here.node({ log });
    const sends = ['one', 'two', 'three'].map((message) => node.send(bob, { chatRef: general, message }));
    while (log.held.length < sends.length) await new Promise(setImmediate);
    for (const release of log.held) release();
    assert.equal((await Promise.all(sends)).length, 3);
  });
});

describe('what twenty connections send into one channel at the same time', () => {
  it('has ids in log order', async () => {
    const node = await here.node();
    const start = await here.log.end();
    const sessions = Array.from({ length: 20 }, (_, index) => index + 1);
    const sends = sessions.flatMap((session) =>
      Array.from({ length: 10 }, (_, index) => {
        const request = { chatRef: general, ...kinds[(index + session) % 3]?.(index.toString(), undefined) };
        return node.ask(
          { user: [ada, bob, cleo][session % 3] ?? ada, session: BigInt(session) },
          'messagesSendMessage',
          request,
        );
      }),
    );
    const answers = await Promise.all(sends);
    const ids = (await sentSince(start)).map(({ message }) => message);
    assert.deepEqual(
      ids,
      ids.toSorted((one, other) => (one < other ? -1 : 1)),
    );
    assert.deepEqual(
      new Set(ids),
      new Set(answers.map((answer) => ('rejected' in answer ? answer.rejected : answer.sentMessage.messageId))),
    );
    assert.equal(ids.length, 200);
  });
});
