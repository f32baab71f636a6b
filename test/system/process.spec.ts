import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { variables } from '../../src/config.js';
import { foldersIn } from '../../src/engines.js';
import type { MessageId } from '../../src/kernel/ids.js';
import { initialize, rawClient, type RawClient } from '../gateway/rig/rawClient.js';
import { freePort } from '../support/freePort.js';
import { folderFor, serverProcess, startedByScript } from '../support/serverProcess.js';
import { savedMessages } from './places.js';
import { resume, signUp, type Seat } from './seat.js';

const secondsToCloseMax = 5;

describe('two processes on one data folder', () => {
  it('are one too many, however long the name of the folder is', async (t) => {
    const folder = join(folderFor(t), 'a'.repeat(100), 'b'.repeat(100));
    const first = serverProcess(t, { OSMIUM_DATA_DIR: folder });
    await signUp(await first.ready, 'Ada');
    const second = serverProcess(t, { OSMIUM_DATA_DIR: folder });
    assert.equal(await second.ended, 1);
    assert.match(second.output(), /^the data folder .* is in use by process \d+: stop that one first/);
    assert.ok(second.output().includes(`process ${first.pid.toString()}`));

    first.kill('SIGKILL');
    assert.equal(await first.ended, 'SIGKILL');
    const third = serverProcess(t, { OSMIUM_DATA_DIR: folder });
    await third.ready;
    third.kill('SIGTERM');
    assert.equal(await third.ended, 0);
  });

  it('are refused also when the second one comes by another name of the folder', async (t) => {
    const folder = folderFor(t);
    await serverProcess(t, { OSMIUM_DATA_DIR: folder }).ready;
    const second = serverProcess(t, { OSMIUM_DATA_DIR: join(folder, '..', folder.split('/').at(-1) ?? '', '.') });
    assert.equal(await second.ended, 1);
    assert.match(second.output(), /in use by process/);
  });
});

describe('what an operator gets wrong', () => {
  const wrong: Readonly<Record<string, string>> = {
    OSMIUM_HOST: 'not a host',
    OSMIUM_PORT: '80800',
    OSMIUM_ADMIN_HOST: 'not a host either',
    OSMIUM_ADMIN_PORT: 'metrics',
    OSMIUM_TRUSTED_PROXIES: 'proxy',
    OSMIUM_ORIGINS: 'chat.example',
    OSMIUM_EVENT_LOG: 'postgres://localhost',
    OSMIUM_DOCUMENTS: 'files',
    OSMIUM_VAULT: 'keys.txt',
    OSMIUM_PUBSUB: 'nats://localhost',
    OSMIUM_RATE_LIMITS: 'maybe',
    OSMIUM_SIGNED_OUT_PER_ADDRESS: '0',
    OSMIUM_CONNECTIONS: '0',
    OSMIUM_CONNECTIONS_PER_SESSION: 'few',
    OSMIUM_CONNECTIONS_PER_USER: '-1',
    OSMIUM_WAITING_MIB: '0',
    OSMIUM_WAITING_PER_USER_MIB: '1.5',
    OSMIUM_RECEIVED_MIB: '1',
    OSMIUM_RECEIVED_PER_CONNECTION_MIB: '1',
    OSMIUM_FREE_DISK_MIB: '5 %',
    OSMIUM_BLOBS: 'ftp://files',
    OSMIUM_FILE_MIB: '0',
    OSMIUM_UPLOADED_PER_USER_MIB: 'much',
    OSMIUM_EMBEDS: 'perhaps',
    OSMIUM_SCAN_COMMAND: './scan -',
    OSMIUM_WRITTEN_PER_USER_MIB: '0',
    OSMIUM_PROJECTIONS: '1.js,2.js,3.js,4.js,5.js,6.js,7.js,8.js,9.js',
    OSMIUM_PROJECTIONS_OPEN: 'no name',
    OSMIUM_LOG_LEVEL: 'loud',
  };

  it('in the configuration ends the process with the name of each variable, its value and what is allowed', async (t) => {
    const server = serverProcess(t, { OSMIUM_DATA_DIR: folderFor(t), ...wrong });
    assert.equal(await server.ended, 1);
    const lines = server.output().trim().split('\n');
    for (const [name, value] of Object.entries(wrong)) {
      const line = lines.find((one) => one.startsWith(`${name}: "${value}"`));
      assert.match(line ?? '', /; allowed is /, name);
    }
    assert.equal(lines.length, Object.keys(wrong).length);
  });

  it('can be every variable that is not just a path', () => {
    const paths = ['OSMIUM_DATA_DIR', 'OSMIUM_MASTER_KEY_FILE'];
    const names = Object.values(variables).map(({ name }) => name);
    assert.deepEqual(names.filter((name) => !paths.includes(name)).sort(), Object.keys(wrong).sort());
  });

  it('in the name of a variable is mentioned', async (t) => {
    const server = serverProcess(t, { OSMIUM_DATA_DIR: folderFor(t), OSMIUM_PROT: '1' });
    await server.ready;
    assert.match(server.output(), /OSMIUM_PROT is no variable of this server/);
  });

  it('in a value that cannot be used is said in the same way', async (t) => {
    const other = createServer();
    t.after(() => other.close());
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as AddressInfo; // It listens on a port, not on a pipe.
    const folder = folderFor(t);
    const file = join(folder, 'file');
    writeFileSync(file, 'no key');
    const unusable: Readonly<Record<string, readonly string[]>> = {
      OSMIUM_HOST: ['203.0.113.7', 'nobody.invalid'],
      OSMIUM_PORT: [port.toString()],
      OSMIUM_DATA_DIR: [file, join(file, 'below')],
      OSMIUM_MASTER_KEY_FILE: [file, folder, join(file, 'below')],
    };
    for (const [name, values] of Object.entries(unusable)) {
      for (const value of values) {
        const server = serverProcess(t, { OSMIUM_DATA_DIR: join(folder, 'data'), [name]: value });
        assert.equal(await server.ended, 1);
        assert.match(server.output(), new RegExp(`^${name}: "${value}" cannot be used: .+$`, 'm'));
        assert.doesNotMatch(server.output(), /\n {4}at /);
      }
    }
  });
});

