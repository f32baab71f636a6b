import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { Client } from '../../src/client/client.js';
import { RequestRefused } from '../../src/client/errors.js';
import type { Message } from '../../src/gen/types.js';
import { testServer, type TestServer } from '../support/server.js';
import { clientOf, promised } from './fakeServer.js';

const self = { chatRef: { self: {} } };

const served = async (t: TestContext): Promise<TestServer> => {
  const server = await testServer();
  t.after(() => server.remove());
  return server;
};

/** The text of the next message that comes to this client. */
const nextText = (client: Client): Promise<string | undefined> =>
  new Promise((resolve) => {
    const stop = client.updates.on('messageCreated', ({ message }) => {
      stop();
      resolve(message?.message);
    });
  });

const historyOf = async (client: Client): Promise<readonly Message[]> =>
  (await client.call('messages.getHistory', self)).messages;

describe('a client of a whole server', () => {
  it('signs up, writes, hears of it and reads it', async (t) => {
    const client = await clientOf(t, await served(t));
    const { user } = await client.signUp({ name: 'Ada' });
    const heard = nextText(client);
    const { messageId } = await client.call('messages.sendMessage', { ...self, message: 'hello' });
    assert.equal(user?.name, 'Ada');
    assert.equal(await heard, 'hello');
    assert.deepEqual(
      (await historyOf(client)).map((message) => message.messageId),
      [messageId],
    );
  });

  it('hears of messages in the order of their ids, in a loop', async (t) => {
    const client = await clientOf(t, await served(t));
    await client.signUp({ name: 'Ada' });
    const updates = client.updates[Symbol.asyncIterator]();
    const texts = Array.from({ length: 50 }, (_, index) => index.toString());
    void Promise.all(texts.map((message) => client.call('messages.sendMessage', { ...self, message })));
    const heard: string[] = [];
    for await (const { messageCreated } of { [Symbol.asyncIterator]: () => updates }) {
      if (messageCreated?.message !== undefined) heard.push(messageCreated.message.message);
      if (heard.length === texts.length) break;
    }
    assert.deepEqual(heard, texts);
  });

  it('signs in from a second device and resumes the session of a token', async (t) => {
    const server = await served(t);
    const [first, second, third] = [await clientOf(t, server), await clientOf(t, server), await clientOf(t, server)];
    const account = { email: 'ada@example.org', password: 'a long enough password' };
    const { user } = await first.signUp({ name: 'Ada', ...account });
    await second.signIn(account);
    const { user: same } = await third.authorize(first.token ?? '');
    assert.equal(same?.id, user?.id);
    assert.equal(third.token, first.token);
    assert.notEqual(second.token, first.token);
  });

  it('is refused with the code, and a trace for the log', async (t) => {
    const client = await clientOf(t, await served(t));
    await assert.rejects(client.call('communities.getCommunities', {}), (error) => {
      assert.ok(error instanceof RequestRefused);
      assert.equal(error.code, 401);
      assert.match(error.traceId ?? '', /^[0-9a-f]{32}$/);
      return true;
    });
  });

  it('hears nothing when it does not subscribe', async (t) => {
    const server = await served(t);
    const client = await clientOf(t, server);
    const deaf = await clientOf(t, server, { noSubscribe: true });
    await client.signUp({ name: 'Ada' });
    await deaf.authorize(client.token ?? '');
    let updates = 0;
    deaf.updates.on('messageCreated', () => (updates += 1));
    const heard = nextText(client);
    await deaf.call('messages.sendMessage', { ...self, message: 'hello' });
    await heard;
    // Whatever had been on its way to it would have come before this answer.
    assert.equal((await historyOf(deaf)).length, 1);
    assert.equal(updates, 0);
  });

  it('comes back to a server that is started anew, with all it has asked for in between', async (t) => {
    const before = await testServer();
    let connected = 0;
    const client = await clientOf(t, before, { onConnected: () => (connected += 1) });
    await client.signUp({ name: 'Ada' });
    const texts = Array.from({ length: 30 }, (_, index) => index.toString());
    const sends = texts.map((message) => client.call('messages.sendMessage', { ...self, message }));
    await before.close();
    const after = await testServer({ dataDir: before.dataDir, environment: { OSMIUM_PORT: before.port.toString() } });
    t.after(() => after.remove());
    const ids = (await Promise.all(sends)).map(({ messageId }) => messageId);
    const history = await historyOf(client);
    assert.deepEqual(history.map(({ message }) => message).reverse(), texts);
    assert.deepEqual(history.map(({ messageId }) => messageId).reverse(), ids);
    assert.equal(connected, 2);
  });

  it('ends when its session is revoked', async (t) => {
    const server = await served(t);
    const { promise: ended, resolve: onRefused } = promised<RequestRefused>();
    const [first, second] = [await clientOf(t, server), await clientOf(t, server, { onRefused })];
    const account = { email: 'ada@example.org', password: 'a long enough password' };
    await first.signUp({ name: 'Ada', ...account });
    const { sessionId } = await second.signIn(account);
    await first.call('auth.revokeSessions', { sessionIds: [sessionId] });
    assert.equal((await ended).code, 403);
    assert.equal((await first.call('auth.getSessions', {})).sessions.length, 1);
  });
});
