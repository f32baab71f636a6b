import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sharingLog, pauseMillisMax } from '../../src/kernel/share.js';
import type { FollowedLog, StoredEvent } from '../../src/kernel/ports/eventLog.js';

const event = { stream: 's', revision: 0n, position: 1n } as StoredEvent; // Nothing else of it is looked at.

const logOf = (batches: number): FollowedLog => ({
  subscribe: () => ({
    async *[Symbol.asyncIterator]() {
      for (let batch = 0; batch < batches; batch += 1) yield await Promise.resolve([event]);
    },
    close: () => undefined,
  }),
  readAll: () => Promise.resolve([]),
  end: () => Promise.resolve(1n),
  close: () => Promise.resolve(),
});

/** Pauses after batches that each take so many milliseconds of one core. */
const pausesAt = async (percent: number, busyMillis: number, threads = 1): Promise<readonly number[]> => {
  const clock = { used: 0, now: 0 };
  const pauses: number[] = [];
  const log = sharingLog(logOf(2), {
    ...{ percent, cores: 2, threads, usedMillis: () => clock.used, now: () => clock.now },
    pause: (millis) => {
      pauses.push(millis);
      clock.now += millis;
      return Promise.resolve();
    },
  });
  for await (const batch of log.subscribe(0n)) {
    assert.equal(batch.length, 1);
    clock.used += busyMillis;
    clock.now += busyMillis;
  }
  return pauses;
};

describe('a share of the machine', () => {
  it('is kept by pauses between the batches of a log', async () => {
    // 10 ms of one of two cores are a quarter of the machine for 20 ms.
    assert.deepEqual(await pausesAt(25, 10), [10, 10]);
    assert.deepEqual(await pausesAt(10, 10), [40, 40]);
  });

  it('is not missed by what takes less', async () => {
    assert.deepEqual(await pausesAt(60, 10), [0, 0]);
  });

  it('costs no longer pause than a second, and the whole machine none at all', async () => {
    assert.deepEqual(await pausesAt(1, 1_000), [pauseMillisMax, pauseMillisMax]);
    assert.deepEqual(await pausesAt(100, 10), []);
  });

  it('is kept by all threads together, whose pauses are as much longer', async () => {
    assert.deepEqual(await pausesAt(1, 1_000, 4), [4 * pauseMillisMax, 4 * pauseMillisMax]);
    assert.deepEqual(await pausesAt(25, 10, 4), [10, 10]);
  });
});
