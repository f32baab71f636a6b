import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { areThere, testsIn } from './support/namedTests.js';
import { textOf } from './support/sources.js';

const rows = textOf('docs/known-faults.md')
  .split('\n')
  .filter((line) => /^\| [FM]\d+ /.test(line))
  .map((line) => ({ number: line.split('|')[1]?.trim() ?? '', tests: line.split('|').at(-2) ?? '' }));

describe('docs/known-faults.md', () => {
  it('has every row, each once', () => {
    const numbersOf = (kind: string, count: number): readonly string[] =>
      Array.from({ length: count }, (_, index) => `${kind}${(index + 1).toString()}`);
    assert.deepEqual(
      rows.map(({ number }) => number),
      [...numbersOf('F', 21), ...numbersOf('M', 19)],
    );
  });

  for (const { number, tests } of rows) {
    it(`names tests of ${number} that are there`, () => {
      const named = testsIn(tests);
      assert.ok(named.length > 0);
      areThere(named);
    });
  }
});
