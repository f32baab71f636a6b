import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { areThere, testsIn } from './support/namedTests.js';
import { textOf } from './support/sources.js';

const rows = textOf('docs/security-audit.md')
  .split('\n')
  .filter((line) => /^\| [CHML]\d+/.test(line))
  .map((line) => ({ number: line.split('|')[1]?.trim() ?? '', heldBy: line.split('|').at(-2) ?? '' }));

/** A reason is a clause and not a word. */
const reasonUnitsMin = 30;

describe('docs/security-audit.md', () => {
  it('has every finding, each with its parts in a row', () => {
    const numbersOf = (kind: string, count: number): readonly string[] =>
      Array.from({ length: count }, (_, index) => `${kind}${(index + 1).toString()}`);
    const numbers = rows.map(({ number }) => number.split(' ')[0]);
    assert.deepEqual(
      numbers.filter((number, index) => number !== numbers[index - 1]),
      [...numbersOf('C', 1), ...numbersOf('H', 10), ...numbersOf('M', 15), ...numbersOf('L', 13)],
    );
    assert.equal(new Set(rows.map(({ number }) => number)).size, rows.length);
  });

  for (const { number, heldBy } of rows) {
    it(`names tests of ${number} that are there, or says why it is open`, () => {
      const named = testsIn(heldBy);
      const reasons = [...heldBy.matchAll(/open: ([^|]*)/g)].map(([, reason = '']) => reason.trim());
      assert.ok(named.length + reasons.length > 0);
      areThere(named);
      for (const reason of reasons) assert.ok(reason.length >= reasonUnitsMin, reason);
      // Nothing else is named, such as a file whose titles are misspelt.
      assert.equal(heldBy.match(/`[\w./]+`: /g)?.length ?? 0, named.length);
    });
  }
});

describe('docs/operating.md', () => {
  it('says how to keep memory with keys in it off disks', () => {
    const page = textOf('docs/operating.md');
    const [, dataFolder = ''] = /^## The data folder$([^]*?)^## /m.exec(page) ?? [];
    for (const word of ['LimitCORE=0', 'MemorySwapMax=0', '--heapsnapshot-signal', '--inspect'])
      assert.ok(dataFolder.includes(word), word);
  });
});
