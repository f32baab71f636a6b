import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { propertyRun } from './propertyRun.js';

describe('the run of a property', () => {
  const isSmall = fc.property(fc.nat(), (n) => n < 1_000);

  it('prints the seed of a failure, and is the same again from that seed', () => {
    const failed = fc.check(isSmall, propertyRun(50, {}));
    const seed = /seed: (-?\d+)/.exec(fc.defaultReportMessage(failed) ?? '')?.[1];
    const again = fc.check(isSmall, propertyRun(50, { PROPERTY_SEED: seed }));
    assert.ok(failed.failed);
    assert.deepEqual([again.seed, again.counterexample], [failed.seed, failed.counterexample]);
  });

  it('tries as often as it is told', () => {
    assert.equal(
      fc.check(
        fc.property(fc.nat(), () => true),
        propertyRun(5, { PROPERTY_RUNS: '9' }),
      ).numRuns,
      9,
    );
    assert.deepEqual(propertyRun(5, {}), { numRuns: 5 });
  });

  it('refuses a seed that is no whole number', () => {
    assert.throws(() => propertyRun(5, { PROPERTY_SEED: '12x' }), /PROPERTY_SEED/);
  });
});
