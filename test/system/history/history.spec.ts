import assert from 'node:assert/strict';
import { it } from 'node:test';
import { onNodes } from '../../support/deployments.js';
import { faults, type Fault } from './faults.js';
import { onOneNode, onTwoNodes, withFault, type Judged, type Runs } from './runs.js';

const moves = (each: number): Runs['during'] => {
  let all = 0;
  return ({ moved }) => moved((all += each));
};

const assertSound = ({ history, violations }: Judged): void => {
  assert.ok(history.seen.length > 0 && history.told.length > 0 && history.counted.length > 0, 'nothing was judged');
  assert.deepEqual(violations, []);
};

it('clients of one node read what was acknowledged, and are told what they were owed, in one order', async () => {
  assertSound(await onOneNode({ clients: 20, seed: 1, during: moves(1_000) }));
});

onNodes('clients of two nodes', () => {
  it('read what they wrote and were told, also where one of the nodes is killed', async () => {
    assertSound(await onTwoNodes({ clients: 20, seed: 1, during: moves(150) }));
  });
});

const triesMax = 5;

/** A history in which the fault did not show proves nothing, so another one is made. */
const kindsFound = async (fault: Fault): Promise<ReadonlySet<string>> => {
  const kinds = new Set<string>();
  for (let seed = 1; seed <= triesMax && !fault.found.every((kind) => kinds.has(kind)); seed += 1) {
    const { violations } = await withFault(fault, { clients: 10, seed, during: moves(400) });
    for (const { kind } of violations) kinds.add(kind);
  }
  return kinds;
};

for (const fault of faults) {
  it(`${fault.name} is found in what clients of a real server recorded`, async () => {
    const kinds = await kindsFound(fault);
    for (const kind of fault.found) assert.ok(kinds.has(kind), `${kind} is not among ${[...kinds].join(', ')}`);
  });
}
