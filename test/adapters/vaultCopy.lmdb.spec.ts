import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { it } from 'node:test';
import { lmdbVault } from '../../src/adapters/vault/lmdb.js';
import { checkVaultFiles, lmdbVaultReader } from '../../src/adapters/vault/lmdbReader.js';
import { freshFolder } from '../support/dataFolders.js';

const secrets = 60;
const copies = 6;
/** So large that copying takes longer than destroying. */
const secretBytes = 40_000;
const nameOf = (number: number): string => `secret.${number.toString()}`;

it('a vault is copied with every secret and its salt, while secrets are made, replaced and destroyed', async (t) => {
  const masterKey = randomBytes(32);
  const vault = await lmdbVault({ folder: freshFolder(t), masterKey });
  for (let number = 0; number < secrets; number += 1) await vault.create(nameOf(number), randomBytes(secretBytes));
  for (let copy = 0; copy < copies; copy += 1) {
    const folder = join(freshFolder(t), 'copy');
    const copying = vault.copyTo(folder);
    const numbers = Array.from({ length: secrets / copies }, (_, index) => copy * (secrets / copies) + index);
    await Promise.all([
      ...numbers.map((number) => vault.destroy(nameOf(number))),
      ...numbers.map((number) => vault.put(nameOf(secrets + number), randomBytes(32))),
      vault.put('replaced', randomBytes(32)),
    ]);
    await copying;
    assert.ok((await checkVaultFiles(folder)) >= secrets);
    const reader = await lmdbVaultReader({ folder, masterKey });
    for (const name of reader.secretNames()) assert.ok((await reader.get(name)) instanceof Uint8Array, name);
    await reader.close();
  }
  await vault.close();
});