describe('the master key', () => {
  /** A folder on which a server has worked. */
  const used = async (t: TestContext): Promise<string> => {
    const folder = folderFor(t);
    const server = serverProcess(t, { OSMIUM_DATA_DIR: folder });
    await server.ready;
    assert.match(server.output(), /made a master key: back it up/);
    server.kill('SIGTERM');
    assert.equal(await server.ended, 0);
    return folder;
  };
  const refusal = async (t: TestContext, dataDir: string): Promise<string> => {
    const server = serverProcess(t, { OSMIUM_DATA_DIR: dataDir });
    assert.equal(await server.ended, 1);
    return server.output();
  };

  it('when another one is in its place, or none, or what is no key, is asked for', async (t) => {
    const folder = await used(t);
    const { masterKey } = foldersIn(folder);
    const right = readFileSync(masterKey);
    writeFileSync(masterKey, randomBytes(32));
    assert.match(await refusal(t, folder), /made under another master key: restore the key file that belongs to it/);
    rmSync(masterKey);
    assert.match(await refusal(t, folder), /restore the key file/);
    writeFileSync(masterKey, 'my secret');
    assert.match(await refusal(t, folder), /master\.key holds no master key: 32 bytes/);
    writeFileSync(masterKey, right);
    await serverProcess(t, { OSMIUM_DATA_DIR: folder }).ready;
  });

  it('is not made anew beside a vault that needs the old one', async (t) => {
    const folder = await used(t);
    rmSync(foldersIn(folder).masterKey);
    assert.doesNotMatch(await refusal(t, folder), /made a master key/);
    assert.ok(!readdirSync(folder).includes('master.key'));
  });
});

