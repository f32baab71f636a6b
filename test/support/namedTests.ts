import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { textOf } from './sources.js';

/** Names of tests behind the file that has them: `file`: “one” · “another”. A name may leave out the end of a title. */
export const testsIn = (cell: string): readonly (readonly [file: string, names: readonly string[]])[] =>
  [...cell.matchAll(/`([\w./]+)`: ((?:“[^”]+”(?: · )?)+)/g)].map(([, file = '', names = '']) => [
    `test/${file}.spec.ts`,
    [...names.matchAll(/“([^”]+)”/g)].map(([, name = '']) => name),
  ]);

/** Fails where a file or a title is not there, or where a name is the beginning of several titles. */
export const areThere = (tests: ReturnType<typeof testsIn>): void => {
  for (const [file, names] of tests) {
    assert.ok(existsSync(file), file);
    const text = textOf(file);
    const titles = [...text.matchAll(/^\s*it\(\s*['"`](.*)/gm)].map(([, title = '']) => title);
    for (const name of names)
      assert.equal(titles.filter((title) => title.startsWith(name)).length, 1, `${file}: ${name}`);
  }
};
