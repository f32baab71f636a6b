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
import {
  progressBytesMin,
  roomLookMillis,
  roomLooksMax,
  slowLooksMax,
} from '../../../src/gateway/sockets/unfinishedMessages.js';
import { unreadMillisMax } from '../../../src/gateway/sockets/paidReading.js';
import { reject } from '../../../src/kernel/decider.js';
import type { UserId } from '../../../src/kernel/ids.js';
import { noAdmission, type Admission } from '../../../src/gateway/requests/admission.js';
import { handTimers } from '../../support/handTimers.js';
import type { RawClient } from '../rig/rawClient.js';
import { stage, type Stage, type Staging } from '../rig/stage.js';

const kibibytes = (count: number): number => count * 1_024;

/** Connections with what they hold, and what was done with them, in order. */
const held = (options: ReceivedBytesOptions) => {
  const done: string[] = [];
  const timers = handTimers();
  const all = receivedBytes({ ...options, timers, reached: (bound) => done.push(bound) });
  const receiver = (name: string, user?: bigint) => {
    const made = {
      receivedBytes: 0,
      unfinishedBytes: 0,
      announcedBytes: 0,
      // The ids of users are numbers of a kind of their own.
      user: user as UserId | undefined,
      isRead: true,
      mayBeRead: true,
      holdBack: () => {
        made.isRead = false;
        done.push(`${name} held back`);
      },
      readAgain: () => {
        made.isRead = true;
        done.push(`${name} read again`);
      },
      giveUpUnfinished: () => {
        done.push(`${name} given up`);
        complete();
      },
    };
    /** Of the message, so many bytes are kept as a request. */
    const complete = (kept = 0): void => {
      const bytes = made.unfinishedBytes;
      made.unfinishedBytes = 0;
      made.receivedBytes += kept - bytes;
      all.completed(made, bytes, kept);
    };
    const take = (bytes: number): void => {
      made.receivedBytes += bytes;
      all.changed(made satisfies Receiver, bytes);
    };
    const grow = (bytes: number, announced = made.announcedBytes): void => {
      made.announcedBytes = announced;
      made.unfinishedBytes += bytes;
      made.receivedBytes += bytes;
      all.grew(made, bytes);
    };
    return Object.assign(made, { take, grow, complete });
  };
  return {
    ...all,
    done,
    receiver,
    look: (looks = 1) => {
      timers.pass(looks * roomLookMillis);
    },
  };
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

  it('that are of unfinished messages alone: beyond the bound the one of which nothing came for longest is given up', () => {
    const { done, receiver, count } = held({ receivedBytesMax: kibibytes(100) });
    const [first, silent, newest] = [receiver('first'), receiver('silent'), receiver('newest')];
    for (const one of [first, silent]) one.grow(kibibytes(45));
    first.grow(1);
    newest.grow(kibibytes(10) - 1);
    assert.deepEqual(done, []);
    newest.grow(1);
    assert.deepEqual([done, count()], [['unfinished', 'silent given up'], kibibytes(55) + 1]);
  });

  it('of a message that alone is more than the bound count no more once it is given up', () => {
    const { done, receiver, count } = held({ receivedBytesMax: kibibytes(200) });
    receiver('only').grow(kibibytes(201));
    assert.deepEqual([done, count()], [['unfinished', 'only given up'], 0]);
  });
});

