import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, lstatSync, mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { closeToOthers } from '../../src/adapters/dataFolder/modes.js';
import { foldersIn } from '../../src/engines.js';
import { osmium } from '../cli/osmium.js';
import { freshFolder, formerFolder } from '../support/dataFolders.js';
import { serverProcess } from '../support/serverProcess.js';

const inWords = (path: string): string => `${path} ${(lstatSync(path).mode & 0o777).toString(8)}`;

/** Everything below the folder that the group or others may use, and the folder itself. */
const openIn = (folder: string): readonly string[] =>
  [folder, ...readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name))]
    .filter((path) => (lstatSync(path).mode & 0o077) !== 0)
    .map(inWords);

/** As a user of the system would start it whose files are open to all. */
const openUmask = ['sh', '-c', 'umask 000; exec "$0" "$@"'];

const ranOn = async (t: TestContext, dataDir: string, whileRunning: () => void): Promise<void> => {
  const server = serverProcess(t, { OSMIUM_DATA_DIR: dataDir }, openUmask);
  await server.ready;
  whileRunning();
  server.kill('SIGTERM');
  assert.equal(await server.ended, 0);
};

const isUnix = process.platform !== 'win32';
const isRoot = process.getuid?.() === 0;
const asAnother = isRoot && spawnSync('setpriv', ['--version']).status === 0 ? false : 'needs root and setpriv';
const nobody = 65_534;

describe('a data folder', { skip: !isUnix }, () => {
  it('is for its owner alone, with all that is in it, whatever the umask', async (t) => {
    const dataDir = join(freshFolder(t), 'data');
    await ranOn(t, dataDir, () => {
      assert.deepEqual(openIn(dataDir), []);
    });
    assert.deepEqual(openIn(dataDir), []);
  });

  it('of a former release is closed to others at the start, and files of other programs are left as they are', async (t) => {
    const { dataDir } = formerFolder(t);
    const opened = [
      dataDir,
      ...readdirSync(dataDir, { recursive: true, encoding: 'utf8' }).map((name) => join(dataDir, name)),
    ];
    for (const path of opened) chmodSync(path, statSync(path).isDirectory() ? 0o755 : 0o644);
    const { log, documents, vault, masterKey } = foldersIn(dataDir);
    for (const path of [log, documents, vault, masterKey]) assert.ok(opened.includes(path), path);
    const about = join(dataDir, 'about.json');
    await ranOn(t, dataDir, () => {
      assert.deepEqual(openIn(dataDir), [inWords(about)]);
    });
  });

  it('holds no file behind a link, whose mode stays as it is, but folders behind links', (t) => {
    const [dataDir, elsewhere] = [freshFolder(t), freshFolder(t)];
    const { presence, documents } = foldersIn(dataDir);
    const [file, folder] = [join(elsewhere, 'file'), join(elsewhere, 'folder')];
    writeFileSync(file, '');
    mkdirSync(folder);
    for (const [path, mode] of [
      [file, 0o644],
      [folder, 0o755],
    ] as const)
      chmodSync(path, mode);
    symlinkSync(file, presence);
    symlinkSync(folder, documents);
    closeToOthers(dataDir);
    assert.deepEqual([inWords(file), inWords(folder)], [`${file} 644`, `${folder} 700`]);
  });

  it('is closed by a command as well, and what a command makes is closed', async (t) => {
    const { dataDir } = formerFolder(t);
    const copy = join(freshFolder(t), 'copy');
    chmodSync(dataDir, 0o755);
    const { code, errors } = await osmium(['log', 'copy', '--from', `lmdb:${dataDir}`, '--to', `lmdb:${copy}`]).ended;
    assert.equal(code, 0, errors);
    assert.deepEqual([openIn(copy), statSync(dataDir).mode & 0o077], [[], 0]);
  });

  it('of somebody else, open to all, is refused by name', { skip: asAnother }, async (t) => {
    const dataDir = join(freshFolder(t), 'data');
    mkdirSync(dataDir);
    chmodSync(join(dataDir, '..'), 0o755);
    chmodSync(dataDir, 0o777);
    const by = ['setpriv', '--reuid', nobody.toString(), '--clear-groups'];
    const server = serverProcess(t, { OSMIUM_DATA_DIR: dataDir }, by);
    assert.equal(await server.ended, 1);
    assert.match(
      server.output(),
      /^OSMIUM_DATA_DIR: ".*" cannot be used: .* has the mode 777 and belongs to another user/m,
    );
    assert.deepEqual(readdirSync(dataDir), []);
  });

  it(
    'of the server’s own user with a file of somebody else in its place is refused by name',
    { skip: asAnother },
    async (t) => {
      const dataDir = join(freshFolder(t), 'data');
      mkdirSync(join(dataDir, 'log'), { recursive: true });
      chmodSync(join(dataDir, '..'), 0o755);
      chownSync(dataDir, nobody, nobody);
      writeFileSync(join(dataDir, 'log', 'data.mdb'), '');
      chmodSync(join(dataDir, 'log'), 0o777);
      const by = ['setpriv', '--reuid', nobody.toString(), '--clear-groups'];
      const server = serverProcess(t, { OSMIUM_DATA_DIR: dataDir }, by);
      assert.equal(await server.ended, 1);
      assert.match(server.output(), /^OSMIUM_DATA_DIR: ".*" cannot be used: .*\/log has the mode 777/m);
    },
  );
});
