import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, lstatSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { connectInFolder } from '../../src/adapters/dataFolder/adminSocket.js';
import { freshFolder } from '../support/dataFolders.js';
import { serverProcess, type ServerProcess } from '../support/serverProcess.js';
import { osmium, type Run } from './osmium.js';

const served = async (t: TestContext, dataDir: string): Promise<ServerProcess> => {
  const server = serverProcess(t, { OSMIUM_DATA_DIR: dataDir });
  await server.ready;
  return server;
};

const on = (dataDir: string, ...args: readonly string[]): Run['ended'] =>
  osmium(args, { OSMIUM_DATA_DIR: dataDir }).ended;

const killed = async (t: TestContext, dataDir: string): Promise<void> => {
  const server = await served(t, dataDir);
  server.kill('SIGKILL');
  await server.ended;
};

const canBeAnother = process.getuid?.() === 0 && spawnSync('setpriv', ['--version']).status === 0;
const asAnother = canBeAnother ? false : 'needs root and setpriv';

const nothingToGiveUp = 'osmium: vault and log belong together: there is nothing to give up\n';
const noServer = 'osmium: no server runs on this data folder\n';

describe('a verb', () => {
  it('is answered by the running server, several at once', async (t) => {
    const dataDir = freshFolder(t);
    const server = await served(t, dataDir);
    const [text, json, metrics] = await Promise.all([
      on(dataDir, 'status'),
      on(dataDir, 'status', '--json'),
      on(dataDir, 'metrics'),
    ]);
    assert.deepEqual([text.code, json.code, metrics.code], [0, 0, 0]);
    assert.match(text.output, /^ready +yes\n.*^version +\d+\.\d+\.\d+\n.*^log +ok\n.*^messages +0 positions/ms);
    const status = JSON.parse(json.output) as Readonly<Record<string, unknown>>; // What the server has just printed.
    assert.deepEqual([status['ready'], status['pid'], status['phase']], [true, server.pid, 'running']);
    assert.match(metrics.output, /^osmium_connections 0$/m);
  });

  it('that is for a stopped server is refused by the running one, and changes nothing', async (t) => {
    const dataDir = freshFolder(t);
    await served(t, dataDir);
    // The running server makes the folder of its search index when it comes to that.
    const files = (): readonly string[] =>
      readdirSync(dataDir)
        .filter((name) => name !== 'search')
        .sort();
    const before = files();
    for (const args of [
      ['vault', 'new', '--give-up-keys'],
      ['vault', 'keep', '--give-up-keys'],
      ['log', 'copy', '--from', `lmdb:${dataDir}`, '--to', `lmdb:${dataDir}-copy`],
      ['log', 'copy', '--from', `lmdb:${dataDir}-copy`, '--to', `lmdb:${dataDir}`],
    ]) {
      const { code, output, errors } = await on(dataDir, ...args);
      assert.deepEqual([code, output], [1, '']);
      assert.match(errors, /^osmium: a server runs on (this|one of the) data folder/);
    }
    assert.deepEqual(files(), before);
  });

  it('takes the lock itself when no server runs, and one at a time', async (t) => {
    const dataDir = freshFolder(t);
    const server = await served(t, dataDir);
    server.kill('SIGTERM');
    await server.ended;
    assert.ok(!readdirSync(dataDir).includes('admin.sock'));
    const ran = await Promise.all([1, 2].map(() => on(dataDir, 'vault', 'new', '--give-up-keys')));
    for (const { code, errors } of ran) {
      assert.equal(code, 1);
      assert.match(errors, new RegExp(`^(${nothingToGiveUp}|osmium: the data folder .* is in use by process \\d+)`));
    }
    assert.ok(ran.some(({ errors }) => errors === nothingToGiveUp));
    assert.equal((await on(dataDir, 'status')).errors, noServer);
  });

  it('takes the socket that a killed server left behind for none, and the next server replaces it', async (t) => {
    const dataDir = freshFolder(t);
    await killed(t, dataDir);
    assert.ok(lstatSync(join(dataDir, 'admin.sock')).isSocket());
    assert.deepEqual(await on(dataDir, 'status'), { code: 1, output: '', errors: noServer });
    assert.equal((await on(dataDir, 'vault', 'new', '--give-up-keys')).errors, nothingToGiveUp);
    await served(t, dataDir);
    assert.equal((await on(dataDir, 'status')).code, 0);
  });

  it('leaves the socket alone that belongs to a server which holds the lock', async (t) => {
    const dataDir = freshFolder(t);
    await served(t, dataDir);
    const second = serverProcess(t, { OSMIUM_DATA_DIR: dataDir });
    assert.equal(await second.ended, 1);
    assert.equal((await on(dataDir, 'status')).code, 0);
  });

  it(
    'works where the path is longer than that of a socket may be',
    { skip: process.platform !== 'linux' },
    async (t) => {
      const dataDir = join(freshFolder(t), 'x'.repeat(120), 'y'.repeat(120));
      await killed(t, dataDir);
      const server = await served(t, dataDir);
      assert.ok(readdirSync(dataDir).includes('lock'));
      assert.equal((await on(dataDir, 'status')).code, 0);
      server.kill('SIGTERM');
      assert.equal(await server.ended, 0);
      assert.ok(!readdirSync(dataDir).some((name) => name === 'lock' || name === 'admin.sock'));
    },
  );

  it('is refused to other users, by name', { skip: asAnother }, async (t) => {
    const dataDir = freshFolder(t);
    await served(t, dataDir);
    chmodSync(dataDir, 0o711);
    const words = ['--reuid', '65534', '--clear-groups', process.execPath, 'dist/src/cli.js', 'status'];
    const { status, stderr } = spawnSync('setpriv', [...words, '--data-dir', dataDir], { encoding: 'utf8' });
    assert.equal(status, 1);
    assert.match(stderr, /^osmium: the server on .* is another user's: run this as the user who runs the server\n$/);
  });

  it('does not start a server where something else has the name of the socket', async (t) => {
    const folder = freshFolder(t);
    const [file, inner] = [join(folder, 'file'), join(folder, 'folder')];
    for (const dataDir of [file, inner]) mkdirSync(dataDir);
    writeFileSync(join(file, 'admin.sock'), 'mine');
    mkdirSync(join(inner, 'admin.sock'));
    for (const dataDir of [file, inner]) {
      const server = serverProcess(t, { OSMIUM_DATA_DIR: dataDir });
      assert.equal(await server.ended, 1);
      assert.match(server.output(), /^OSMIUM_DATA_DIR: ".*" cannot be used: .*admin\.sock is no socket: move it away/m);
    }
  });
});

describe('a server', () => {
  it('is not held up by those who say nothing at its door or its lock', async (t) => {
    const dataDir = freshFolder(t);
    const server = await served(t, dataDir);
    const silent = await connectInFolder(dataDir);
    const atLock = connect(join(dataDir, 'lock'));
    for (const socket of [silent, atLock]) socket?.on('error', () => undefined).resume();
    assert.equal((await on(dataDir, 'status')).code, 0);
    server.kill('SIGTERM');
    assert.equal(await server.ended, 0);
  });
});
