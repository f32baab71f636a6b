import assert from 'node:assert/strict';
import { it } from 'node:test';
import { localRateLimit } from '../../src/adapters/rateLimit/local.js';
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
