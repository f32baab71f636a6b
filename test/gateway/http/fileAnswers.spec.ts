import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { sendBytes, type AnswerNeeds } from '../../../src/gateway/http/fileAnswers.js';
import type { WebCall } from '../../../src/gateway/http/webCalls.js';
import type { NamedFile } from '../../../src/gateway/files/streaming.js';
import { slowReaders, stalledSweepsMax, type SlowReader } from '../../../src/gateway/sockets/slowReaders.js';
import { isRejection, type Rejection } from '../../../src/kernel/decider.js';
import type { UserId } from '../../../src/kernel/ids.js';

const mebibyte = 1_048_576;
const bytes = 64 * mebibyte;

/** An answer of 64 MiB to a client that takes nothing, and all that happened to it. */
const unread = async (t: TestContext, slow: AnswerNeeds['slowReaders'], goOn: () => Rejection | undefined) => {
  const state = { pieces: 0, cuts: 0 };
  const needs: AnswerNeeds = {
    slowReaders: slow,
    files: {
      next: () => {
        state.pieces += 1;
        return Promise.resolve(new Uint8Array(mebibyte));
      },
    },
    cut: () => (state.cuts += 1),
  };
  // The parts of a call and of a file that an answer uses.
  const webCall = {
    call: { caller: { user: 1n as UserId } },
    goOn: () => Promise.resolve(goOn()),
  } as unknown as WebCall;
  const seen = { bytes } as unknown as NamedFile;
  let answered: Promise<Rejection | undefined> | undefined;
  const server = createServer((_, raw: ServerResponse) => {
    answered = sendBytes(needs, webCall, () => raw, { status: 200, headers: {}, seen, range: { from: 0, to: bytes } });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1'); // A TCP server that listens has one.
  client.on('error', () => undefined);
  t.after(() => {
    client.destroy();
    server.close();
  });
  client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  client.pause();
  await once(server, 'request');
  return { state, client, answered: () => answered };
};

describe('a reader of an answer that takes nothing', () => {
  it('is cut by the sweep of slow readers, with no more than one piece in memory', async (t) => {
    const all = slowReaders();
    const behind: SlowReader[] = [];
    const fallen = new Promise<SlowReader>((resolve) => {
      behind.push = (reader) => {
        resolve(reader);
        return 1;
      };
    });
    const slow = {
      forget: all.forget,
      fellBehind: (reader: SlowReader): void => {
        all.fellBehind(reader);
        if (reader.unsentBytes > 0) behind.push(reader);
      },
    };
    const { state, answered } = await unread(t, slow, () => undefined);
    const reader = await fallen;
    // The first sweeps may still find that the system takes some.
    for (let sweeps = 0; state.cuts === 0 && sweeps < 20 * stalledSweepsMax; sweeps += 1) {
      await all.sweep();
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    assert.equal(state.cuts, 1);
    assert.equal(await answered(), undefined);
    assert.ok(reader.unsentBytes <= 2 * mebibyte && state.pieces < 20, `${state.pieces.toString()} pieces were read`);
  });

  it('is cut where one bound over all is reached', async (t) => {
    const all = slowReaders({ waitingBytesMax: mebibyte / 2 });
    const { state, answered } = await unread(t, all, () => undefined);
    assert.equal(await answered(), undefined);
    assert.ok(state.pieces < 20);
  });

  it('is cut when the right is lost', async (t) => {
    let asked = 0;
    const lost = (): Rejection | undefined => ((asked += 1) < 2 ? undefined : { rejected: 'FILE_NOT_FOUND' });
    const { client, answered } = await unread(t, slowReaders(), lost);
    client.resume();
    await once(client, 'close');
    assert.equal(isRejection(await answered()), false);
    assert.equal(asked, 2);
  });
});

describe('an answer to a request that came before the last one was answered', () => {
  it('waits for its connection', { timeout: 20_000 }, async (t) => {
    const needs: AnswerNeeds = {
      slowReaders: slowReaders(),
      files: { next: () => Promise.resolve(Buffer.from('second')) },
      cut: () => undefined,
    };
    // The parts of a call and of a file that an answer uses.
    const webCall = {
      call: { caller: { user: 1n as UserId } },
      goOn: () => Promise.resolve(undefined),
    } as unknown as WebCall;
    const answer = { status: 200, headers: {}, seen: { bytes: 6 } as unknown as NamedFile } as const;
    const former: ServerResponse[] = [];
    const server = createServer(({ url }, raw: ServerResponse) => {
      if (url === '/first') former.push(raw);
      else {
        void sendBytes(needs, webCall, () => raw, { ...answer, range: { from: 0, to: 6 } });
        setImmediate(() => former[0]?.end('first'));
      }
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const client = connect((server.address() as AddressInfo).port, '127.0.0.1'); // A TCP server that listens has one.
    t.after(() => {
      client.destroy();
      server.close();
    });
    client.write('GET /first HTTP/1.1\r\nHost: a\r\n\r\nGET /second HTTP/1.1\r\nHost: a\r\n\r\n');
    let text = '';
    for await (const chunk of client) {
      text += String(chunk);
      if (text.includes('second')) break;
    }
    assert.match(text, /first.*second/s);
  });
});
