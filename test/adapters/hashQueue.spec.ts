import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { hashesAtOnceMax } from '../../src/adapters/system/argon2.js';
import { hashQueue, knownInARowMax } from '../../src/adapters/system/hashQueue.js';
import { HasherBusy, type HashingQueue } from '../../src/kernel/ports/system.js';
import { deferred } from '../../src/kernel/timing.js';

const queued = (options: { readonly atOnceMax: number; readonly waitingMax: number }) => {
  const time = { millis: 0 };
  const inTurn = hashQueue({ ...options, now: () => time.millis });
  const begun: string[] = [];
  const running: (() => void)[] = [];
  return {
    begun,
    running,
    hash: (queue: HashingQueue, name: string, of = ''): Promise<void> =>
      inTurn({ queue, of }, () => {
        begun.push(name);
        const { promise, resolve } = deferred<undefined>();
        running.push(() => resolve(undefined));
        return promise;
      }),
    /** Ends the hash that began first, which takes so long; and lets the next one begin. */
    endOne: async (millis = 100): Promise<void> => {
      time.millis += millis;
      running.shift()?.();
      await settled();
    },
  };
};

/** All that can go on without anything from outside has gone on. */
const settled = async (): Promise<void> => {
  for (let tick = 0; tick < 10; tick += 1) await Promise.resolve();
};

const times = async (count: number, work: () => Promise<void>): Promise<void> => {
  for (let index = 0; index < count; index += 1) await work();
};

describe('the queues for hashing', () => {
  it('let the known go first, and every fourth place to one of the others', async () => {
    const { hash, endOne, begun } = queued({ atOnceMax: 1, waitingMax: 100 });
    void hash('others', 'first');
    for (const index of ['1', '2', '3']) void hash('others', `other ${index}`);
    for (const index of ['1', '2', '3', '4', '5']) void hash('known', `known ${index}`);
    await times(9, endOne);
    assert.equal(knownInARowMax, 3);
    assert.deepEqual(begun, [
      ...['first', 'known 1', 'known 2', 'known 3', 'other 1'],
      ...['known 4', 'known 5', 'other 2', 'other 3'],
    ]);
  });
  it('cannot be filled for others by who has the most waiting', async () => {
    const { hash, endOne, begun } = queued({ atOnceMax: 1, waitingMax: 6 });
    void hash('known', 'first', 'attacker');
    const refused: string[] = [];
    const flood = Array.from({ length: 20 }, (_, index) =>
      hash('known', `flood ${index.toString()}`, 'attacker').catch((error: unknown) => {
        assert.ok(error instanceof HasherBusy);
        refused.push(index.toString());
      }),
    );
    void hash('known', 'ada', 'office');
    void hash('known', 'ben', 'office');
    await settled();
    assert.deepEqual(refused.length, 16);
    await times(7, endOne);
    await Promise.all(flood);
    assert.deepEqual(begun, ['first', 'flood 0', 'flood 1', 'flood 2', 'flood 3', 'ada', 'ben']);
  });
  it('never work on more than so many at once', async () => {
    const { hash, endOne, running } = queued({ atOnceMax: 2, waitingMax: 100 });
    for (let index = 0; index < 20; index += 1) void hash(index % 2 === 0 ? 'known' : 'others', '');
    await settled();
    for (let index = 0; index < 15; index += 1) {
      assert.equal(running.length, 2);
      await endOne();
    }
  });
  it('are full each by itself, and say for how long', async () => {
    const { hash, endOne } = queued({ atOnceMax: 2, waitingMax: 40 });
    await times(200, async () => {
      const done = hash('known', '');
      await Promise.resolve();
      await endOne(500);
      await done;
    });
    for (let index = 0; index < 42; index += 1) void hash('others', '');
    await assert.rejects(hash('others', 'one too many'), (error) => {
      assert.ok(error instanceof HasherBusy);
      // Forty wait for two places, half a second each.
      assert.equal(Math.round(error.retryAfterSeconds), 10);
      return true;
    });
    const known = hash('known', '');
    await times(3, endOne);
    await known;
  });
  it('free the place of one that failed', async () => {
    const inTurn = hashQueue({ atOnceMax: 1, waitingMax: 1, now: () => 0 });
    await assert.rejects(
      inTurn({ queue: 'known', of: '' }, () => Promise.reject(new Error('unreadable'))),
      /unreadable/,
    );
    assert.equal(await inTurn({ queue: 'known', of: '' }, () => Promise.resolve('done')), 'done');
  });
});

describe('hashes at once', () => {
  it('take half of the cores, and one at least', () => {
    assert.deepEqual(
      [1, 2, 3, 8].map((cores) => hashesAtOnceMax(cores)),
      [1, 1, 1, 4],
    );
  });
});