describe('a process that is asked to end', () => {
  /** A client that has stopped to read, with more waiting for it than the kernel takes. */
  const deafClient = async (url: string, token: string): Promise<RawClient> => {
    const client = await rawClient(url);
    client.ask(1, 'coreInitialize', initialize);
    client.ask(2, 'authAuthorize', { token });
    await client.result(2);
    client.socket.pause();
    for (let id = 3; id < 60; id += 1) client.ask(id, 'messagesGetHistory', { chatRef: savedMessages, limit: 100 });
    return client;
  };

  it('answers what is under way, tells its clients, and ends with 0 in time though one does not read', async (t) => {
    const folder = folderFor(t);
    const server = serverProcess(t, { OSMIUM_DATA_DIR: folder, OSMIUM_RATE_LIMITS: 'off' });
    const url = await server.ready;
    const ada = await signUp(url, 'Ada');
    const long = Array.from({ length: 30 }, () => ({ chatRef: savedMessages, message: 'x'.repeat(4000) }));
    await Promise.all(long.map((request) => ada.do('messagesSendMessage', request)));
    const deaf = await deafClient(url, ada.token);
    const idle = await signUp(url, 'Ben');

    const sends = Array.from({ length: 200 }, (_, count) =>
      ada
        .do('messagesSendMessage', { chatRef: savedMessages, message: `No. ${count.toString()}` })
        .then(({ messageId }) => messageId)
        .catch(() => undefined),
    );
    await sends[0];
    const asked = performance.now();
    server.kill('SIGTERM');
    assert.equal(await server.ended, 0);
    assert.ok(performance.now() - asked < secondsToCloseMax * 1000);
    assert.equal(await idle.raw.closed, 1012);
    assert.equal(await ada.raw.closed, 1012);
    deaf.socket.terminate();

    const acknowledged = (await Promise.all(sends)).filter((id) => id !== undefined);
    assert.ok(acknowledged.length > 0);
    const next = serverProcess(t, { OSMIUM_DATA_DIR: folder, OSMIUM_RATE_LIMITS: 'off' });
    const again = await resume(await next.ready, ada.token);
    const stored = await savedBy(again);
    assert.deepEqual(
      acknowledged.filter((id) => !stored.has(id)),
      [],
    );
  });

  it(
    'and was started as the README says, is asked itself and not only the shell around it',
    { timeout: 30_000 },
    async (t) => {
      const server = startedByScript(t, { OSMIUM_DATA_DIR: folderFor(t) });
      await server.ready;
      server.kill('SIGTERM');
      assert.equal(await server.ended, 0);
    },
  );

  it('before it is ready, ends all the same', async (t) => {
    const server = serverProcess(t, { OSMIUM_DATA_DIR: folderFor(t) });
    server.kill('SIGTERM');
    assert.ok([0, 'SIGTERM'].includes((await server.ended) ?? ''));
  });
});

const savedBy = async (seat: Seat): Promise<ReadonlySet<MessageId>> => {
  const stored = new Set<MessageId>();
  let page: { readonly before?: MessageId | undefined } = {};
  for (;;) {
    const { messages } = await seat.do('messagesGetHistory', { chatRef: savedMessages, limit: 100, ...page });
    if (messages.length === 0) return stored;
    for (const { messageId } of messages) stored.add(messageId);
    page = { before: messages.at(-1)?.messageId };
  }
};

describe('a process that is to be silent', () => {
  it('prints nothing at all', async (t) => {
    const port = await freePort();
    const folder = folderFor(t);
    mkdirSync(folder, { recursive: true });
    const server = serverProcess(t, {
      OSMIUM_DATA_DIR: folder,
      OSMIUM_PORT: port.toString(),
      OSMIUM_LOG_LEVEL: 'silent',
    });
    const ada = await signUp(await reachable(port), 'Ada');
    await ada.do('chatsGetChats', {});
    server.kill('SIGTERM');
    assert.equal(await server.ended, 0);
    assert.equal(server.output(), '');
  });
});

/** It does not say when it is ready, so it is asked. */
const reachable = async (port: number): Promise<string> => {
  for (;;) {
    const answer = await fetch(`http://127.0.0.1:${port.toString()}/readyz`).catch(() => undefined);
    if (answer?.status === 200) return `ws://127.0.0.1:${port.toString()}/`;
    await new Promise((resolve) => setTimeout(resolve, askAgainMillis));
  }
};
const askAgainMillis = 20;
