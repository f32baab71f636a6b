import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import {
  alwaysReadBytesMax,
  receivedBytes,
  type ReceivedBytesOptions,
  type Receiver,
} from '../../../src/gateway/sockets/receivedBytes.js';
import { unreadMillisMax } from '../../../src/gateway/sockets/requestIntake.js';
import { reject } from '../../../src/kernel/decider.js';
import { noAdmission, type Admission } from '../../../src/gateway/requests/admission.js';
import { handTimers } from '../../support/handTimers.js';
import type { RawClient } from '../rig/rawClient.js';
import { stage, type Stage, type Staging } from '../rig/stage.js';

const kibibytes = (count: number): number => count * 1_024;

/** Connections with what they hold, and what was done with them, in order. */
const held = (options: ReceivedBytesOptions) => {
  const done: string[] = [];
  const all = receivedBytes({ ...options, reached: (bound) => done.push(bound) });
  const receiver = (name: string) => {
    const made = {
      receivedBytes: 0,
      unfinishedBytes: 0,
      holdBack: () => done.push(`${name} held back`),
      readAgain: () => done.push(`${name} read again`),
      giveUpUnfinished: () => {
        done.push(`${name} given up`);
        complete();
      },
    };
    const complete = (): void => {
      const bytes = made.unfinishedBytes;
      made.unfinishedBytes = 0;
      made.receivedBytes -= bytes;
      all.completed(made, bytes);
    };
    const take = (bytes: number): void => {
      made.receivedBytes += bytes;
      all.changed(made satisfies Receiver, bytes);
    };
    const grow = (bytes: number): void => {
      made.unfinishedBytes += bytes;
      made.receivedBytes += bytes;
      all.grew(made, bytes);
    };
    return Object.assign(made, { take, grow, complete });
  };
  return { ...all, done, receiver };
};

describe('bytes that were taken in and are not answered yet', () => {
  it('are bounded over all: beyond it the connection that holds the most is not read, until enough is answered', () => {
    const { done, receiver, count } = held({ receivedBytesMax: kibibytes(300) });
    const [much, most, little] = [receiver('much'), receiver('most'), receiver('little')];
    much.take(kibibytes(100));
    most.take(kibibytes(190));
    little.take(kibibytes(10));
    assert.deepEqual(done, []);
    little.take(1);
    assert.deepEqual(done.splice(0), ['received', 'most held back']);
    little.take(-1);
    assert.deepEqual([done, count()], [['most read again'], kibibytes(300)]);
  });

  it('of one more connection are not read with each read beyond the bound, and never those of one that holds little', () => {
    const { done, receiver } = held({ receivedBytesMax: kibibytes(200) });
    const [one, two, little] = [receiver('one'), receiver('two'), receiver('little')];
    one.take(kibibytes(100));
    two.take(kibibytes(110));
    for (let read = 0; read < 3; read += 1) little.take(1);
    little.take(alwaysReadBytesMax - 4);
    assert.deepEqual(done, ['received', 'two held back', 'one held back']);
    one.take(-kibibytes(40));
    assert.deepEqual(done.at(-1), 'one read again');
  });

  it('that are of unfinished messages alone: beyond the bound the one begun longest ago is given up', () => {
    const { done, receiver, count } = held({ receivedBytesMax: kibibytes(200) });
    const [oldest, older, newest] = [receiver('oldest'), receiver('older'), receiver('newest')];
    older.grow(1);
    for (const one of [oldest, older]) one.grow(kibibytes(90));
    older.complete();
    older.grow(kibibytes(90));
    newest.grow(kibibytes(20));
    assert.deepEqual(done, []);
    newest.grow(1);
    assert.deepEqual([done, count()], [['unfinished', 'oldest given up'], kibibytes(110) + 1]);
  });

  it('of a message that alone is more than the bound count no more once it is given up', () => {
    const { done, receiver, count } = held({ receivedBytesMax: kibibytes(200) });
    receiver('only').grow(kibibytes(201));
    assert.deepEqual([done, count()], [['unfinished', 'only given up'], 0]);
  });
});

const staged = async (t: TestContext, staging: Staging): Promise<Stage> => {
  const made = await stage(staging);
  t.after(() => made.stop());
  return made;
};

/** Below the library, which sends whole messages only. */
const streamOf = ({ socket }: RawClient): Socket => (socket as unknown as { readonly _socket: Socket })._socket; // Declared nowhere.

/** The head of a masked binary frame that says how much is to come, and some of it. */
const partOfFrame = (payloadBytes: number, sentBytes: number): Buffer => {
  const head = Buffer.alloc(14);
  head.set([0x82, 0x80 + 127]);
  head.writeBigUInt64BE(BigInt(payloadBytes), 2);
  return Buffer.concat([head, Buffer.alloc(sentBytes, 1)]);
};

