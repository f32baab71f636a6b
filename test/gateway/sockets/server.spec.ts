import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it, type TestContext } from 'node:test';
import { WebSocket } from 'ws';
import { signedOutMessageBounds } from '../../../src/gateway/sockets/connection.js';
import { gatewayPaths } from '../../../src/gateway/sockets/server.js';
import { keepAliveMillisMax } from '../../../src/gateway/sockets/timeouts.js';
import { proxyServer } from '../../support/proxyServer.js';
import { testServer } from '../../support/server.js';
import { pieceBytesMax } from '../../../src/gateway/sockets/socketPieces.js';
import { exchanged, head, held, opened, serving, upgrade, type Opening, type ServingOptions } from '../rig/serving.js';

const evil = 'https://evil.example';

/** A connection that a server does not close would hold its test up for ever. */
const bounded = { timeout: 20_000 };

describe('a page', bounded, () => {
  it('opens a WebSocket to the server that it came from, and programs do without an origin', async (t) => {
    const { port, taken } = await serving(t);
    assert.equal(await opened(t, { port, origin: `http://127.0.0.1:${port.toString()}` }), 101);
    assert.equal(await opened(t, { port }), 101);
    assert.equal(await opened(t, { port, headers: { host: 'rebound.evil.example' } }), 101);
    assert.equal(taken.length, 3);
  });

  it('of another origin is refused before the handshake, and told the operator’s way out', async (t) => {
    const { port, taken, warnings } = await serving(t);
    const host = `127.0.0.1:${port.toString()}`;
    for (const path of [...gatewayPaths, '/healthz', '/nothing']) {
      const answer = await exchanged(port, upgrade(`Host: ${host}`, `Origin: ${evil}`).replace('/', path));
      assert.match(answer, /^HTTP\/1\.1 403 Forbidden\r\n(.+\r\n)*connection: close\r\n/i);
      const [, body = ''] = answer.split('\r\n\r\n');
      assert.match((JSON.parse(body) as { error: string }).error, /https:\/\/chat\.example, into OSMIUM_ORIGINS/);
    }
    assert.deepEqual([taken.length, warnings], [0, [{ origin: evil, host, refused: 1 }]]);
  });

  it('under a name that was pointed at this machine is refused', async (t) => {
    const { port } = await serving(t);
    const rebound = { origin: 'http://rebound.evil.example', headers: { host: 'rebound.evil.example' } };
    assert.equal(await opened(t, { port, ...rebound }), 403);
  });

  it('is let in from a listed origin, also from none that can be told', async (t) => {
    const listing = await serving(t, { origins: ['https://chat.example', 'null'] });
    const statuses = await Promise.all(
      ['https://chat.example', 'null', evil].map((origin) => opened(t, { port: listing.port, origin })),
    );
    assert.deepEqual(statuses, [101, 101, 403]);
    assert.equal(await opened(t, { port: (await serving(t, { origins: ['*'] })).port, origin: evil }), 101);
  });

  it('is let in as the configuration says', async (t) => {
    const server = await testServer({ environment: { OSMIUM_ORIGINS: 'https://chat.example' } });
    t.after(() => server.remove());
    const statuses = ['https://chat.example', evil].map((origin) => opened(t, { port: server.port, origin }));
    assert.deepEqual(await Promise.all(statuses), [101, 403]);
  });

  it('that is refused leaves no connection behind, also when it takes nothing and stays', async (t) => {
    const { port } = await serving(t);
    const { client, server } = await held(t, port);
    client.write(upgrade('Host: localhost', `Origin: ${evil}`) + 'more than was asked for');
    await once(server, 'close');
    assert.ok(server.destroyed);
  });
});

describe('frames that come with the request for a WebSocket', bounded, () => {
  const heartbeats = (count: number): string => '\x82\x82\0\0\0\0\x08\x01'.repeat(count);
  const sentWith = async (t: TestContext, frames: string) => {
    const { port, taken } = await serving(t);
    const { client, server } = await held(t, port);
    client.write(upgrade('Host: localhost') + frames, 'latin1');
    await Promise.race([once(server, 'close'), once(client.resume(), 'data')]);
    return { taken, server };
  };

  it('are taken while they are few', async (t) => {
    const { taken } = await sentWith(t, heartbeats(10));
    assert.equal(taken.length, 1);
  });

  it('close its connection unread where they are more than a piece of a read', async (t) => {
    const { taken, server } = await sentWith(t, heartbeats(pieceBytesMax / 8 + 1));
    assert.deepEqual([taken.length, server.destroyed], [0, true]);
  });
});

