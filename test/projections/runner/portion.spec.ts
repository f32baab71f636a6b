import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { projections } from '../../../src/projections/registry.js';
import { foldsManyStreams, foldsStream, type Portion } from '../../../src/projections/runner/portion.js';

const portionsOf = (workers: number): readonly Portion[] =>
  Array.from({ length: workers }, (_, worker) => ({ worker, workers }));

const streams = Array.from({ length: 10_000 }, (_, index) => `message-${(10n ** 17n + BigInt(index)).toString()}`);

describe('the portions of workers', () => {
  it('have each stream once, and the documents of many streams once', () => {
    for (const workers of [1, 2, 3, 16]) {
      const portions = portionsOf(workers);
      for (const stream of streams) {
        assert.equal(portions.filter((portion) => foldsStream(portion, stream)).length, 1, stream);
      }
      assert.equal(portions.filter(foldsManyStreams).length, 1);
    }
  });

  it('are alike, but for the first one, which reads all events', () => {
    const [first = 0, ...others] = portionsOf(4).map(
      (portion) => streams.filter((stream) => foldsStream(portion, stream)).length,
    );
    for (const count of others) {
      assert.ok(Math.abs(count / (first * 5) - 1) < 0.25, [first, ...others].join(', '));
    }
  });

  it('know of each type of documents whether a document has one stream or many', () => {
    for (const { name, streams: of } of projections.flatMap(({ documents }) => documents)) {
      assert.ok(of === 'log' || of('1.2').length === 1, `${name}: a document of a few streams belongs to no portion`);
    }
  });
});
