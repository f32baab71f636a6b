import assert from 'node:assert/strict';
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { FolderInUse, lockFolder } from '../../../src/adapters/dataFolder/lock.js';
import { testServer } from '../../support/server.js';
import { initialize, rawClient } from '../rig/rawClient.js';

const folderFor = (t: TestContext): string => {
  const folder = mkdtempSync(join(tmpdir(), 'osmium-process-'));
  t.after(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
};

const main = new URL('../../../src/main.js', import.meta.url);

type Child = { readonly process: ChildProcess; readonly output: () => string; readonly ready: Promise<string> };

const start = (environment: Readonly<Record<string, string>>): Child => {
  const child = fork(main, { env: { PATH: process.env['PATH'] ?? '', ...environment }, silent: true });
  let output = '';
  const ready = new Promise<string>((resolve, fail) => {
    const hear = (data: Buffer): void => {
      output += data.toString();
      const port = /"port":(\d+),.*ready for clients/.exec(output)?.[1];
      if (port !== undefined) resolve(`ws://127.0.0.1:${port}/`);
    };
    child.stdout?.on('data', hear);
    child.stderr?.on('data', hear);
    child.on('exit', () => {
      fail(new Error(`the server ended: ${output}`));
    });
  });
  ready.catch(() => undefined);
  return { process: child, output: () => output, ready };
};

describe('the lock of a data folder', () => {
  it('is had by the process that asked while its holder was letting go of it', async (t) => {
    const folder = folderFor(t);
    const holder = createServer((socket) => {
      socket.destroy();
      holder.close();
    });
    holder.listen({ path: join(folder, 'lock') });
    await once(holder, 'listening');
    await (await lockFolder(folder)).release();
  });

  it('keeps a second one out, and says who has it', async (t) => {
    const folder = folderFor(t);
    const lock = await lockFolder(folder);
    await assert.rejects(
      lockFolder(folder),
      (error) => error instanceof FolderInUse && error.message.includes(process.pid.toString()),
    );
    await lock.release();
    await (await lockFolder(folder)).release();
  });

  it('is given to one of many who ask at once', async (t) => {
    const folder = folderFor(t);
    const asked = await Promise.allSettled(Array.from({ length: 8 }, () => lockFolder(folder)));
    const given = asked.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
    assert.equal(given.length, 1);
    await given[0]?.release();
  });

  it('works for folders with long names', async (t) => {
    const folder = join(folderFor(t), 'x'.repeat(120));
    const lock = await lockFolder(folder);
    await assert.rejects(lockFolder(folder), FolderInUse);
    // In the folder, where nobody else can take its name.
    assert.deepEqual(readdirSync(folder), ['lock']);
    await lock.release();
    assert.deepEqual(readdirSync(folder), []);
  });

  it('is for its owner alone', async (t) => {
    const folder = folderFor(t);
    const lock = await lockFolder(folder);
    assert.equal(statSync(join(folder, 'lock')).mode & 0o777, 0o600);
    await lock.release();
  });

  it('is released while somebody stays connected to it', async (t) => {
    const folder = folderFor(t);
    const lock = await lockFolder(folder);
    const peer = connect({ path: join(folder, 'lock'), allowHalfOpen: true });
    peer.on('error', () => undefined);
    t.after(() => peer.destroy());
    assert.deepEqual(await once(peer, 'data'), [Buffer.from(process.pid.toString())]);
    await lock.release();
  });
});

describe('the process', () => {
  it('serves, refuses a second one on its folder, and ends well when asked to', async (t) => {
    const folder = folderFor(t);
    const environment = { OSMIUM_DATA_DIR: folder, OSMIUM_PORT: '0' };
    const first = start(environment);
    const client = await rawClient(await first.ready);
    client.ask(1, 'coreInitialize', initialize);
    assert.ok((await client.result(1)).initialized);

    const second = start(environment);
    assert.deepEqual(await once(second.process, 'exit'), [1, null]);
    assert.match(second.output(), new RegExp(`in use by process ${String(first.process.pid)}`));

    first.process.kill('SIGTERM');
    assert.equal(await client.closed, 1012);
    assert.deepEqual(await once(first.process, 'exit'), [0, null]);
  });

  it('starts again after it was killed', async (t) => {
    const environment = { OSMIUM_DATA_DIR: folderFor(t), OSMIUM_PORT: '0' };
    const first = start(environment);
    await first.ready;
    first.process.kill('SIGKILL');
    await once(first.process, 'exit');
    const second = start(environment);
    await second.ready;
    second.process.kill('SIGTERM');
    assert.deepEqual(await once(second.process, 'exit'), [0, null]);
  });

  it('ends with a message about a bad value', async () => {
    const child = start({ OSMIUM_PORT: 'http' });
    assert.deepEqual(await once(child.process, 'exit'), [1, null]);
    assert.match(child.output(), /^OSMIUM_PORT: "http" is not allowed; allowed is a whole number/);
  });
});

describe('a whole server', () => {
  it('is ready, and signs people up', async (t) => {
    const server = await testServer();
    t.after(() => server.remove());
    assert.equal((await server.readiness()).ready, true);
    const client = await rawClient(server.url);
    client.ask(1, 'coreInitialize', initialize);
    client.ask(2, 'authSignUp', { name: 'Ada' });
    const { authorization } = await client.result(2);
    assert.equal(authorization?.user?.name, 'Ada');
    client.ask(3, 'chatsGetChats', {});
    assert.ok((await client.result(3)).chats);
    const [clients, operator] = [server.port, server.adminPort ?? 0].map(
      (port) => `http://127.0.0.1:${port.toString()}`,
    );
    assert.deepEqual(await (await fetch(`${clients ?? ''}/readyz`)).json(), { ready: true });
    assert.equal((await fetch(`${clients ?? ''}/metrics`)).status, 404);
    const { role } = (await (await fetch(`${operator ?? ''}/readyz`)).json()) as { role: string }; // As asked for.
    assert.equal(role, 'projects');
    const metrics = await (await fetch(`${operator ?? ''}/metrics`)).text();
    assert.match(metrics, /osmium_lag_positions\{of="fan-out"\} 0/);
  });

  it('knows its people again after a restart', async (t) => {
    const before = await testServer();
    const client = await rawClient(before.url);
    client.ask(1, 'coreInitialize', initialize);
    client.ask(2, 'authSignUp', { name: 'Ada' });
    const token = (await client.result(2)).authorization?.token;
    assert.ok(token);
    const server = await before.restarted();
    t.after(() => server.remove());
    const again = await rawClient(server.url);
    again.ask(1, 'coreInitialize', initialize);
    again.ask(2, 'authAuthorize', { token });
    assert.equal((await again.result(2)).authorization?.user?.name, 'Ada');
  });
});
