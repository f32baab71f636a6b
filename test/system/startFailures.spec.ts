import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { foldersIn } from '../../src/engines.js';
import { freshFolder } from '../support/dataFolders.js';
import { serverProcess, type ServerProcess } from '../support/serverProcess.js';

const endsWith = async (server: ServerProcess, expected: RegExp): Promise<void> => {
  assert.equal(await server.ended, 1, server.output());
  assert.match(server.output(), expected);
  assert.doesNotMatch(server.output(), /\n {4}at /);
};

const refused = (t: TestContext, dataDir: string, expected: RegExp): Promise<void> =>
  endsWith(serverProcess(t, { OSMIUM_DATA_DIR: dataDir }), expected);

/** A folder on which a server has worked. */
const used = async (t: TestContext): Promise<string> => {
  const folder = join(freshFolder(t), 'data');
  const server = serverProcess(t, { OSMIUM_DATA_DIR: folder });
  await server.ready;
  server.kill('SIGTERM');
  assert.equal(await server.ended, 0);
  return folder;
};

const dataDirIn = (dataDir: string, why: string): RegExp =>
  new RegExp(`^OSMIUM_DATA_DIR: "${dataDir}" cannot be used: ${why}`, 'm');

const isRoot = process.getuid?.() === 0;
const has = (program: string): boolean => spawnSync(program, ['--version']).status === 0;
const asAnother = isRoot && has('setpriv') ? false : 'needs root and setpriv';
const nobody = 65_534;

/** The same server as a user who owns nothing. */
const byNobody = (t: TestContext, environment: Readonly<Record<string, string>>): ServerProcess =>
  serverProcess(t, environment, ['setpriv', '--reuid', nobody.toString(), '--clear-groups']);

/** Whoever is not root does not get so far. */
const mounts = (): boolean => {
  if (!isRoot || process.platform !== 'linux') return false;
  const folder = mkdtempSync(join(tmpdir(), 'osmium-mount-'));
  const canMount = spawnSync('mount', ['-t', 'tmpfs', 'tmpfs', folder]).status === 0;
  if (canMount) execFileSync('umount', [folder]);
  rmdirSync(folder);
  return canMount;
};
const mounted = mounts() ? false : 'needs root and tmpfs';

const tmpfs = (t: TestContext, options: string): string => {
  const folder = mkdtempSync(join(tmpdir(), 'osmium-mount-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', folder]);
  t.after(() => {
    execFileSync('umount', [folder]);
    rmdirSync(folder);
  });
  return folder;
};

