import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { answerMillisMax, connect, type Client, type ClientOptions } from '../../src/client/client.js';
import {
  CannotConnect,
  ConnectionLost,
  NotSent,
  RequestRefused,
  RequestTimedOut,
  WrongAnswer,
} from '../../src/client/errors.js';
import { nodeSocket } from '../../src/client/nodeSocket.js';
import { unansweredBytesMax, unansweredMax } from '../../src/client/requests.js';
import { clientCloseCode } from '../../src/client/socket.js';
import type { RpcPath, Rpcs } from '../../src/gen/rpcs.js';
import {
  clientOf,
  fakeServer,
  introduce,
  promised,
  type Asked,
  type FakeServer,
  type FakeServerOptions,
} from './fakeServer.js';

type Pair = {
  readonly server: FakeServer;
  readonly client: Client;
  /** Resolves with the close code when the client has noticed. */
  readonly disconnected: Promise<number>;
};

const pair = async (t: TestContext, options: Partial<ClientOptions> & FakeServerOptions = {}): Promise<Pair> => {
  const server = await fakeServer(t, options);
  const { promise: disconnected, resolve: onDisconnected } = promised<number>();
  return { server, client: await clientOf(t, server, { onDisconnected, ...options }), disconnected };
};

const self = { chatRef: { self: {} } };
const say = (client: Client, message: string) => client.call('messages.sendMessage', { ...self, message });
const sent = { sentMessage: { messageId: 5n as never } }; // Any id will do.
const said = ({ request }: Asked) => request as Rpcs['messagesSendMessage']['request'];
const communities = (client: Client) => client.call('communities.getCommunities', {});

const signedUp = async ({ server, client }: Pair, token: string): Promise<void> => {
  const signingUp = client.signUp({ name: 'Ada' });
  (await server.asked()).answer({ authorization: { token } });
  await signingUp;
};

/** Ends what the client has, over something that it asks for the purpose. */
const cut = async ({ server, client, disconnected }: Pair): Promise<void> => {
  const lost = assert.rejects(client.call('chats.setTyping', self), ConnectionLost);
  (await server.asked()).drop();
  await Promise.all([lost, disconnected]);
};

describe('when the connection is lost before the answer, the client', () => {
  it('asks again what only reads', async (t) => {
    const { server, client } = await pair(t);
    const answer = communities(client);
    (await server.asked()).drop();
    (await server.asked()).answer({ communities: {} });
    assert.deepEqual((await answer).communities, []);
  });

  it('sends a message again, under the same nonce', async (t) => {
    const { server, client } = await pair(t);
    const answer = say(client, 'hello');
    const first = await server.asked();
    first.drop();
    const second = await server.asked();
    second.answer(sent);
    assert.deepEqual(said(second), said(first));
    assert.notEqual(said(first).clientId ?? 0n, 0n);
    assert.equal((await answer).messageId, 5n);
  });

  it('rejects what may have been carried out, and does not ask it again', async (t) => {
    const { server, client } = await pair(t);
    const answer = client.call('communities.createCommunity', { name: 'town' });
    (await server.asked()).drop();
    await assert.rejects(answer, ConnectionLost);
    const next = communities(client);
    const asked = await server.asked();
    asked.answer({ communities: {} });
    await next;
    assert.equal(asked.path, 'communities.getCommunities');
  });

  it('sends messages again in their order, and before newer ones', async (t) => {
    const made = await pair(t);
    const { server, client } = made;
    const answers = ['1', '2', '3'].map((text) => say(client, text));
    await server.asked();
    (await server.asked()).answer(sent);
    await server.asked();
    await answers[1];
    await cut(made);
    answers.push(say(client, '4'), say(client, '5'));
    const texts: string[] = [];
    server.answering((asked) => {
      texts.push(said(asked).message);
      asked.answer(sent);
    });
    await Promise.all(answers);
    assert.deepEqual(texts, ['1', '3', '4', '5']);
  });

  it('repeats nothing in the name of somebody else', async (t) => {
    const made = await pair(t);
    const { server, client } = made;
    await signedUp(made, 'the first');
    const answer = assert.rejects(say(client, 'mine'), ConnectionLost);
    await server.asked();
    const signingIn = client.signIn({ email: 'grace@example.org', password: 'secret' });
    const asked = await server.asked();
    asked.answer({ authorization: { token: 'the second' } });
    await signingIn;
    asked.drop();
    await answer;
    assert.equal(client.token, 'the second');
  });
});

