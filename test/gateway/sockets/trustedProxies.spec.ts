import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import WebSocket from 'ws';
import {
  sharedAddresses,
  sharedAddressMillisMin,
  sharedAddressSessionsMin,
} from '../../../src/gateway/sockets/sharedAddresses.js';
import { freshFolder } from '../../support/dataFolders.js';
import { freePort } from '../../support/freePort.js';
import { textOf } from '../../support/sources.js';
import { exchanged, opened, serving, type Serving } from '../rig/serving.js';

const upgrade = [
  'GET / HTTP/1.1',
  'Host: localhost',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  `Sec-WebSocket-Key: ${'A'.repeat(22)}==`,
  '\r\n',
].join('\r\n');

const trusted = { trustedProxies: ['127.0.0.0/8', '::1'] };

/** Opens a WebSocket with these bytes before the request, in pieces; gives the address that the server took. */
const addressFor = async (t: TestContext, { port, addresses }: Serving, ...pieces: readonly string[]) => {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  t.after(() => socket.destroy());
  for (const piece of pieces) {
    socket.write(piece, 'latin1');
    await new Promise(setImmediate);
  }
  socket.write(upgrade);
  const [answer] = (await once(socket, 'data')) as [Buffer]; // The event is documented to give this.
  assert.match(answer.toString(), /^HTTP\/1\.1 101 /);
  return addresses.at(-1);
};

const forwardedFor = async (t: TestContext, at: Serving, list: string) => {
  assert.equal(await opened(t, { port: at.port, headers: { 'x-forwarded-for': list } }), 101);
  return at.addresses.at(-1);
};

/** One for each byte. */
const piecesOf = (header: string): readonly string[] =>
  Array.from({ length: header.length }, (_, index) => header.charAt(index));

const v2 = '\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0c\xcb\x00\x71\x09\x0a\x00\x00\x01\x00\x50\x00\x51';

describe('the address of a client', () => {
  it('is that of the connection where no proxy is trusted', async (t) => {
    const at = await serving(t);
    assert.equal(await forwardedFor(t, at, '203.0.113.9'), '127.0.0.1');
    assert.match(await exchanged(at.port, `PROXY TCP4 203.0.113.9 10.0.0.1 1 2\r\n${upgrade}`), /^HTTP\/1\.1 400 /);
  });

  it('is that of the connection where another proxy is trusted', async (t) => {
    const at = await serving(t, { trustedProxies: ['10.0.0.0/8'] });
    assert.equal(await forwardedFor(t, at, '203.0.113.9'), '127.0.0.1');
    assert.match(await exchanged(at.port, `PROXY TCP4 203.0.113.9 10.0.0.1 1 2\r\n${upgrade}`), /^HTTP\/1\.1 400 /);
  });

  it('is the rightmost in X-Forwarded-For that is no trusted proxy’s', async (t) => {
    const at = await serving(t, trusted);
    assert.equal(await forwardedFor(t, at, '198.51.100.1, 203.0.113.9, 127.0.0.7'), '203.0.113.9');
    assert.equal(await forwardedFor(t, at, '2001:0DB8:0:0:0::9'), '2001:db8::9');
  });

  it('is the proxy’s where the header holds no address', async (t) => {
    const at = await serving(t, trusted);
    for (const list of ['unknown', '203.0.113.9, evil', 'fe80::1%x', '203.0.113.9:80']) {
      assert.equal(await forwardedFor(t, at, list), '127.0.0.1', list);
    }
  });

  for (const [version, header] of Object.entries({ one: 'PROXY TCP4 203.0.113.9 10.0.0.1 1 2\r\n', two: v2 })) {
    it(`is that of the PROXY protocol, version ${version}, in one piece or many`, async (t) => {
      const at = await serving(t, trusted);
      assert.equal(await addressFor(t, at, header), '203.0.113.9');
      assert.equal(await addressFor(t, at, ...piecesOf(header)), '203.0.113.9');
    });
  }

  it('is the same in every way in which a proxy may write it', async (t) => {
    const at = await serving(t, trusted);
    const mapped = `${'\0'.repeat(10)}\xff\xff\xcb\x00\x71\x09`;
    const ends = `${'\0'.repeat(16)}\x00\x50\x00\x51`;
    for (const [header, address] of [
      [`\r\n\r\n\0\r\nQUIT\n\x21\x21\x00\x24${mapped}${ends}`, '203.0.113.9'],
      [`\r\n\r\n\0\r\nQUIT\n\x21\x21\x00\x24\x20\x01\x0d\xb8${'\0'.repeat(11)}\x09${ends}`, '2001:db8::9'],
      ['PROXY TCP6 ::FFFF:cb00:7109 ::1 1 2\r\n', '203.0.113.9'],
    ] as const) {
      assert.equal(await addressFor(t, at, header), address);
    }
    assert.equal(await forwardedFor(t, at, '::ffff:cb00:7109'), '203.0.113.9');
  });

  it('is not changed by a header of HTTP when the PROXY protocol has named a client', async (t) => {
    const at = await serving(t, trusted);
    const spoofed = `GET / HTTP/1.1\r\nX-Forwarded-For: 192.0.2.1\r\n${upgrade.slice('GET / HTTP/1.1\r\n'.length)}`;
    const socket = connect({ port: at.port, host: '127.0.0.1' });
    t.after(() => socket.destroy());
    socket.write(`PROXY TCP4 203.0.113.9 10.0.0.1 1 2\r\n${spoofed}`);
    await once(socket, 'data');
    assert.deepEqual(at.addresses, ['203.0.113.9']);
  });

  it('is not waited for by a proxy that says nothing, or nonsense', async (t) => {
    const at = await serving(t, { ...trusted, requestMillis: 300 });
    assert.equal(await exchanged(at.port, 'PROXY TCP4 '), '');
    assert.equal(await exchanged(at.port, 'PROXY TCP4 nobody\r\n'), '');
    assert.match(await exchanged(at.port, 'GET / HTTP/1.1\r\nHost: x\r\n'), /^HTTP\/1\.1 408 /);
  });
});

