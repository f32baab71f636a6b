import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it, type TestContext } from 'node:test';
import { blobPathsIn } from '../../../src/adapters/blobs/files.js';
import { backUp, putBack } from '../../support/backups.js';
import { freshFolder } from '../../support/dataFolders.js';
import { testServer } from '../../support/server.js';
import { signUp } from '../../system/seat.js';

/** A data folder on which a server has worked, and a backup of it. Tests change copies. */
let origin: { readonly dataDir: string; readonly folder: string; readonly key: string };

before(async () => {
  const cleanup = { after: () => undefined };
  const [dataDir, folder] = [join(freshFolder(cleanup), 'data'), join(freshFolder(cleanup), 'backup')];
  const server = await testServer({ dataDir });
  const ada = await signUp(server.url, 'Ada');
  await ada.do('messagesSendMessage', { chatRef: { self: {} }, message: 'sealed' });
  await ada.do('mediaUploadFilePart', { uploadId: 1n, part: 0, data: Buffer.from('bytes of a file') });
  const media = [{ uploaded: { file: { id: 1n, name: 'a', partCount: 1 } } }];
  await ada.do('messagesSendMessage', { chatRef: { self: {} }, media });
  await ada.raw.leave();
  await server.close();
  assert.equal((await backUp(dataDir, { folder })).code, 0);
  origin = { dataDir, folder, key: join(dataDir, 'master.key') };
});

const copyOf = (t: TestContext, folder: string): string => {
  const copy = join(freshFolder(t), 'copy');
  cpSync(folder, copy, { recursive: true });
  return copy;
};

const restoredInto = (t: TestContext): string => join(freshFolder(t), 'data');

const checkpoint = 'state/workflows/workflow.admitMembers';
const files = [checkpoint, 'log/log/data.mdb', 'vault/vault.mdb', 'vault/vault.salts', 'ids.mark'] as const;

describe('osmium backup', () => {
  it('copies log, vault, mark and places of workflows for the owner alone, and neither key nor read models', () => {
    assert.deepEqual(readdirSync(origin.folder).sort(), [
      'files',
      'ids.mark',
      'log',
      'manifest.json',
      'state',
      'vault',
    ]);
    assert.deepEqual(readdirSync(join(origin.folder, 'state')), ['workflows']);
    for (const file of [...files, 'manifest.json'])
      assert.equal(statSync(join(origin.folder, file)).mode & 0o777, 0o600, file);
  });

  it('says where the key is, takes it along when asked, and then opens without another one', async (t) => {
    const [plain, folder] = [join(freshFolder(t), 'plain'), join(freshFolder(t), 'keyed')];
    assert.ok((await backUp(origin.dataDir, { folder: plain })).output.includes(`not in here: it was ${origin.key}`));
    const { output } = await backUp(origin.dataDir, { folder, withKey: true, json: true });
    // What the command has just printed.
    const printed = JSON.parse(output) as Readonly<Record<string, unknown>>;
    assert.deepEqual([printed['withKey'], printed['opened'], printed['folder']], [true, true, folder]);
    assert.equal(statSync(join(folder, 'master.key')).mode & 0o777, 0o600);
    assert.equal((await putBack(restoredInto(t), { folder })).code, 0);
  });

  it('is refused into a folder that holds something, into the data folder, and where there is no log', async (t) => {
    const held = freshFolder(t);
    writeFileSync(join(held, 'mine'), '');
    const inside = join(origin.dataDir, 'backup');
    const none = join(freshFolder(t), 'none');
    for (const [dataDir, folder, says] of [
      [origin.dataDir, held, /is not empty, it holds mine/],
      [origin.dataDir, inside, /is in the data folder/],
      [none, join(held, 'new'), /there is no log in .*none/],
    ] as const) {
      const { code, errors } = await backUp(dataDir, { folder });
      assert.equal(code, 1);
      assert.match(errors, says);
    }
    assert.deepEqual([readdirSync(held), existsSync(inside), existsSync(none)], [['mine'], false, false]);
  });

  it('takes what is ours beside servers of others, and is refused where nothing is', async (t) => {
    const [log, documents] = ['esdb://127.0.0.1:1?tls=false', 'mongodb://127.0.0.1:1/osmium'];
    const folder = join(freshFolder(t), 'vault');
    const taken = await backUp(origin.dataDir, { folder }, { OSMIUM_EVENT_LOG: log });
    assert.equal(taken.code, 0, taken.errors);
    assert.match(taken.output, /^log +not in here: it is in esdb:/m);
    assert.deepEqual(readdirSync(folder).sort(), ['files', 'ids.mark', 'manifest.json', 'vault']);
    const elsewhere = {
      OSMIUM_EVENT_LOG: log,
      OSMIUM_DOCUMENTS: documents,
      OSMIUM_MASTER_KEY_FILE: origin.key,
      OSMIUM_BLOBS: 'file:///nowhere/files',
    };
    const { code, errors } = await backUp(origin.dataDir, { folder: join(folder, 'none') }, elsewhere);
    assert.equal(code, 1);
    assert.match(errors, /log and vault are on servers of their own.*EventStoreDB first/);
  });
});

