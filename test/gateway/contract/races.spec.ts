import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { it } from 'node:test';
import { rpcPolicy } from '../../../src/gateway/contract/rpcPolicy.js';
import { notBuilt } from '../../../src/gateway/registry.js';
import { rpcTable, type AnyRpc } from '../../../src/gen/rpcs.js';

const page = readFileSync('docs/security.md', 'utf8');
const [, section = ''] = page.split('\n## Races between nodes\n');
const [races = ''] = section.split('\n## ');
/** The RPCs that the first column names. */
const placed = races
  .split('\n')
  .flatMap((line) => [...(line.split(' | ')[0] ?? '').matchAll(/`(\w+\.\w+)`/g)])
  .map(([, path = '']) => path.toLowerCase());

it('docs/security.md has every RPC that writes once in its table of races, and no other', () => {
  const isBuilt = ({ name }: AnyRpc): boolean => !(notBuilt as readonly string[]).includes(name);
  const writes = (Object.values(rpcTable) as readonly AnyRpc[]).filter(
    (rpc) => isBuilt(rpc) && rpcPolicy[rpc.name].stores !== 'nothing',
  );
  assert.ok(writes.length > 0);
  assert.deepEqual(placed.toSorted(), writes.map(({ path }) => path.toLowerCase()).sort());
});
