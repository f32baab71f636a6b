import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import fs, { chmodSync, existsSync, mkdtempSync, statSync, writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, it } from 'node:test';
import { loadMasterKey } from '../../src/adapters/vault/masterKey.js';

const folder = mkdtempSync(join(tmpdir(), 'osmium-key-'));
after(() => rm(folder, { recursive: true }));

it('makes a key file for its owner alone, once', () => {
  const path = join(folder, 'data', 'master.key');
  const made = loadMasterKey(path, { mayMake: true });
  assert.equal(made.made, true);
  assert.equal(made.key.length, 32);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.deepEqual(loadMasterKey(path, { mayMake: true }), { key: made.key, made: false });
});

it('reads a key as bytes, hex or base64', () => {
  const key = randomBytes(32);
  const forms = [key, key.toString('hex'), `${key.toString('base64')}\n`, key.toString('base64url')];
  for (const [index, content] of forms.entries()) {
    const path = join(folder, `form${index.toString()}`);
    writeFileSync(path, content, { mode: 0o600 });
    assert.deepEqual(loadMasterKey(path, { mayMake: true }), { key: Uint8Array.from(key), made: false });
  }
});

it('leaves nothing of a key in memory but what it gives', () => {
  const key = randomBytes(32);
  const read: Buffer[] = [];
  const { readFileSync } = fs;
  const noted = (path: string): Buffer => {
    const content = readFileSync(path);
    read.push(content);
    return content;
  };
  fs.readFileSync = noted as typeof readFileSync; // Nothing else is asked for meanwhile.
  syncBuiltinESMExports();
  try {
    for (const [index, content] of [key, key.toString('hex'), key.toString('base64')].entries()) {
      const path = join(folder, `wiped${index.toString()}`);
      writeFileSync(path, content, { mode: 0o600 });
      assert.deepEqual(loadMasterKey(path, { mayMake: false }).key, Uint8Array.from(key));
    }
  } finally {
    fs.readFileSync = readFileSync;
    syncBuiltinESMExports();
  }
  assert.equal(read.length, 3);
  for (const content of read) assert.ok(content.every((byte) => byte === 0));
});

it('refuses a file that holds no key', () => {
  for (const [index, content] of ['', 'secret', 'ab'.repeat(31)].entries()) {
    const path = join(folder, `bad${index.toString()}`);
    writeFileSync(path, content, { mode: 0o600 });
    assert.throws(() => loadMasterKey(path, { mayMake: true }), /holds no master key/);
  }
});

it('warns of a key that others can read', () => {
  const path = join(folder, 'open.key');
  writeFileSync(path, randomBytes(32));
  chmodSync(path, 0o644);
  assert.match(loadMasterKey(path, { mayMake: true }).warning ?? '', /others can read/);
});

it('does not make a missing key where that would only hide that the old one is gone', () => {
  const path = join(folder, 'elsewhere', 'master.key');
  assert.throws(() => loadMasterKey(path, { mayMake: false }), /restore the key file/);
  assert.ok(!existsSync(path));
});