describe('a client', () => {
  it('comes back by itself and resumes its session before anything else', async (t) => {
    const introductions: string[] = [];
    const made = await pair(t, {
      introduced: (asked) => {
        introductions.push(`${asked.connection.toString()} ${asked.path}`);
        introduce(asked);
      },
    });
    const { server, client } = made;
    await signedUp(made, 'the token');
    await cut(made);
    const answer = communities(client);
    const asked = await server.asked();
    asked.answer({ communities: {} });
    await answer;
    assert.equal(asked.connection, 2);
    assert.deepEqual(introductions, ['1 core.initialize', '2 core.initialize', '2 auth.authorize']);
    assert.equal(client.token, 'the token');
  });

  it('goes by the first of two answers', async (t) => {
    const { server, client } = await pair(t);
    const first = client.call('communities.createCommunity', { name: 'town' });
    const second = communities(client);
    const asked = await server.asked();
    asked.answer({});
    asked.answer({ error: { errorCode: 500, errorMessage: 'again' } });
    (await server.asked()).answer({ communities: {} });
    assert.deepEqual(await Promise.all([first]), [undefined]);
    assert.deepEqual((await second).communities, []);
    assert.equal(server.connections(), 1);
  });

  it('says what the server refused, and why', async (t) => {
    const { server, client } = await pair(t);
    const answer = communities(client);
    (await server.asked()).answer({ error: { errorCode: 429, errorMessage: 'too fast' } });
    await assert.rejects(answer, (error) => {
      assert.ok(error instanceof RequestRefused);
      assert.deepEqual([error.path, error.code], ['communities.getCommunities', 429]);
      return true;
    });
  });

  it('rejects an answer of another kind', async (t) => {
    const { server, client } = await pair(t);
    const answer = communities(client);
    (await server.asked()).answer(sent);
    await assert.rejects(answer, WrongAnswer);
  });

  it('rejects what cannot be encoded, and goes on', async (t) => {
    const { server, client } = await pair(t);
    const bad = { chatRef: { user: { userId: 5 as never } } }; // As JavaScript might give it.
    await assert.rejects(client.call('chats.getChat', bad), TypeError);
    const answer = communities(client);
    (await server.asked()).answer({ communities: {} });
    await answer;
  });

  for (const [what, data] of [
    ['garbage', Uint8Array.of(0xff, 0xff, 0xff)],
    ['text', 'hello'],
  ] as const)
    it(`leaves a server that sends ${what}, and comes back`, async (t) => {
      const { server, client, disconnected } = await pair(t);
      const answer = communities(client);
      (await server.asked()).send(data);
      assert.equal(await server.closed(), clientCloseCode.garbage);
      assert.equal(await disconnected, clientCloseCode.garbage);
      (await server.asked()).answer({ communities: {} });
      await answer;
    });

  for (const code of [1008, 1012, 1013, 4000])
    it(`comes back after a close with ${code.toString()}`, async (t) => {
      const { server, client, disconnected } = await pair(t);
      const answer = communities(client);
      (await server.asked()).close(code);
      assert.equal(await disconnected, code);
      (await server.asked()).answer({ communities: {} });
      await answer;
    });

  it('tries again when the server closes during the introduction, or is not able to authorize', async (t) => {
    const troubles: ((asked: Asked) => void)[] = [
      introduce,
      (asked) => asked.drop(),
      introduce,
      (asked) => asked.answer({ error: { errorCode: 503, errorMessage: 'starting' } }),
    ];
    const made = await pair(t, {
      introduced: (asked) => {
        (troubles.shift() ?? introduce)(asked);
      },
    });
    const { server, client } = made;
    await signedUp(made, 'the token');
    await cut(made);
    const answer = communities(client);
    const asked = await server.asked();
    asked.answer({ communities: {} });
    await answer;
    assert.equal(asked.connection, 4);
  });

  it('ends when its token is refused', async (t) => {
    const refusals: RequestRefused[] = [];
    const refused = { error: { errorCode: 403, errorMessage: 'revoked' } };
    const made = await pair(t, {
      introduced: (asked) => {
        if (asked.path === 'auth.authorize') asked.answer(refused);
        else introduce(asked);
      },
      onRefused: (refusal) => refusals.push(refusal),
    });
    const { server, client } = made;
    await signedUp(made, 'the token');
    const updates = client.updates[Symbol.asyncIterator]();
    await cut(made);
    await assert.rejects(communities(client), NotSent);
    assert.deepEqual(await updates.next(), { done: true, value: undefined });
    assert.deepEqual(
      refusals.map(({ code }) => code),
      [403],
    );
    await assert.rejects(communities(client), /not sent, the session is over/);
    assert.equal(server.connections(), 2);
  });

  it('stays when somebody signs in with a wrong password', async (t) => {
    const { server, client } = await pair(t);
    const answer = client.signIn({ email: 'ada@example.org', password: 'wrong' });
    (await server.asked()).answer({ error: { errorCode: 403, errorMessage: 'no' } });
    await assert.rejects(answer, RequestRefused);
    const next = communities(client);
    (await server.asked()).answer({ communities: {} });
    await next;
    assert.equal(client.token, undefined);
  });
});

