import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import type { Allowance, RateLimit, Verdict } from '../../src/kernel/ports/rateLimit.js';

export type RateLimitHarness = {
  readonly limit: RateLimit;
  /** Lets so many seconds pass on the limit's clock. */
  readonly pass: (seconds: number) => void | Promise<void>;
};

export const rateLimitContract = (name: string, make: () => RateLimitHarness | Promise<RateLimitHarness>): void => {
  describe(`rate limit: ${name}`, () => {
    const tried = (
      sentence: string,
      work: (harness: RateLimitHarness, allowance: Allowance) => Promise<void>,
    ): void => {
      it(sentence, async () => {
        const harness = await make();
        try {
          await work(harness, { name: `test.${randomBytes(6).toString('hex')}`, burst: 3, perSecond: 2 });
        } finally {
          await harness.limit.close();
        }
      });
    };
    contract(tried);
  });
};

type Tried = (sentence: string, work: (harness: RateLimitHarness, allowance: Allowance) => Promise<void>) => void;

const takeSome = async (limit: RateLimit, allowance: Allowance, times: number): Promise<readonly Verdict[]> => {
  const verdicts: Verdict[] = [];
  for (let index = 0; index < times; index += 1) verdicts.push(await limit.take(allowance, 'someone'));
  return verdicts;
};

const allowedOf = (verdicts: readonly Verdict[]): number => verdicts.filter(({ allowed }) => allowed).length;

const contract = (tried: Tried): void => {
  tried('allows a burst and not one more', async ({ limit }, allowance) => {
    assert.equal(allowedOf(await takeSome(limit, allowance, 10)), 3);
  });

  tried('regains tokens as time passes, up to the burst', async ({ limit, pass }, allowance) => {
    await takeSome(limit, allowance, 3);
    await pass(1);
    assert.equal(allowedOf(await takeSome(limit, allowance, 10)), 2);
    await pass(3_600);
    assert.equal(allowedOf(await takeSome(limit, allowance, 10)), 3);
  });

  tried('says when it will allow again, and keeps its word', async ({ limit, pass }, allowance) => {
    await takeSome(limit, allowance, 3);
    const [refused] = await takeSome(limit, allowance, 1);
    assert.ok(refused?.allowed === false);
    assert.ok(refused.retryAfterSeconds > 0 && refused.retryAfterSeconds <= 0.5);
    await pass(refused.retryAfterSeconds);
    assert.equal(allowedOf(await takeSome(limit, allowance, 2)), 1);
  });

  tried('takes nothing for a refusal', async ({ limit, pass }, allowance) => {
    await takeSome(limit, allowance, 50);
    await pass(0.5);
    assert.equal(allowedOf(await takeSome(limit, allowance, 2)), 1);
  });

  tried('allows once more what was given back', async ({ limit }, allowance) => {
    await takeSome(limit, allowance, 4);
    await limit.giveBack(allowance, 'someone');
    assert.equal(allowedOf(await takeSome(limit, allowance, 3)), 1);
  });

  tried('is never fuller than its burst, whatever is given back', async ({ limit, pass }, allowance) => {
    await limit.giveBack(allowance, 'someone');
    await takeSome(limit, allowance, 2);
    await pass(0.5);
    for (let index = 0; index < 5; index += 1) await limit.giveBack(allowance, 'someone');
    assert.equal(allowedOf(await takeSome(limit, allowance, 10)), 3);
  });

  tried('gives back to one and not to another', async ({ limit }, allowance) => {
    await takeSome(limit, allowance, 4);
    await limit.giveBack(allowance, 'another');
    await limit.giveBack({ ...allowance, name: `${allowance.name}.other` }, 'someone');
    assert.equal((await limit.take(allowance, 'someone')).allowed, false);
  });

  tried('keeps buckets of other people and of other limits apart', async ({ limit }, allowance) => {
    await takeSome(limit, allowance, 4);
    assert.equal((await limit.take(allowance, 'another')).allowed, true);
    assert.equal((await limit.take({ ...allowance, name: `${allowance.name}.other` }, 'someone')).allowed, true);
    assert.equal((await limit.take(allowance, 'someone')).allowed, false);
  });
};