describe('the places of workflows in a backup', () => {
  it('are those of before the log was copied', async (t) => {
    const dataDir = copyOf(t, origin.dataDir);
    writeFileSync(join(dataDir, checkpoint), `${'9'.repeat(20)}\n`);
    const { code, errors } = await backUp(dataDir, { folder: join(freshFolder(t), 'ahead') });
    assert.equal(code, 1);
    assert.match(errors, /workflow\.admitMembers is at 9+, and the log ends at \d+/);
  });

  it('leave out what a killed write left behind, and are in no backup where there are none', async (t) => {
    const [dataDir, folder] = [copyOf(t, origin.dataDir), join(freshFolder(t), 'backup')];
    writeFileSync(join(dataDir, `${checkpoint}.0123abcd`), '');
    assert.equal((await backUp(dataDir, { folder })).code, 0);
    assert.ok(!existsSync(join(folder, `${checkpoint}.0123abcd`)));
    rmSync(join(dataDir, 'state'), { recursive: true });
    const without = join(freshFolder(t), 'without');
    assert.equal((await backUp(dataDir, { folder: without })).code, 0);
    assert.ok(!existsSync(join(without, 'state')));
  });
});

describe('reading a backup whole', () => {
  it('changes nothing, and opens everything with the key', async (t) => {
    const folder = copyOf(t, origin.folder);
    const before = readdirSync(folder, { recursive: true });
    const closed = await backUp(origin.dataDir, { folder, verify: true });
    const opened = await backUp(origin.dataDir, { folder, verify: true, key: origin.key });
    assert.deepEqual([closed.code, opened.code], [0, 0]);
    assert.match(closed.output, /^sealed +looked at, not opened/m);
    assert.match(opened.output, /^sealed +every value and every key opens/m);
    assert.deepEqual(readdirSync(folder, { recursive: true }), before);
  });

  for (const file of files)
    it(`finds one wrong byte in ${file}, and a file that is missing`, async (t) => {
      const folder = copyOf(t, origin.folder);
      const bytes = readFileSync(join(folder, file));
      const at = Math.floor(bytes.length / 2);
      bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
      writeFileSync(join(folder, file), bytes);
      const { code, errors } = await backUp(origin.dataDir, { folder, verify: true });
      assert.equal(code, 1);
      assert.match(errors, new RegExp(`${file} is not what was backed up: its bytes are others`));
      rmSync(join(folder, file));
      assert.match((await backUp(origin.dataDir, { folder, verify: true })).errors, new RegExp(`ENOENT.*${file}`));
    });

  it('takes a folder without a manifest for none, and one whose manifest leads out of it', async (t) => {
    const folder = copyOf(t, origin.folder);
    const manifest = join(folder, 'manifest.json');
    const text = readFileSync(manifest, 'utf8');
    for (const [content, says] of [
      [text.slice(0, -20), /manifest\.json is damaged/],
      [text.replace('ids.mark"', '../mark"'), /names a file outside of the backup/],
    ] as const) {
      writeFileSync(manifest, content);
      assert.match((await backUp(origin.dataDir, { folder, verify: true })).errors, says);
    }
    rmSync(manifest);
    assert.match((await putBack(restoredInto(t), { folder, key: origin.key })).errors, /has no manifest\.json/);
  });
});

describe('osmium restore', () => {
  it('names a wrong key, and leaves the folder as empty as it was', async (t) => {
    const [dataDir, key] = [restoredInto(t), join(freshFolder(t), 'other.key')];
    writeFileSync(key, randomBytes(32), { mode: 0o600 });
    const wrong = await putBack(dataDir, { folder: origin.folder, key });
    assert.equal(wrong.code, 1);
    assert.ok(wrong.errors.includes(`${key} is not the master key of this backup`));
    assert.match((await putBack(dataDir, { folder: origin.folder })).errors, /without its master key.*--key/);
    assert.deepEqual(readdirSync(dataDir), []);
    assert.equal((await putBack(dataDir, { folder: origin.folder, key: origin.key })).code, 0);
    assert.deepEqual(readdirSync(dataDir).sort(), ['files', 'ids.mark', 'log', 'master.key', 'state', 'vault']);
    const bytesBelow = (folder: string) => blobPathsIn(join(folder, 'files')).map((file) => readFileSync(file));
    assert.deepEqual(bytesBelow(dataDir), bytesBelow(origin.dataDir));
    assert.equal(bytesBelow(dataDir).length, 1);
  });

  it('is refused into a folder that holds something, and on which a server runs', async (t) => {
    const dataDir = restoredInto(t);
    mkdirSync(join(dataDir, 'vault'), { recursive: true });
    const given = { folder: origin.folder, key: origin.key };
    assert.match((await putBack(dataDir, given)).errors, /is not empty, it holds vault/);
    const server = await testServer();
    t.after(server.remove);
    assert.match((await putBack(server.dataDir, given)).errors, /a server runs on this data folder/);
  });

  it('uses the key file of the server, and is refused where that is another one', async (t) => {
    const [dataDir, other] = [restoredInto(t), join(freshFolder(t), 'other.key')];
    writeFileSync(other, randomBytes(32), { mode: 0o600 });
    const { folder, key } = origin;
    const refused = await putBack(dataDir, { folder, key }, { OSMIUM_MASTER_KEY_FILE: other });
    assert.match(refused.errors, /OSMIUM_MASTER_KEY_FILE names .*other\.key, which is not the key/);
    assert.equal((await putBack(dataDir, { folder }, { OSMIUM_MASTER_KEY_FILE: key })).code, 0);
    assert.ok(!existsSync(join(dataDir, 'master.key')));
  });

  it('that was cut short keeps a server from starting', async (t) => {
    const dataDir = restoredInto(t);
    mkdirSync(join(dataDir, 'restoring'), { recursive: true });
    await assert.rejects(testServer({ dataDir }), /a restore into .* was cut short: empty the folder/);
    assert.match((await putBack(dataDir, { folder: origin.folder, key: origin.key })).errors, /holds restoring/);
  });
});
