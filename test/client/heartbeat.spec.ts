import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { Client } from '../../src/client/client.js';
import { heartbeatMillis, ownAnswerMillisMax } from '../../src/client/connection.js';
import { clientCloseCode } from '../../src/client/socket.js';
import { clientOf, fakeServer, introduce, promised, type Asked, type FakeServer } from './fakeServer.js';

const quiet = async (t: TestContext) => {
  t.mock.timers.enable({ apis: ['setInterval', 'setTimeout'] });
  const tests: ((asked: Asked) => void)[] = [];
  const server = await fakeServer(t, { introduced: (asked) => (tests.shift() ?? introduce)(asked) });
  const { promise: disconnected, resolve: onDisconnected } = promised<number>();
  const client = await clientOf(t, server, { onDisconnected });
  /** The next question by which the client tests a quiet connection. */
  const tested = (): Promise<Asked> => new Promise((resolve) => tests.push(resolve));
  return { server, client, tested, disconnected };
};

const roundTrip = async (server: FakeServer, client: Client): Promise<void> => {
  const answer = client.call('communities.getCommunities', {});
  (await server.asked()).answer({ communities: {} });
  await answer;
};

describe('a connection', () => {
  it('over which something comes is kept by heartbeats', async (t) => {
    const { server, client } = await quiet(t);
    await roundTrip(server, client);
    t.mock.timers.tick(heartbeatMillis);
    assert.equal(await server.heartbeat(), 1);
  });

  it('over which nothing comes is tested, and kept when there is an answer of any kind', async (t) => {
    const { server, client, tested } = await quiet(t);
    const question = tested();
    t.mock.timers.tick(heartbeatMillis);
    (await question).answer({ error: { errorCode: 429, errorMessage: 'not now' } });
    await roundTrip(server, client);
    t.mock.timers.tick(ownAnswerMillisMax);
    await roundTrip(server, client);
    assert.equal(server.connections(), 1);
  });

  it('that does not answer is given up', async (t) => {
    const { server, tested, disconnected } = await quiet(t);
    const question = tested();
    t.mock.timers.tick(heartbeatMillis);
    await question;
    t.mock.timers.tick(ownAnswerMillisMax);
    assert.equal(await disconnected, clientCloseCode.silence);
    assert.equal(await server.closed(), clientCloseCode.silence);
  });
});
