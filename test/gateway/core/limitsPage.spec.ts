import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { limitTable } from '../../../src/gateway/limits.js';

type Row = { readonly name: string; readonly per: string; readonly burst: number; readonly perSecond: number };

const rowsOf = (page: string): readonly Row[] =>
  [...page.matchAll(/^\| ([a-z-]+) +\| (session|address) +\| ([\d,]+) +\| ([\d/]+) +\|/gm)].map(
    ([, name = '', per = '', burst = '', perSecond = '']) => ({
      name,
      per,
      burst: Number(burst.replace(',', '')),
      perSecond: perSecond.startsWith('1/') ? 1 / Number(perSecond.slice(2)) : Number(perSecond),
    }),
  );

describe('docs/operating.md', () => {
  it('has every limit on requests, as it is', () => {
    const limits = Object.values(limitTable).map(({ per, allowance }) => ({ per, ...allowance }));
    const byName = (one: Row, other: Row): number => one.name.localeCompare(other.name);
    assert.deepEqual([...rowsOf(readFileSync('docs/operating.md', 'utf8'))].sort(byName), limits.sort(byName));
  });
});
