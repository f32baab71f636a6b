import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { describe, it } from 'node:test';
import { textOf } from './support/sources.js';

const rows = textOf('docs/known-faults.md')
  .split('\n')
  .filter((line) => /^\| [FM]\d+ /.test(line))
  .map((line) => ({ number: line.split('|')[1]?.trim() ?? '', tests: line.split('|').at(-2) ?? '' }));

/** Names of tests behind the file that has them: “one” · “another”. */
const testsIn = (cell: string): readonly (readonly [file: string, names: readonly string[]])[] =>
  [...cell.matchAll(/`([\w./]+)`: ((?:“[^”]+”(?: · )?)+)/g)].map(([, file = '', names = '']) => [
    `test/${file}.spec.ts`,
    [...names.matchAll(/“([^”]+)”/g)].map(([, name = '']) => name),
  ]);

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
      for (const [file, names] of named) {
        assert.ok(existsSync(file), file);
        const text = textOf(file);
        for (const name of names)
          assert.ok(text.includes(`it('${name}`) || text.includes(`it(\`${name}`), `${file}: ${name}`);
      }
    });
  }
});