const withoutHaproxy =
  spawnSync('haproxy', ['-v']).status === 0 ? false : 'needs haproxy, which Debian has as a package';

/** The file that the containers use, with one node here in the place of those. */
const configFor = async (t: TestContext, node: number): Promise<{ readonly file: string; readonly port: number }> => {
  const port = await freePort();
  const file = join(freshFolder(t), 'haproxy.cfg');
  const text = textOf('deploy/haproxy.cfg')
    .replace(/^resolvers docker\n(?: .*\n)+/m, '')
    .replace(' resolvers docker init-addr none', '')
    .replace(/^( +server node-1) \S+/m, `$1 127.0.0.1:${node.toString()}`)
    .replace(/^ +server node-2 .*\n/m, '')
    .replace(/^( +bind) \S+/m, `$1 127.0.0.1:${port.toString()}`)
    .replace(/maxconn \d+/g, 'maxconn 100');
  writeFileSync(file, text);
  execFileSync('haproxy', ['-c', '-f', file]);
  return { file, port };
};

describe('HAProxy, as the containers have it', { skip: withoutHaproxy }, () => {
  it('tells the client’s address, finds the node ready, and lets nobody make up an address', async (t) => {
    const at = await serving(t, trusted);
    const { file, port } = await configFor(t, at.port);
    const haproxy = spawn('haproxy', ['-db', '-f', file], { stdio: 'ignore' });
    t.after(() => haproxy.kill('SIGKILL'));
    const socket = await untilOpen(t, `ws://127.0.0.1:${port.toString()}`);
    assert.equal(socket.readyState, WebSocket.OPEN);
    assert.equal(at.addresses.at(-1), '127.0.0.9');
    assert.equal((await fetch(`http://127.0.0.1:${port.toString()}/metrics`)).status, 404);
  });
});

/** The proxy sends nobody to a node before it has found it ready. The client has an address of its own. */
const untilOpen = async (t: TestContext, url: string): Promise<WebSocket> => {
  for (;;) {
    const socket = new WebSocket(url, { localAddress: '127.0.0.9', headers: { 'x-forwarded-for': '192.0.2.1' } });
    t.after(() => {
      socket.terminate();
    });
    const opening = once(socket, 'open').then(() => true);
    if (await opening.catch(() => false)) return socket;
  }
};

describe('an address that many sessions share', () => {
  it('is told once in a while, and forgotten when they leave', () => {
    const warnings: object[] = [];
    let now = 0;
    const { joined, left } = sharedAddresses({ warn: (details) => warnings.push(details), now: () => now });
    for (let session = 1; session < sharedAddressSessionsMin; session += 1) joined('203.0.113.9');
    joined('203.0.113.8');
    assert.deepEqual(warnings, []);
    joined('203.0.113.9');
    joined('203.0.113.9');
    assert.deepEqual(warnings, [{ address: '203.0.113.9', sessions: sharedAddressSessionsMin }]);
    for (let session = 0; session < 3; session += 1) left('203.0.113.9');
    now += sharedAddressMillisMin;
    joined('203.0.113.9');
    assert.equal(warnings.length, 1);
    joined('203.0.113.9');
    assert.equal(warnings.length, 2);
  });
});
