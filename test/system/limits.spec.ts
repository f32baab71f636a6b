import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { connect } from '../../src/client/client.js';
import { RequestRefused } from '../../src/client/errors.js';
import { nodeSocket } from '../../src/client/nodeSocket.js';
import { budgetTable } from '../../src/gateway/requests/budgets.js';
import { limitTable } from '../../src/gateway/requests/rateLimits.js';
import { testServer } from '../support/server.js';

/** A client on a server whose limits are on, and the close codes that the client has seen. */
const limitedClient = async (t: TestContext) => {
  const server = await testServer({ environment: { OSMIUM_RATE_LIMITS: 'on' } });
  t.after(() => server.remove());
  const closes: number[] = [];
  const options = { openSocket: nodeSocket, onDisconnected: (code: number) => closes.push(code) };
  const client = await connect({ url: server.url, ...options });
  t.after(() => client.close());
  await client.signUp({ name: 'Ada' });
  return { client, closes };
};

const refusalsIn = (settled: readonly PromiseSettledResult<unknown>[]): readonly unknown[] =>
  settled.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []));

describe('our client at a limit', () => {
  it('has all its messages sent, the last ones later, because what is a little too early waits', async (t) => {
    const { client, closes } = await limitedClient(t);
    const sends = Array.from({ length: budgetTable.messages.burst + 5 }, (_, index) =>
      client.call('messages.sendMessage', { chatRef: { self: {} }, message: index.toString() }),
    );
    await Promise.all(sends);
    const { messages } = await client.call('messages.getHistory', { chatRef: { self: {} }, limit: 100 });
    const inOrder = Array.from(sends, (_, index) => index.toString());
    assert.deepEqual(messages.map(({ message }) => message).reverse(), inOrder);
    assert.deepEqual(closes, []);
  });

  it('hears of a limit of one kind with the seconds, stays connected, and goes on with the rest', async (t) => {
    const { client, closes } = await limitedClient(t);
    const { burst } = limitTable.creation.allowance;
    const settled = await Promise.allSettled(
      Array.from({ length: burst + 3 }, () => client.call('communities.createCommunity', { name: 'Engines' })),
    );
    const refusals = refusalsIn(settled);
    assert.equal(refusals.length, 3);
    for (const refusal of refusals) {
      assert.ok(refusal instanceof RequestRefused);
      assert.ok(refusal.code === 429 && (refusal.retryAfterSeconds ?? 0) >= 9);
    }
    await client.call('messages.sendMessage', { chatRef: { self: {} }, message: 'still here' });
    assert.deepEqual(closes, []);
  });
});
