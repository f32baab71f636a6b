import assert from 'node:assert/strict';
import { it, type TestContext } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { examinedPerTakeMax, localRateLimit } from '../../src/adapters/rateLimit/local.js';
import { rateLimitContract, type RateLimitHarness } from './rateLimit.js';

const harness = (bucketsMax?: number): RateLimitHarness => {
  let now = 1_767_225_600_000;
  const timers = { now: () => now };
  return {
    limit: localRateLimit(bucketsMax === undefined ? { timers } : { timers, bucketsMax }),
    pass: (seconds) => {
      now += seconds * 1_000;
    },
  };
};

rateLimitContract('local', () => harness());

it('local rate limit: holds on to who is refused while full buckets come and go', async () => {
  const { limit, pass } = harness(100);
  const slow = { name: 'slow', burst: 1, perSecond: 0.001 };
  const quick = { name: 'quick', burst: 10, perSecond: 100 };
  await limit.take(slow, 'someone');
  for (let round = 0; round < 10; round += 1) {
    for (let index = 0; index < 90; index += 1) await limit.take(quick, `${round.toString()}.${index.toString()}`);
    await pass(1);
  }
  assert.equal((await limit.take(slow, 'someone')).allowed, false);
});

it('local rate limit: goes on when all buckets are in use', async () => {
  const { limit } = harness(100);
  const slow = { name: 'slow', burst: 1, perSecond: 0.001 };
  for (let index = 0; index < 1_000; index += 1) await limit.take(slow, index.toString());
  assert.equal((await limit.take(slow, '999')).allowed, false);
});

it('local rate limit: looks at a handful of buckets for each take, however many there are', async (test) => {
  const { limit } = harness(1_000);
  const slow = { name: 'slow', burst: 1, perSecond: 0.001 };
  for (let index = 0; index < 1_000; index += 1) await limit.take(slow, index.toString());
  const steps = countedSteps(test);
  for (let index = 0; index < 200; index += 1) {
    steps.count = 0;
    await limit.take(slow, `another ${index.toString()}`);
    assert.ok(steps.count <= examinedPerTakeMax + 2, `${steps.count.toString()} buckets`);
  }
});

it('local rate limit: keeps nothing of former takes', async () => {
  const { limit } = harness(10);
  const slow = { name: 'slow', burst: 1, perSecond: 0.001 };
  const takes = async (times: number, of: string): Promise<void> => {
    for (let index = 0; index < times; index += 1) await limit.take(slow, of);
  };
  // Enough for the search to begin, then so few that it does not go on; and with all buckets in use.
  for (const [buckets, times] of [
    [1, 50_000],
    [10, 50_000],
  ] as const) {
    for (let index = 0; index < buckets; index += 1) await limit.take(slow, index.toString());
    await takes(5_000, '0');
    const before = heapBytes();
    await takes(times, '0');
    assert.ok(heapBytes() - before < 1_000_000);
  }
});

const heapBytes = (): number => {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)(); // which the flag has just made
  return process.memoryUsage().heapUsed;
};

/** Counts how often anything goes on to the next entry of a Map. */
const countedSteps = (test: TestContext): { count: number } => {
  const steps = { count: 0 };
  // The prototype of all iterators of Maps has no name of its own.
  const iterator = Object.getPrototypeOf(new Map().entries()) as Iterator<unknown>;
  const original = iterator.next;
  test.mock.method(iterator, 'next', function counted(this: Iterator<unknown>) {
    steps.count += 1;
    return original.call(this);
  });
  return steps;
};
