import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { connect, type Client } from '../../src/client/client.js';
import { RequestRefused } from '../../src/client/errors.js';
import { nodeSocket } from '../../src/client/nodeSocket.js';
import type { MessageId } from '../../src/kernel/ids.js';
import type { Disk } from '../../src/kernel/ports/system.js';
import { testServer, type TestServer } from '../support/server.js';

const chatRef = { self: {} };

const clientOf = async (t: TestContext, { url }: TestServer): Promise<Client> => {
  const client = await connect({ url, openSocket: nodeSocket });
  t.after(() => client.close());
  return client;
};

/** The refusal of a request. */
const refusalOf = async (asked: Promise<unknown>): Promise<RequestRefused> => {
  try {
    await asked;
  } catch (error) {
    if (error instanceof RequestRefused) return error;
    throw error;
  }
  throw new Error('it was carried out');
};

const diskWith = (freeBytes: number): Disk => ({ room: () => Promise.resolve({ freeBytes, totalBytes: 2 ** 40 }) });

describe('a server whose disk is nearly full', () => {
  it('says so to who writes, while people come back, read, delete and leave', async (t) => {
    const roomy = await testServer();
    t.after(() => roomy.remove());
    const before = await clientOf(t, roomy);
    await before.signUp({ name: 'Ada' });
    const sentMessage = await before.call('messages.sendMessage', { chatRef, message: 'before' });
    const token = before.token ?? '';
    await roomy.close();

    const full = await testServer({ dataDir: roomy.dataDir, disk: diskWith(2 ** 30 - 1) });
    t.after(() => full.close());
    const after = await clientOf(t, full);
    await after.authorize(token);
    const refusal = await refusalOf(after.call('messages.sendMessage', { chatRef, message: 'after' }));
    assert.deepEqual([refusal.code, refusal.message.includes('the disk is nearly full')], [503, true]);
    const history = async (): Promise<number> => (await after.call('messages.getHistory', { chatRef })).messages.length;
    assert.equal(await history(), 1);
    await after.call('messages.deleteMessage', { chatRef, messageIds: [sentMessage.messageId] });
    assert.equal(await history(), 0);
    await after.call('auth.revokeSessions', { sessionIds: [] });
  });
});

describe('a user who has written as much as a user may in a day', () => {
  it('is told when to come again, without rate limits as well, and may read and delete', async (t) => {
    const server = await testServer({ environment: { OSMIUM_WRITTEN_PER_USER_MIB: '1' } });
    t.after(() => server.remove());
    const [client, other] = [await clientOf(t, server), await clientOf(t, server)];
    for (const one of [client, other]) await one.signUp({ name: 'Ada' });
    const sent: MessageId[] = [];
    const send = async (one: Client): Promise<void> => {
      const sentMessage = await one.call('messages.sendMessage', { chatRef, message: '漢'.repeat(4_000) });
      sent.push(sentMessage.messageId);
    };
    // A message of 12,000 bytes takes 16 KiB once it is sealed.
    let refusal: RequestRefused | undefined;
    for (let sends = 0; refusal === undefined && sends < 100; sends += 1) {
      await send(client).catch((error: unknown) => (refusal = error as RequestRefused)); // Nothing else is thrown.
    }
    assert.ok(sent.length > 60 && sent.length < 66);
    assert.equal(refusal?.code, 429);
    assert.ok((refusal.retryAfterSeconds ?? 0) >= 1);
    await client.call('messages.deleteMessage', { chatRef, messageIds: sent.slice(0, 1) });
    await client.call('messages.getHistory', { chatRef });
    await send(other);
  });
});