describe('a WebSocket that pings and takes no answer', bounded, () => {
  it('is cut once a few answers wait', async (t) => {
    const { port, taken: sockets } = await serving(t);
    const { client, server } = await held(t, port);
    client.write(upgrade('Host: localhost'));
    while (sockets.length === 0) await new Promise(setImmediate);
    const closed = once(server, 'close').then(() => true);
    // A masked ping of 125 bytes, whose mask is 0, and as many as fill the buffers of the system between the two ends.
    const ping = Buffer.concat([Buffer.of(0x89, 0x80 | 125, 0, 0, 0, 0), Buffer.alloc(125)]);
    const pings = Buffer.concat(Array<Buffer>(2_000).fill(ping));
    const taken = (): Promise<false> => new Promise((resolve) => client.write(pings, () => resolve(false)));
    while (!(await Promise.race([closed, taken()])));
  });
});

describe('a frame that comes in many reads', bounded, () => {
  it('closes a WebSocket without a session', async (t) => {
    const { port, taken } = await serving(t);
    const { client, server } = await held(t, port);
    client.write(upgrade('Host: localhost'));
    await once(client.resume(), 'data');
    const failed = once(taken[0] ?? assert.fail(), 'error');
    // The head of a masked frame of 1,000 bytes, and then one byte in each read.
    server.emit('data', Buffer.from([0x82, 0x80 | 126, 1_000 >> 8, 1_000 & 0xff, 0, 0, 0, 0]));
    for (let read = 0; read <= signedOutMessageBounds.maxBufferedChunks; read += 1) server.emit('data', Buffer.of(0));
    const [error] = (await failed) as [Error]; // The library documents the event to give this.
    assert.match(error.message, /[Tt]oo many/);
  });
});

describe('behind a proxy', bounded, () => {
  const keepsHost = (request: Buffer): Buffer => request;
  const rewritesHost = (port: number) => (request: Buffer) =>
    Buffer.from(request.toString('latin1').replace(/\r\nHost: .*?\r\n/i, `\r\nHost: 127.0.0.1:${port.toString()}\r\n`));

  const proxied = async (t: TestContext, how: 'keeps Host' | 'rewrites Host', options?: ServingOptions) => {
    const { port } = await serving(t, options);
    const passed = how === 'keeps Host' ? keepsHost : rewritesHost(port);
    const proxy = await proxyServer({
      target: { host: '127.0.0.1', port },
      relay: (client, upstream) => {
        client.on('data', (bytes: Buffer) => upstream.write(passed(bytes)));
        upstream.pipe(client);
      },
    });
    t.after(() => proxy.close());
    const through = Number(proxy.address.split(':')[1]);
    return {
      own: `http://${proxy.address}`,
      open: (opening: Omit<Opening, 'port'>) => opened(t, { ...opening, port: through }),
    };
  };

  for (const how of ['keeps Host', 'rewrites Host'] as const) {
    it(`that ${how}, programs come in and strangers’ pages do not`, async (t) => {
      const { open } = await proxied(t, how);
      assert.deepEqual([await open({}), await open({ origin: evil })], [101, 403]);
    });

    it(`that ${how}, a page under another name comes in once it is listed`, async (t) => {
      const page = { origin: 'https://chat.example', headers: { host: 'chat.example' } };
      const unlisted = await proxied(t, how);
      const listed = await proxied(t, how, { origins: [page.origin] });
      assert.deepEqual([await unlisted.open(page), await listed.open(page)], [403, 101]);
      assert.equal(await listed.open({ origin: evil, headers: { host: 'chat.example' } }), 403);
    });
  }

  it('only one that keeps Host shows that a page is the server’s own', async (t) => {
    const [keeping, rewriting] = [await proxied(t, 'keeps Host'), await proxied(t, 'rewrites Host')];
    assert.equal(await keeping.open({ origin: keeping.own }), 101);
    assert.equal(await rewriting.open({ origin: rewriting.own }), 403);
  });
});