describe('long messages that are not complete', () => {
  const all = kibibytes(1_024);
  const long = kibibytes(512);
  const read = kibibytes(64);

  it('of hundreds of clients at once all come to their end within the bound, those that were begun first at first', () => {
    const { done, receiver, count } = held({ receivedBytesMax: kibibytes(65_536) });
    const clients = Array.from({ length: 200 }, (_, at) => receiver(at.toString(), BigInt(at)));
    for (const client of clients) client.grow(read, long);
    const ended: string[] = [];
    let most = 0;
    while (clients.some(({ unfinishedBytes }) => unfinishedBytes > 0)) {
      for (const [at, client] of clients.entries()) {
        if (!client.isRead || client.unfinishedBytes === 0) continue;
        client.grow(read);
        most = Math.max(most, count());
        if (client.unfinishedBytes < long) continue;
        client.complete(long);
        ended.push(at.toString());
        client.take(-long);
      }
    }
    assert.deepEqual(ended, Object.keys(clients));
    assert.deepEqual([done.filter((what) => what.endsWith('given up')), count()], [[], 0]);
    assert.ok(most <= kibibytes(65_536), most.toString());
  });

  it('are read where there is room for all that they have announced, with the requests that are there', () => {
    const { done, receiver } = held({ receivedBytesMax: 2 * all });
    const [first, second, third] = [receiver('first', 1n), receiver('second', 2n), receiver('third', 3n)];
    for (const one of [first, second]) one.grow(read, long - kibibytes(32));
    third.grow(read, long);
    assert.deepEqual(done.splice(0), ['received', 'third held back']);
    first.grow(long - kibibytes(32) - read);
    first.complete(long - kibibytes(32));
    assert.deepEqual(done.splice(0), []);
    first.take(kibibytes(32) - long);
    assert.deepEqual(done, ['third read again']);
  });

  it('of a connection that holds little are read in any case', () => {
    const { done, receiver } = held({ receivedBytesMax: 2 * all });
    for (const name of ['first', 'second', 'third']) receiver(name).grow(alwaysReadBytesMax - 1, long);
    assert.deepEqual(done, []);
    const [fourth, fifth] = [receiver('fourth'), receiver('fifth')];
    fourth.grow(alwaysReadBytesMax, all - alwaysReadBytesMax);
    fifth.grow(alwaysReadBytesMax, long);
    assert.deepEqual(done.splice(0), ['received', 'fifth held back']);
    fourth.complete();
    fifth.complete();
    assert.deepEqual(done, ['fifth read again']);
  });

  it('hold no room by what they announce when nothing comes, and are given up when nothing comes for long', () => {
    const { done, receiver, look } = held({ receivedBytesMax: 2 * all });
    const [silent, other] = [receiver('silent', 1n), receiver('other', 2n)];
    silent.grow(read, all - read);
    other.grow(read, long);
    look();
    assert.deepEqual(done.splice(0), ['received', 'other held back']);
    look();
    assert.deepEqual(done.splice(0), ['other read again']);
    const late = receiver('late', 3n);
    late.grow(read, long);
    for (let looks = 0; looks < slowLooksMax - 2; looks += 1) {
      other.grow(progressBytesMin);
      look();
    }
    assert.deepEqual(done.splice(0), ['received', 'late held back']);
    other.grow(1);
    look();
    assert.equal(done[0], 'silent given up');
  });

  it('that are silent stay while nobody waits for room, or while they are not read for other reasons', () => {
    const { done, receiver, look } = held({ receivedBytesMax: 2 * all });
    const [silent, ...others] = [receiver('silent', 1n), receiver('second', 2n), receiver('third', 3n)];
    silent.grow(read, all - read);
    look(100);
    silent.isRead = false;
    for (const one of others) one.grow(read, all - 2 * read);
    for (let looks = 0; looks < 3 * slowLooksMax; looks += 1) {
      for (const one of others) if (one.isRead) one.grow(progressBytesMin);
      look();
    }
    assert.deepEqual(
      done.filter((what) => what.endsWith('given up')),
      [],
    );
    assert.ok(done.length > 4);
  });

  it('ask for room again when their bytes come', () => {
    const { done, receiver, look, count } = held({ receivedBytesMax: 2 * all });
    const [slow, other] = [receiver('slow', 1n), receiver('other', 2n)];
    slow.grow(read, all - read);
    other.grow(read, long);
    look(2);
    slow.grow(1);
    assert.deepEqual(done.splice(0), ['received', 'other held back', 'other read again', 'received', 'slow held back']);
    other.grow(long - read);
    other.complete(long);
    other.take(-long);
    assert.deepEqual([done, count()], [['slow read again'], read + 1]);
  });

  it('that trickle keep their room for ten looks, and then wait behind the others', () => {
    const { done, receiver, look } = held({ receivedBytesMax: 2 * all });
    const [trickle, other] = [receiver('trickle', 1n), receiver('other', 2n)];
    trickle.grow(read, all - read);
    other.grow(read, long);
    for (let looks = 0; looks < roomLooksMax; looks += 1) {
      assert.deepEqual(done, ['received', 'other held back']);
      trickle.grow(1);
      look();
    }
    assert.deepEqual(done.slice(2), ['trickle held back', 'other read again']);
  });

  it('are given up where hardly more than nothing comes of them, so that nobody keeps the memory', () => {
    const { done, receiver, look } = held({ receivedBytesMax: 2 * all });
    const [trickle, other] = [receiver('trickle', 1n), receiver('other', 2n)];
    trickle.grow(read, all - read);
    other.grow(read, all);
    for (let looks = 0; looks < 3 * slowLooksMax && trickle.unfinishedBytes > 0; looks += 1) {
      if (trickle.isRead) trickle.grow(1);
      if (other.isRead) other.grow(progressBytesMin);
      look();
    }
    assert.deepEqual(
      done.filter((what) => what.endsWith('given up')),
      ['trickle given up'],
    );
  });

  it('of a user who holds much wait behind one of somebody else, also where only one is read at a time', () => {
    const { done, receiver } = held({ receivedBytesMax: all });
    const many = Array.from({ length: 8 }, (_, at) => receiver(at.toString(), 1n));
    for (const one of many) one.grow(read, all / 4);
    const other = receiver('other', 2n);
    other.grow(read, all / 4);
    const before = done.length;
    while (many[0]?.isRead === true && many[0].unfinishedBytes < all / 4) many[0].grow(read);
    many[0]?.complete();
    assert.equal(done[before], 'other read again');
  });

  it('get no room while they are not read for another reason', () => {
    const { done, receiver } = held({ receivedBytesMax: 2 * all });
    const [first, debtor, other] = [receiver('first', 1n), receiver('debtor', 2n), receiver('other', 3n)];
    for (const one of [first, debtor, other]) one.grow(read, all - read);
    debtor.mayBeRead = false;
    first.complete();
    assert.deepEqual(done.slice(-1), ['other read again']);
  });

  it('of one user leave room for those of others, however many there are', () => {
    const { done, receiver } = held({ receivedBytesMax: 2 * all });
    const many = Array.from({ length: 5 }, (_, at) => receiver(at.toString(), 1n));
    for (const one of many) one.grow(read, kibibytes(256));
    const other = receiver('other', 2n);
    other.grow(read, kibibytes(256));
    assert.deepEqual(done.splice(0), ['received', '4 held back', '3 held back', 'other held back']);
    for (const one of many.slice(0, 2)) one.complete();
    assert.deepEqual(done, ['other read again', '3 read again', '4 read again']);
  });

  it('give room back that the first bytes of others have taken, so that none is closed', () => {
    const { done, receiver, count } = held({ receivedBytesMax: 2 * all });
    const [first, second] = [receiver('first', 1n), receiver('second', 2n)];
    for (const one of [first, second]) one.grow(read, all / 2);
    const others = Array.from({ length: 6 }, (_, at) => receiver(at.toString(), BigInt(at + 3)));
    for (const one of others) one.grow(read, all / 2);
    assert.deepEqual(done.splice(0, 3), ['received', '0 held back', 'second held back']);
    for (let reads = 1; first.isRead && reads < all / 2 / read; reads += 1) first.grow(read);
    assert.ok(count() <= all);
    first.complete();
    assert.deepEqual([done.at(-1), done.filter((what) => what.endsWith('given up'))], ['second read again', []]);
  });

  it('are read one at a time where those that wait fill the bound by themselves', () => {
    const { done, receiver } = held({ receivedBytesMax: 2 * all });
    const clients = Array.from({ length: all / read }, (_, at) => receiver(at.toString(), BigInt(at)));
    for (const client of clients) client.grow(read, all);
    assert.equal(done.filter((what) => what.endsWith('held back')).length, clients.length - 1);
    clients[0]?.complete();
    assert.deepEqual(done.slice(-1), ['1 read again']);
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

  it('of which many send long messages at once is not closed: they come to their end one after the other', async (t) => {
    const { signedIn, sockets } = await staged(t, {
      bounds: { receivedBytesMax: 2_097_152 },
      handlers: () => ({ mediaUploadFilePart: () => Promise.resolve(reject('NOT_FOUND')) }),
    });
    const clients = await Promise.all(
      Array.from({ length: 12 }, (_, at) => signedIn(BigInt(at + 1), BigInt(at + 100))),
    );
    const data = new Uint8Array(500_000);
    for (const client of clients) {
      for (const id of [20, 21]) client.ask(id, 'mediaUploadFilePart', { uploadId: 1n, part: id, data });
    }
    await Promise.all(clients.flatMap((client) => [client.result(20), client.result(21)]));
    assert.deepEqual([sockets.count(), sockets.receivedBytes()], [clients.length, 0]);
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
