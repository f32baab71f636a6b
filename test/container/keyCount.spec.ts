import assert from 'node:assert/strict';
import { it } from 'node:test';
import { memoryVault } from '../../src/adapters/vault/memory.js';
import { countedVault, keysPerCount } from '../../src/container/deployment/keyCount.js';

const counted = async () => {
  const counts: number[] = [];
  const record = {
    countKeys: (_: string, keys: number) => {
      counts.push(keys);
      return Promise.resolve();
    },
  };
  const vault = memoryVault();
  const onTrouble = (error: unknown): void => {
    assert.fail(String(error));
  };
  const make = () => countedVault({ vault, record, deployment: 'a', onTrouble });
  return { counts, make, ...(await make()) };
};

const create = async (vault: ReturnType<typeof memoryVault>, from: number, to: number): Promise<void> => {
  for (let name = from; name <= to; name += 1) await vault.create(name.toString(), Uint8Array.of(1, name % 256));
};

it('the log hears of every thousandth key, across restarts, and of the last one at a stop', async () => {
  const { counts, vault, make } = await counted();
  await create(vault, 1, keysPerCount - 1);
  assert.deepEqual(counts.slice(), []);
  const restarted = await make();
  await create(restarted.vault, keysPerCount, keysPerCount + 5);
  await restarted.countNow();
  assert.equal(counts.length, 2);
  assert.equal(counts.at(-1), keysPerCount + 5);
});

it('a key that was there already is not counted', async () => {
  const { counts, vault } = await counted();
  for (let times = 0; times < 2 * keysPerCount; times += 1)
    await vault.create('one', Uint8Array.of(times % 256, 7, times >> 8));
  assert.deepEqual(counts.slice(), []);
});