describe('connect', () => {
  it('rejects when nobody is there', async () => {
    // Port 1 is not for servers of this kind.
    await assert.rejects(connectTo('ws://127.0.0.1:1'), CannotConnect);
  });

  it('rejects what is no address', async () => {
    await assert.rejects(connectTo('nonsense'), SyntaxError);
  });

  it('rejects when the server refuses to be asked, and closes the socket', async (t) => {
    const server = await fakeServer(t, {
      introduced: (asked) => asked.answer({ error: { errorCode: 501, errorMessage: 'what is that?' } }),
    });
    await assert.rejects(clientOf(t, server), RequestRefused);
    assert.equal(await server.closed(), clientCloseCode.done);
  });

  it('rejects when the server closes before it has answered', async (t) => {
    const server = await fakeServer(t, { introduced: (asked) => asked.drop() });
    await assert.rejects(clientOf(t, server), ConnectionLost);
  });

  it('takes no time that is too long to send a message again after', async (t) => {
    const server = await fakeServer(t);
    await assert.rejects(clientOf(t, server, { answerMillis: answerMillisMax + 1 }), RangeError);
    await assert.rejects(clientOf(t, server, { answerMillis: Number.NaN }), RangeError);
  });
});

describe('a request', () => {
  it('times out when no answer comes', async (t) => {
    const { server, client } = await pair(t, { answerMillis: 30 });
    const answer = assert.rejects(communities(client), RequestTimedOut);
    const asked = await server.asked();
    await answer;
    // An answer that is late is nobody's.
    asked.answer({ communities: {} });
    const next = client.call('communities.createCommunity', { name: 'town' });
    (await server.asked()).answer({});
    assert.deepEqual(await Promise.all([next]), [undefined]);
  });

  it('that waits for a connection in vain was not sent', async (t) => {
    const made = await pair(t, {
      answerMillis: 30,
      introduced: (asked) => {
        if (asked.connection === 1) introduce(asked);
        else asked.drop();
      },
    });
    const lost = made.client.call('chats.setTyping', self).catch(() => undefined);
    (await made.server.asked()).drop();
    await Promise.all([lost, made.disconnected]);
    await assert.rejects(say(made.client, 'hello'), /not sent, there was no connection/);
  });

  it('is refused when too many are not answered', async (t) => {
    const { client } = await pair(t);
    const asked: Promise<unknown>[] = [];
    for (let count = 0; count < unansweredMax; count += 1) asked.push(communities(client).catch(() => undefined));
    await assert.rejects(communities(client), NotSent);
    await client.close();
    await Promise.all(asked);
  });

  it('is refused when too many bytes are not answered', async (t) => {
    const { client } = await pair(t);
    const data = new Uint8Array(unansweredBytesMax / 2);
    const first = client.call('media.uploadFilePart', { data }).catch(() => undefined);
    await assert.rejects(client.call('media.uploadFilePart', { data }), NotSent);
    await client.close();
    await first;
  });
});

describe('close', () => {
  it('rejects what is not answered', async (t) => {
    const { server, client } = await pair(t);
    const answer = assert.rejects(communities(client), ConnectionLost);
    await server.asked();
    await client.close();
    await answer;
    assert.equal(await server.closed(), clientCloseCode.done);
    await assert.rejects(communities(client), NotSent);
  });

  it('ends a client that is coming back, before the next attempt', async (t) => {
    const made = await pair(t);
    await cut(made);
    await made.client.close();
    assert.equal(made.server.connections(), 1);
  });

  it('ends a client that is coming back, in the middle of an attempt', async (t) => {
    const { promise: attempt, resolve: arrived } = promised<Asked>();
    const made = await pair(t, {
      introduced: (asked) => {
        (asked.connection === 1 ? introduce : arrived)(asked);
      },
    });
    await cut(made);
    const waiting = assert.rejects(communities(made.client), NotSent);
    await attempt;
    await made.client.close();
    await waiting;
    assert.equal(await made.server.closed().then(() => made.server.closed()), clientCloseCode.done);
  });

  it('may be called twice', async (t) => {
    const { client } = await pair(t);
    await Promise.all([client.close(), client.close()]);
    await client.close();
    assert.equal(client.token, undefined);
  });
});

describe('types', () => {
  it('follow from the path', async (t) => {
    const { server, client } = await pair(t);
    server.answering((asked) => {
      asked.answer(asked.path === 'messages.getHistory' ? { messages: {} } : {});
    });
    const nothing: Promise<undefined> = client.call('communities.createCommunity', { name: 'town' });
    const { messages } = await client.call('messages.getHistory', self);
    const texts: readonly string[] = messages.map(({ message }) => message);
    assert.deepEqual([await Promise.all([nothing]), texts], [[undefined], []]);
    // @ts-expect-error There is no such request.
    const path: RpcPath = 'messages.getTea';
    // @ts-expect-error A name is a text.
    const bad: Parameters<typeof client.signUp>[0] = { name: 5 };
    assert.ok(path.length > 0 && bad.name !== undefined);
  });
});

const connectTo = (url: string): Promise<Client> => connect({ url, openSocket: nodeSocket });