const until = async (holds: () => boolean): Promise<void> => {
  while (!holds()) await new Promise(setImmediate);
};

describe('a connection', { timeout: 20_000 }, () => {
  it('counts a message that is not complete, and gives it up with 1013 where such messages fill the bound', async (t) => {
    const { signedIn, sockets, metrics } = await staged(t, { bounds: { receivedBytesMax: 300_000 } });
    const [first, second] = [await signedIn(1n, 11n), await signedIn(2n, 22n)];
    streamOf(first).write(partOfFrame(1_000_000, 200_000));
    await until(() => sockets.receivedBytes() >= 200_000);
    streamOf(second).write(partOfFrame(1_000_000, 150_000));
    assert.equal(await first.closed, 1013);
    await until(() => sockets.count() === 1);
    assert.ok(sockets.receivedBytes() >= 150_000 && sockets.receivedBytes() < 160_000);
    assert.match(await metrics.text(), /osmium_bounds_total\{bound="unfinished"\} 1/);
    second.socket.terminate();
    await until(() => sockets.count() === 0);
    assert.equal(sockets.receivedBytes(), 0);
  });

  it('counts requests until they are answered, and is not read while they are more than its bound', async (t) => {
    let answer = (): void => undefined;
    const answers = new Promise<void>((resolve) => (answer = resolve));
    const begun: number[] = [];
    const { signedIn, sockets } = await staged(t, {
      bounds: { receivedBytesPerConnectionMax: 250_000 },
      handlers: () => ({
        messagesSendMessage: async ({ message }) => {
          begun.push(message.length);
          await answers;
          return reject('NOT_FOUND');
        },
      }),
    });
    const client = await signedIn(1n, 11n);
    for (let id = 20; id < 25; id += 1) client.ask(id, 'messagesSendMessage', { message: '.'.repeat(100_000) });
    await until(() => begun.length === 2 && sockets.receivedBytes() >= 250_000);
    const other = await signedIn(2n, 22n);
    await other.settled();
    // Two requests are under way, and of the third one read came at most.
    assert.ok(sockets.receivedBytes() < 250_000 + alwaysReadBytesMax);
    answer();
    for (let id = 20; id < 25; id += 1) await client.result(id);
    assert.deepEqual([begun.length, sockets.receivedBytes()], [5, 0]);
  });

  it('that holds the most is not read beyond the bound over all, but for what comes every ten seconds', async (t) => {
    const timers = handTimers();
    const waiting: (() => void)[] = [];
    const { signedIn, sockets } = await staged(t, {
      timers,
      bounds: { receivedBytesMax: 150_000 },
      handlers: () => ({
        messagesSendMessage: async () => {
          await new Promise<void>((resolve) => waiting.push(resolve));
          return reject('NOT_FOUND');
        },
      }),
    });
    const [much, some] = [await signedIn(1n, 11n), await signedIn(2n, 22n)];
    for (const [index, client] of [much, some].entries()) {
      client.ask(20, 'messagesSendMessage', { message: '.'.repeat(100_000 - index) });
      await until(() => waiting.length === index + 1);
    }
    let pongs = 0;
    much.socket.on('pong', () => (pongs += 1));
    much.socket.ping();
    await some.settled();
    assert.equal(pongs, 0);
    timers.pass(unreadMillisMax);
    await once(much.socket, 'pong');
    for (const resolve of waiting) resolve();
    await Promise.all([much.result(20), some.result(20)]);
    await much.settled();
    assert.equal(sockets.receivedBytes(), 0);
  });

  it('keeps of a read no more than the request in it', async (t) => {
    const kept: number[] = [];
    const { admit } = noAdmission();
    const noting: Admission['admit'] = (asker, asking) => {
      // The request as it is held while it is under way.
      const { message } = asking as unknown as { readonly message: { readonly body?: Uint8Array } };
      if (asking.name === 'messagesSendMessage') kept.push(message.body?.buffer.byteLength ?? Infinity);
      return admit(asker, asking);
    };
    const { signedIn } = await staged(t, { admission: { ...noAdmission(), admit: noting } });
    const client = await signedIn(1n, 11n);
    streamOf(client).cork();
    for (let heartbeat = 0; heartbeat < 3_000; heartbeat += 1) client.heartbeat();
    client.ask(20, 'messagesSendMessage', { message: 'x' });
    streamOf(client).uncork();
    await client.result(20);
    assert.ok((kept[0] ?? Infinity) < 1_024);
  });
});
