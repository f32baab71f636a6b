import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Message } from '../../src/gen/types.js';
import { rpcTable } from '../../src/gen/rpcs.js';
import { readServerMessage } from '../../src/wire/envelope.js';
import { testServer, type TestServer } from '../support/server.js';
import { byteClient, bytes, id, message, number, text, type ByteClient } from './bytes.js';
import { found, inChannel, join, say, withUser, type Town } from './places.js';
import { guest, signUp, type Seat } from './seat.js';

const initialize = bytes(19, message(number(1, 120715), text(2, 'test'), text(3, '1'), text(4, '1')));
const authorize = (token: string) => bytes(20, text(5, token));
const deleteNothing = bytes(17, bytes(1, bytes(4, message())));

const hex = (frame: Uint8Array): string => Buffer.from(frame).toString('hex');
const read = (frame: string) => {
  const received = readServerMessage(Buffer.from(frame, 'hex'));
  assert.equal(received.kind, 'result');
  return received.result;
};

/** Frames in which a server that has accepted the connection answers what a test sent. */
describe('on the wire', () => {
  let server: TestServer;
  let ada: Seat;
  let ben: Seat;
  /** Of whom nobody else is told, and who is told of nobody else: nothing comes but what is asked for. */
  let hermit: Seat;
  let town: Town;
  before(async () => {
    server = await testServer();
    hermit = await signUp(server.url, 'Hermit');
    await hermit.update(({ userStatus }) => userStatus?.userId === hermit.user);
    ada = await signUp(server.url, 'Ada');
    ben = await signUp(server.url, 'Ben');
    town = await found(ada, 'Town');
    await join(ada, town, ben);
  });
  after(() => server.remove());

  const introduced = async (): Promise<ByteClient> => {
    const client = await byteClient(server.url);
    client.send(message(initialize));
    assert.equal(await client.next(), '08011a027200');
    return client;
  };
  const authorized = async (seat: Seat = hermit): Promise<ByteClient> => {
    const client = await introduced();
    client.send(message(number(1, 1), authorize(seat.token)));
    assert.equal(read(await client.next()).authorization?.token, seat.token);
    return client;
  };
  /** The next frame that is no update. */
  const answered = async (client: ByteClient): Promise<string> => {
    const frame = await client.next();
    return readServerMessage(Buffer.from(frame, 'hex')).kind === 'result' ? frame : answered(client);
  };

  it('the first frame is the answer to the first request, and request id 0 may come twice', async () => {
    const client = await byteClient(server.url);
    client.send(message(initialize));
    client.send(message(initialize));
    assert.equal(await client.next(), '08011a027200');
    assert.equal(await client.next(), '08021a027200');
  });

  it('a result without members has its request id and nothing else', async () => {
    const client = await authorized();
    client.send(message(number(1, 5), deleteNothing));
    assert.equal(await client.next(), '08031a020805');
  });

  it('and is an empty message, still present, for request id 0', async () => {
    const client = await authorized();
    client.send(message(deleteNothing));
    client.send(message(number(1, 0), deleteNothing));
    assert.equal(await client.next(), '08031a00');
    assert.equal(await client.next(), '08041a00');
  });

  it('heartbeats are not answered, whoever sends them', async () => {
    for (const client of [await introduced(), await authorized()]) {
      client.send(Uint8Array.of(0x08, 0x01));
      client.send(Uint8Array.of(0x08, 0x01));
      client.send(message(number(1, 9), initialize));
      assert.equal((await client.next()).slice(4), '1a0408097200');
    }
  });

  it('an error is a result with the id, the error and a trace', async () => {
    const client = await introduced();
    client.send(message(number(1, 3), bytes(5, message())));
    const frame = await client.next();
    const { reqId, error, traceId, ...rest } = read(frame);
    assert.deepEqual([reqId, error?.errorCode, rest], [3, 401, {}]);
    assert.match(traceId ?? '', /^[0-9a-f]{32}$/);
    // Of req_id, error, and trace_id with its number of two bytes.
    assert.match(frame, /^08021a..080312..089103.*aa0220/);
  });

  it('every number that no RPC has is answered with 501, and the connection goes on', async () => {
    const client = await authorized();
    for (const unknown of [120, 999, 1000, 536_870_911]) {
      client.send(message(number(1, 7), bytes(unknown, message())));
      assert.equal(read(await client.next()).error?.errorCode, 501, unknown.toString());
    }
    client.send(message(number(1, 5), deleteNothing));
    assert.match(await client.next(), /1a020805$/);
  });

  it('fields that are not known are passed over', async () => {
    const client = await byteClient(server.url);
    const newer = bytes(19, message(number(1, 1), text(99, 'new'), id(98, 3n), number(97, 1)));
    client.send(message(number(1, 2), newer, number(1001, 4)));
    assert.equal(await client.next(), '08011a0408027200');
  });

  it('fields that are not used any more change nothing', async () => {
    const client = await authorized(ada);
    const old = message(id(1, town.community), id(2, town.general), id(3, 0n), id(4, 1n), id(5, 2n));
    const permissions = bytes(6, message(id(1, 0n), id(2, 0n)));
    client.send(message(number(1, 4), bytes(33, message(old, permissions))));
    assert.deepEqual(read(await answered(client)).channelOverride?.override?.permissions, { pos: 0n, neg: 0n });
  });

  it('text that is not UTF-8 is refused', async () => {
    const client = await authorized();
    const chatRef = bytes(1, bytes(4, message()));
    client.send(message(number(1, 4), bytes(4, message(chatRef, bytes(2, Uint8Array.of(0xc3, 0x28))))));
    assert.equal(read(await client.next()).error?.errorCode, 400);
  });

  it('a text frame closes with 1003, and nobody else notices', async () => {
    const client = await authorized();
    client.send('hello');
    assert.equal(await client.closed, 1003);
    await ada.do('chatsGetChats', {});
  });

  it('a frame that is too large closes with 1009, and nobody else notices', async () => {
    const client = await authorized();
    client.send(Buffer.alloc(2_000_000));
    assert.equal(await client.closed, 1009);
    await ada.do('chatsGetChats', {});
  });

  for (const [what, token] of [
    ['is none', () => 'none'],
    ['is empty', () => ''],
    ['nobody has', (known: string) => known.slice(0, -4) + (known.endsWith('AAAA') ? 'BBBB' : 'AAAA')],
  ] as const) {
    it(`a token that ${what} is refused with 403, and then the connection is closed with 1008`, async () => {
      const client = await introduced();
      client.send(message(number(1, 2), authorize(token(ada.token))));
      assert.equal(read(await client.next()).error?.errorCode, 403);
      assert.equal(await client.closed, 1008);
    });
  }

  it('the numbers of what the server sends run from 1 over results and updates', async () => {
    const client = await authorized();
    const chatRef = bytes(1, bytes(4, message()));
    for (const count of [1, 2, 3]) client.send(message(number(1, count), bytes(4, message(chatRef, text(2, 'hi')))));
    const ids: number[] = [];
    while (ids.length < 6) {
      const received = readServerMessage(Buffer.from(await client.next(), 'hex'));
      assert.notEqual(received.kind, 'malformed');
      if (received.kind !== 'malformed') ids.push(received.id);
    }
    assert.deepEqual(ids.slice(0, 6), [3, 4, 5, 6, 7, 8]);
  });

  it('no frame is larger than 1 MiB, however much there is to answer', async () => {
    const chatRef = withUser(ben);
    await Promise.all(Array.from({ length: 100 }, () => say(ada, chatRef, '€'.repeat(4000))));
    const client = await authorized(ada);
    const user = bytes(1, id(1, ben.user));
    client.send(message(number(1, 4), bytes(5, message(bytes(1, user), number(2, 100)))));
    const frame = await answered(client);
    assert.ok((read(frame).messages?.messages.length ?? 0) > 10);
    assert.ok(frame.length / 2 <= 1_048_576);
  });

  describe('a direct chat', () => {
    const heard = async (seat: Seat, wanted: string): Promise<Message | undefined> =>
      (await seat.update(({ messageCreated }) => messageCreated?.message?.message === wanted)).messageCreated?.message;

    it('is named after the other side, whoever is told of it', async () => {
      await say(ada, withUser(ben), 'hello ben');
      assert.equal((await heard(ada, 'hello ben'))?.chatRef?.user?.userId, ben.user);
      assert.equal((await heard(ben, 'hello ben'))?.chatRef?.user?.userId, ada.user);
      const chats = await ben.do('chatsGetChats', {});
      assert.deepEqual(
        chats.chats.map(({ chatRef }) => chatRef),
        [{ user: { userId: ada.user } }],
      );
      assert.deepEqual(chats.messages[0]?.chatRef, { user: { userId: ada.user } });
      const { messages } = await ben.do('messagesGetHistory', { chatRef: withUser(ada), limit: 1 });
      assert.deepEqual(messages[0]?.chatRef, { user: { userId: ada.user } });
    });

    it('with oneself is that of the saved messages', async () => {
      await say(ada, withUser(ada), 'note');
      assert.deepEqual((await heard(ada, 'note'))?.chatRef, { self: {} });
    });
  });

  describe('a reply', () => {
    const replied = async (request: object): Promise<Message | undefined> => {
      const chatRef = inChannel(town.community, town.general);
      const { messageId } = await ben.do('messagesSendMessage', { chatRef, message: 'indeed', ...request });
      const update = await ada.update(({ messageCreated }) => messageCreated?.message?.messageId === messageId);
      return update.messageCreated?.message;
    };

    it('may use the old field or the new one, and always shows both', async () => {
      const to = await say(ada, inChannel(town.community, town.general), 'Is it so?');
      for (const request of [{ replyToOld: to }, { replyTo: { messageId: to } }]) {
        const shown = await replied(request);
        assert.deepEqual([shown?.replyTo, shown?.reply], [to, { messageId: to }]);
      }
    });

    it('shows what it quotes', async () => {
      const to = await say(ada, inChannel(town.community, town.general), 'Is it so?');
      const quote = { message: 'so', entities: [], offset: 6n };
      assert.deepEqual((await replied({ replyTo: { messageId: to, quote } }))?.reply, { messageId: to, quote });
    });
  });

  it('nothing is negotiated: no compression, no sub-protocol', async () => {
    const { raw } = await guest(server.url);
    assert.deepEqual([raw.socket.extensions, raw.socket.protocol], ['', '']);
  });

  it('is what this test says it is', () => {
    const { coreInitialize, authAuthorize, messagesDeleteMessage, messagesSendMessage, messagesGetHistory } = rpcTable;
    const numbers = [coreInitialize, authAuthorize, messagesDeleteMessage, messagesSendMessage, messagesGetHistory];
    assert.deepEqual(
      numbers.map((rpc) => rpc.number),
      [19, 20, 17, 4, 5],
    );
    assert.equal(hex(message(initialize)).slice(0, 4), '9a01');
  });
});
