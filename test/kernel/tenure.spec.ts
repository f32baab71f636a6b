import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { memoryLeaseRecords, memoryLeases } from '../../src/adapters/leases/memory.js';
import type { LeaseRecords } from '../../src/adapters/leases/recorded.js';
import { localPubSub } from '../../src/adapters/pubsub/local.js';
import { heldMillisMax, leaseMillis, lookMillis } from '../../src/kernel/ports/leases.js';
import { whileHeld, type Tenancy } from '../../src/kernel/tenure.js';
import { nodeTimers } from '../support/nodeTimers.js';

/** A take-over takes no longer than this, from the death of the holder on. */
const takenOverMillisMax = 10_000;

type Worker = { readonly fences: bigint[]; working: boolean; isCut: boolean; tenancy?: Tenancy };

const setting = () => {
  const [records, timers] = [memoryLeaseRecords(), nodeTimers()];
  const pubSub = localPubSub({ onListenerError: assert.fail });
  const workers: Worker[] = [];
  const begin = async (): Promise<Worker> => {
    const worker: Worker = { fences: [], working: false, isCut: false };
    const through = async <T>(ask: () => Promise<T>): Promise<T> => {
      if (worker.isCut) throw new Error('cut off');
      return ask();
    };
    const mine: LeaseRecords = {
      read: (name) => through(() => records.read(name)),
      begin: (record) => through(() => records.begin(record)),
      change: (...what) => through(() => records.change(...what)),
      time: () => through(() => records.time()),
      mark: records.mark,
      close: () => records.close(),
    };
    const needs = {
      leases: memoryLeases(mine, timers),
      timers,
      uptime: timers,
      pubSub,
      onTrouble: () => undefined,
    };
    workers.push(worker);
    worker.tenancy = await whileHeld('work', needs, async ({ fence = 0n, signal }) => {
      worker.fences.push(fence);
      worker.working = true;
      assert.ok(workers.filter(({ working }) => working).length === 1, 'two work at once');
      await new Promise<void>((resolve) => {
        if (signal.aborted) resolve();
        signal.addEventListener('abort', () => {
          resolve();
        });
      });
      worker.working = false;
    });
    return worker;
  };
  return { begin, timers };
};

describe('work under a lease', () => {
  it('is done by one of several', async () => {
    const { begin, timers } = setting();
    const [one, other] = [await begin(), await begin()];
    await timers.passUntil(() => timers.now() > 60_000, 70_000);
    assert.deepEqual([one.working, other.working], [true, false]);
    assert.equal(one.fences.length, 1);
  });

  it('ends before another one begins when its holder is cut off, under a higher fence', async () => {
    const { begin, timers } = setting();
    const [one, other] = [await begin(), await begin()];
    await timers.passUntil(() => timers.now() >= 3_000);
    one.isCut = true;
    assert.ok((await timers.passUntil(() => !one.working)) <= heldMillisMax);
    const rest = await timers.passUntil(() => other.working);
    assert.ok(rest <= leaseMillis + lookMillis);
    assert.ok((other.fences[0] ?? 0n) > (one.fences[0] ?? 0n));
    one.isCut = false;
    await timers.passUntil(() => timers.now() > 60_000, 70_000);
    assert.deepEqual([one.working, other.working], [false, true]);
  });

  it('is taken over in time, whenever its holder falls silent', async () => {
    for (let after = 0; after < 4_000; after += 500) {
      const { begin, timers } = setting();
      const [one, other] = [await begin(), await begin()];
      await timers.passUntil(() => timers.now() >= after);
      one.isCut = true;
      assert.ok((await timers.passUntil(() => other.working)) <= takenOverMillisMax);
    }
  });

  it('is taken over at once from who goes for good', async () => {
    const { begin, timers } = setting();
    const [one, other] = [await begin(), await begin()];
    await one.tenancy?.close();
    assert.equal(await timers.passUntil(() => other.working), 0);
  });
});
