import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, statSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { lmdbVault } from '../../src/adapters/vault/lmdb.js';
import { WrongMasterKey } from '../../src/adapters/vault/wrapping.js';
import { vaultContract } from './vault.js';

const newFolder = (): string => mkdtempSync(join(tmpdir(), 'osmium-vault-'));

const folder = newFolder();
const masterKey = randomBytes(32);
vaultContract('lmdb', () => lmdbVault({ folder, masterKey }), {
  keeps: true,
  cleanUp: () => rm(folder, { recursive: true }),
});

it('lmdb vault: refuses another master key, and opens again with its own', async (test) => {
  const own = newFolder();
  test.after(() => rm(own, { recursive: true }));
  await (await lmdbVault({ folder: own, masterKey })).close();
  await assert.rejects(lmdbVault({ folder: own, masterKey: randomBytes(32) }), WrongMasterKey);
  await (await lmdbVault({ folder: own, masterKey })).close();
});

it('lmdb vault: has nothing in its files that shows a secret, and overwrites the salt of one that goes', async (test) => {
  const own = newFolder();
  test.after(() => rm(own, { recursive: true }));
  const vault = await lmdbVault({ folder: own, masterKey });
  const secret = randomBytes(32);
  await vault.create('first', secret);
  await vault.put('second', secret);
  const salts = (): Buffer => readFileSync(join(own, 'vault.salts'));
  assert.equal(readFileSync(join(own, 'vault.mdb')).includes(secret), false);
  assert.equal(salts().includes(secret), false);
  const [first, second] = [salts().subarray(0, 32), salts().subarray(32, 64)];
  await vault.destroy('first');
  await vault.put('second', Buffer.from('another'));
  assert.equal(salts().includes(first), false);
  assert.equal(salts().includes(second), false);
  await vault.close();
});

it('lmdb vault: keeps its files from others', async (test) => {
  const own = newFolder();
  test.after(() => rm(own, { recursive: true }));
  await (await lmdbVault({ folder: own, masterKey })).close();
  for (const file of ['vault.mdb', 'vault.salts']) assert.equal(statSync(join(own, file)).mode & 0o077, 0);
});
