import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { memoryDocuments } from '../../../src/adapters/documents/memory.js';
import { memoryVault } from '../../../src/adapters/vault/memory.js';
import { evidenceScope } from '../../../src/domain/reports/events.js';
import { kernelInMemory } from '../../support/house/kernel.js';
import { readsOf } from '../../support/reads.js';
import { collections } from '../../../src/projections/registry.js';
import { daysPerLookMax, evidenceDaysMax, reportKeys } from '../../../src/gateway/access/reportKeys.js';

const keyOf = (scope: string): string => `scope.${scope}`;
const going = new AbortController().signal;

const setting = async (...days: readonly number[]) => {
  const vault = memoryVault();
  const state = { today: 0, asked: 0 };
  const name = (day: number): string => keyOf(evidenceScope(day));
  for (const day of days) await vault.create(name(day), new Uint8Array(32));
  const watched = {
    destroy: vault.destroy,
    get: (key: string) => {
      state.asked += 1;
      return vault.get(key);
    },
  };
  const { execute } = await kernelInMemory();
  const documents = memoryDocuments();
  await documents.open(collections);
  const needs = { reads: readsOf(documents), execute };
  const keys = reportKeys({ ...needs, vault: watched, keyOf, today: () => state.today });
  const destroyed = async (): Promise<readonly number[]> => {
    const states = await Promise.all(days.map((day) => vault.get(name(day))));
    return days.filter((_, index) => states[index] === 'destroyed');
  };
  return { vault, state, keys, destroyed };
};

describe('the keys of reports', () => {
  it('are destroyed after 180 days, and not a day sooner', async () => {
    const { state, keys, destroyed } = await setting(0, 1, 5);
    state.today = evidenceDaysMax;
    await keys.endKept(going);
    assert.deepEqual(await destroyed(), []);
    state.today = evidenceDaysMax + 1;
    await keys.endKept(going);
    assert.deepEqual(await destroyed(), [0]);
    state.today = evidenceDaysMax + 3;
    await keys.endKept(going);
    assert.deepEqual(await destroyed(), [0, 1]);
  });
  it('are looked for once in a process, so many at a look, and none is made to be destroyed', async () => {
    const { vault, state, keys, destroyed } = await setting(3, daysPerLookMax + 1);
    state.today = daysPerLookMax + evidenceDaysMax + 5;
    await keys.endKept(going);
    assert.deepEqual([await destroyed(), state.asked], [[3], daysPerLookMax]);
    await keys.endKept(going);
    await keys.endKept(going);
    assert.deepEqual([await destroyed(), state.asked], [[3, daysPerLookMax + 1], daysPerLookMax + 5]);
    assert.equal(await vault.names(), 2);
  });
  it('are left to the next look when the node stops or the vault is away', async () => {
    const { state, keys, destroyed } = await setting(0, 1);
    state.today = evidenceDaysMax + 2;
    await keys.endKept(AbortSignal.abort());
    assert.deepEqual(await destroyed(), []);
    await keys.endKept(going);
    assert.deepEqual(await destroyed(), [0, 1]);
  });
});
