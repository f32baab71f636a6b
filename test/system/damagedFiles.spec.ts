import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { closeSync, copyFileSync, openSync, rmSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { foldersIn } from '../../src/engines.js';
import { freshFolder } from '../support/dataFolders.js';
import { servedFile } from '../support/generations.js';
import { testServer } from '../support/server.js';

/** A folder on which a server has worked. */
const used = async (t: TestContext): Promise<string> => {
  const dataDir = freshFolder(t);
  await (await testServer({ dataDir })).close();
  return dataDir;
};

/** LMDB itself would end this process, and with it the test. */
const refused = async (dataDir: string, because: string, how: string): Promise<void> => {
  await assert.rejects(testServer({ dataDir }), ({ message }: Error) => {
    assert.ok(message.startsWith(`OSMIUM_DATA_DIR: "${dataDir}" cannot be used: `), how);
    assert.ok(message.includes(because), `${how}: ${message}`);
    return true;
  });
};

describe('a damaged LMDB file', () => {
  const files = async (dataDir: string) => {
    const { vault, log } = foldersIn(dataDir);
    return {
      vault: join(vault, 'vault.mdb'),
      log: join(log, 'log', 'data.mdb'),
      index: join(log, 'index', 'data.mdb'),
      documents: await servedFile(dataDir),
    };
  };
  const overwrite = (file: string, at: number, bytes: Uint8Array): void => {
    const handle = openSync(file, 'r+');
    writeSync(handle, bytes, 0, bytes.length, at);
    closeSync(handle);
  };
  const damages: Readonly<Record<string, (file: string) => void>> = {
    'its first meta page overwritten': (file) => {
      overwrite(file, 0, new Uint8Array(4_096));
    },
    'its second meta page overwritten': (file) => {
      overwrite(file, 4_096, randomBytes(4_096));
    },
    'both meta pages in place and the rest cut off': (file) => {
      truncateSync(file, 8_192);
    },
    'another content': (file) => {
      writeFileSync(file, 'not what it was');
    },
  };

  for (const part of ['vault', 'log', 'index', 'documents'] as const) {
    it(`is named when it is that of the ${part}, before LMDB looks at it`, async (t) => {
      const dataDir = await used(t);
      const file = (await files(dataDir))[part];
      const copy = `${file}.copy`;
      copyFileSync(file, copy);
      for (const [how, damage] of Object.entries(damages)) {
        damage(file);
        await refused(dataDir, `${file} is damaged`, how);
        copyFileSync(copy, file);
      }
      await (await testServer({ dataDir })).close();
    });
  }

  it('is named when it holds the salts of the vault', async (t) => {
    const dataDir = await used(t);
    const salts = join(foldersIn(dataDir).vault, 'vault.salts');
    truncateSync(salts, 32);
    await refused(dataDir, `${salts} is damaged (it has 1 salts, vault.mdb 4 secrets)`, 'cut off');
    rmSync(salts);
    await refused(dataDir, salts, 'missing');
  });
});
