import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { attackTable, type AttackRow } from './support/attacks/attackTable.js';

describe('each attack of the benchmark', () => {
  for (const [name, { by, spec, test }] of Object.entries<AttackRow>(attackTable))
    it(`is held by a test: ${name}, ${by}`, () => {
      const source = readFileSync(spec, 'utf8');
      assert.ok(source.includes(`it('${test}`) || source.includes(`it(\`${test}`), `${spec} has no test that ${test}`);
    });
});