describe('a server that cannot start names the variable and the file at fault', () => {
  it(
    'for a folder where the system takes none, without trying for ever',
    { skip: process.platform !== 'linux' },
    async (t) => {
      await refused(t, '/proc/x', dataDirIn('/proc/x', "ENOENT: .*'/proc/x'"));
      const key = serverProcess(t, { OSMIUM_DATA_DIR: freshFolder(t), OSMIUM_MASTER_KEY_FILE: '/proc/x/master.key' });
      await endsWith(key, /^OSMIUM_MASTER_KEY_FILE: "\/proc\/x\/master\.key" cannot be used: .*ENOENT/m);
    },
  );

  it('for a scanner that is not there', async (t) => {
    const server = serverProcess(t, { OSMIUM_DATA_DIR: freshFolder(t), OSMIUM_SCAN_COMMAND: '/opt/no/scanner -' });
    await endsWith(
      server,
      /^OSMIUM_SCAN_COMMAND: "\/opt\/no\/scanner -" cannot be used: \/opt\/no\/scanner: there is no program/m,
    );
  });

  for (const part of ['log', 'vault', 'documents'] as const) {
    it(`for a file in the place of ${part}`, async (t) => {
      const dataDir = freshFolder(t);
      writeFileSync(foldersIn(dataDir)[part], 'no folder');
      await refused(t, dataDir, dataDirIn(dataDir, `.*${foldersIn(dataDir)[part]}`));
    });
  }

  it('for a folder in the place of the lock, which is left there', async (t) => {
    const dataDir = freshFolder(t);
    mkdirSync(join(dataDir, 'lock', 'mine'), { recursive: true });
    await refused(t, dataDir, dataDirIn(dataDir, `.*${dataDir}/lock is no socket: move it away`));
    assert.deepEqual(readdirSync(dataDir), ['lock']);
  });

  for (const part of ['vault', 'log', 'documents'] as const) {
    it(`for a ${part} on a disk that is not mounted, without a word of giving up keys`, async (t) => {
      const dataDir = await used(t);
      const [folder, away] = [foldersIn(dataDir)[part], join(dataDir, '..', 'disk')];
      renameSync(folder, away);
      symlinkSync(`${away}-not-mounted`, folder);
      const server = serverProcess(t, { OSMIUM_DATA_DIR: dataDir });
      await endsWith(server, dataDirIn(dataDir, `${folder} is a link to ${away}-not-mounted, which is not there`));
      assert.doesNotMatch(server.output(), /give-up-keys/);
    });
  }

  it('for a master key that is lost while the vault is kept, and says how to go on without it', async (t) => {
    const dataDir = await used(t);
    rmSync(foldersIn(dataDir).masterKey);
    const says = '.*master.key is not there: restore the key file.*move the vault away.*vault new --give-up-keys';
    await refused(t, dataDir, dataDirIn(dataDir, says));
  });

  it('for a data folder that another one owns, not for the port', { skip: asAnother }, async (t) => {
    const folder = freshFolder(t);
    chmodSync(folder, 0o755);
    const server = byNobody(t, { OSMIUM_DATA_DIR: folder });
    await endsWith(server, dataDirIn(folder, '.*(EACCES|permission denied)'));
  });

  for (const part of ['log', 'vault', 'documents'] as const) {
    it(`for the ${part} that another one owns`, { skip: asAnother }, async (t) => {
      const dataDir = await used(t);
      chmodSync(join(dataDir, '..'), 0o755);
      execFileSync('chown', ['-R', nobody.toString(), dataDir]);
      execFileSync('chown', ['-R', '0', foldersIn(dataDir)[part]]);
      execFileSync('chmod', ['-R', 'go-rwx', foldersIn(dataDir)[part]]);
      await endsWith(byNobody(t, { OSMIUM_DATA_DIR: dataDir }), dataDirIn(dataDir, `.*${foldersIn(dataDir)[part]}`));
    });
  }

  it('for a key file that another one owns', { skip: asAnother }, async (t) => {
    const folder = freshFolder(t);
    const [dataDir, key] = [join(folder, 'data'), join(folder, 'master.key')];
    chmodSync(folder, 0o755);
    mkdirSync(dataDir);
    chownSync(dataDir, nobody, nobody);
    writeFileSync(key, randomBytes(32), { mode: 0o600 });
    const server = byNobody(t, { OSMIUM_DATA_DIR: dataDir, OSMIUM_MASTER_KEY_FILE: key });
    await endsWith(server, new RegExp(`^OSMIUM_MASTER_KEY_FILE: "${key}" cannot be used: .*EACCES.*${key}`, 'm'));
  });

  it('for a data folder on a disk that can only be read', { skip: mounted }, async (t) => {
    const folder = tmpfs(t, 'ro');
    await refused(t, join(folder, 'data'), dataDirIn(join(folder, 'data'), '.*EROFS'));
  });

  it('for a full disk, whatever still found room', { skip: mounted }, async (t) => {
    for (const kibibytes of [8, 256, 480]) {
      const folder = tmpfs(t, `size=${kibibytes.toString()}k`);
      await refused(t, join(folder, 'data'), dataDirIn(join(folder, 'data'), `.*${folder}`));
    }
  });
});