describe('a request over HTTP', bounded, () => {
  const statusOf = async (port: number, ...lines: readonly string[]): Promise<string> =>
    (await exchanged(port, head(...lines, 'Connection: close'))).slice(9, 12);

  it('for readiness is answered without asking the engines each time', async (t) => {
    let asked = 0;
    const readiness = () => {
      asked += 1;
      return Promise.resolve({ ready: true } as const);
    };
    const { port } = await serving(t, { readiness });
    const request = head('GET /readyz HTTP/1.1', 'Host: localhost', 'Connection: close');
    const answers = await Promise.all(Array.from({ length: 20 }, () => exchanged(port, request)));
    assert.ok(answers.every((answer) => answer.startsWith('HTTP/1.1 200')));
    // A second may be over while they come.
    assert.ok(asked <= 2, asked.toString());
  });

  it('under a name that was pointed at this machine is told nothing but health', async (t) => {
    const { port } = await serving(t);
    const asked = (line: string) => statusOf(port, `${line} HTTP/1.1`, 'Host: rebound.evil.example');
    for (const line of ['HEAD /', 'GET /', 'GET /nothing', 'POST /nothing', 'GET /nothing?/healthz']) {
      assert.equal(await asked(line), '403', line);
    }
    for (const path of ['/healthz', '/readyz']) assert.equal(await asked(`GET ${path}`), '200', path);
  });

  it('under names of this machine is answered', async (t) => {
    const { port } = await serving(t);
    for (const host of ['localhost', 'LOCALHOST.:1', '127.0.0.1:8080', '127.9.9.9', '[::1]:8080']) {
      assert.equal(await statusOf(port, 'GET / HTTP/1.1', `Host: ${host}`), '426', host);
    }
  });

  it('with no host, two of them or a misshapen one is refused', async (t) => {
    const { port } = await serving(t);
    assert.equal(await statusOf(port, 'GET / HTTP/1.0'), '403');
    assert.equal(await statusOf(port, 'GET / HTTP/1.1'), '400');
    assert.equal(await statusOf(port, 'GET / HTTP/1.1', 'Host: localhost', 'Host: evil.example'), '403');
    for (const host of ['', 'me@localhost', 'localhost:', '[::1', 'localhost/']) {
      assert.equal(await statusOf(port, 'GET / HTTP/1.1', `Host: ${host}`), '403', host);
    }
  });

  it('is answered under any name on an address that is not this machine’s alone', async (t) => {
    const { port } = await serving(t, { host: '0.0.0.0' });
    assert.equal(await statusOf(port, 'GET / HTTP/1.1', 'Host: chat.example'), '426');
    assert.equal(await statusOf(port, 'GET / HTTP/1.0'), '426');
  });

  it('is looked at on each address of localhost', async (t) => {
    const { port } = await serving(t, { host: 'localhost' });
    assert.equal(await statusOf(port, 'GET / HTTP/1.1', 'Host: evil.example'), '403');
  });
});

describe('a connection over HTTP', bounded, () => {
  // The tests wait for a connection to be closed; one that must stay open was opened before it.
  const short = { requestMillis: 100 };

  it('ends with 408 when a request does not, and none is closed that has become a WebSocket', async (t) => {
    const { port, taken } = await serving(t, short);
    assert.equal(await opened(t, { port }), 101);
    const halves = [
      '',
      'GET /metr',
      head('POST / HTTP/1.1', 'Host: localhost', 'Content-Type: text/plain', 'Content-Length: 9') + 'half',
      head('POST / HTTP/1.1', 'Host: localhost', 'Content-Type: application/json', 'Transfer-Encoding: chunked') +
        '1\r\n{',
    ];
    for (const half of halves) assert.match(await exchanged(port, half), /^HTTP\/1\.1 408 Request Timeout\r\n/, half);
    const [socket] = taken;
    assert.equal(socket?.readyState, WebSocket.OPEN);
    socket.ping();
    await once(socket, 'pong');
  });

  it('ends when it asks for a WebSocket before an earlier request is answered', async (t) => {
    const late: (() => void)[] = [];
    t.after(() => {
      for (const answer of late) answer();
    });
    const readiness = () =>
      new Promise<{ readonly ready: true }>((resolve) => late.push(() => resolve({ ready: true })));
    const { port } = await serving(t, { ...short, readiness });
    const { client, server } = await held(t, port);
    client.write(head('GET /readyz HTTP/1.1', 'Host: localhost') + upgrade('Host: localhost'));
    await once(server, 'close');
  });

  it('is kept after an answer for longer than proxies keep theirs', async (t) => {
    const { port } = await serving(t, short);
    const { client, server } = await held(t, port);
    client.write(head('GET /healthz HTTP/1.1', 'Host: localhost'));
    client.resume();
    const [answer] = (await once(client, 'data')) as [Buffer]; // The event is documented to give this.
    // The server has had the time to cut a later connection off.
    assert.match(await exchanged(port, ''), /408/);
    assert.ok(!server.destroyed);
    // A proxy keeps its connections for a minute as a rule.
    const [, seconds] = /^keep-alive: timeout=(\d+)/im.exec(answer.toString()) ?? [];
    assert.equal(Number(seconds), keepAliveMillisMax / 1_000);
    assert.ok(Number(seconds) > 60);
  });
});
