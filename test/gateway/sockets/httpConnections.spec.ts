import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { WebSocket } from 'ws';
import { head, held, opened, serving, upgrade } from '../rig/serving.js';

const bounded = { timeout: 20_000 };

/** Of connections to the same server: how many of them it has closed by now. */
const gone = (connections: readonly { readonly server: { readonly destroyed: boolean } }[]): number =>
  connections.filter(({ server }) => server.destroyed).length;

describe('connections that are no WebSockets', bounded, () => {
  it('are as many as the bound over all, and beyond it one of them gives its place to the newest', async (t) => {
    const { port } = await serving(t, { httpConnectionsMax: 3 });
    const silent = [await held(t, port), await held(t, port), await held(t, port)];
    assert.equal(gone(silent), 0);
    const newest = await held(t, port);
    assert.equal(gone(silent), 1);
    newest.client.write(head('GET /healthz HTTP/1.1', 'Host: localhost'));
    newest.client.resume();
    assert.match(String((await once(newest.client, 'data'))[0]), /^HTTP\/1\.1 200/);
  });

  it('are as many as the bound of their address, and others keep theirs', async (t) => {
    const proxy = 'PROXY TCP4 192.0.2.1 192.0.2.9 1 1\r\n';
    const { port } = await serving(t, { httpPerAddressMax: 2, trustedProxies: ['127.0.0.1'] });
    const other = await held(t, port);
    other.client.write(`${proxy.replace('192.0.2.1', '192.0.2.2')}GET /`);
    const silent = [await held(t, port), await held(t, port), await held(t, port)];
    for (const { client } of silent) client.write(`${proxy}GET /`);
    await Promise.race(silent.map(({ server }) => once(server, 'close')));
    assert.equal(gone(silent), 1);
    assert.equal(gone([other]), 0);
  });

  it('are any number for a proxy that says nothing of addresses before HTTP', async (t) => {
    const { port } = await serving(t, { httpPerAddressMax: 1, trustedProxies: ['127.0.0.1'] });
    const silent = [await held(t, port), await held(t, port)];
    for (const { client } of silent) client.write('GET /');
    assert.equal(await opened(t, { port }), 101);
    assert.equal(gone(silent), 0);
  });

  it('make no room where they have become WebSockets, or are gone', async (t) => {
    const { port, taken } = await serving(t, { httpConnectionsMax: 1, httpPerAddressMax: 1 });
    for (let count = 0; count < 3; count += 1) assert.equal(await opened(t, { port }), 101);
    const leaving = await held(t, port);
    leaving.client.destroy();
    await once(leaving.server, 'close');
    const last = await held(t, port);
    last.client.write(upgrade('Host: localhost'));
    last.client.resume();
    assert.match(String((await once(last.client, 'data'))[0]), /^HTTP\/1\.1 101/);
    assert.deepEqual(
      taken.map(({ readyState }) => readyState),
      [WebSocket.OPEN, WebSocket.OPEN, WebSocket.OPEN, WebSocket.OPEN],
    );
  });

  it('stay while a request of theirs is under way', async (t) => {
    const answers: (() => void)[] = [];
    const asked = new Set<() => void>();
    const readiness = () =>
      new Promise<{ readonly ready: true }>((resolve) => {
        answers.push(() => {
          resolve({ ready: true });
        });
        for (const told of asked) told();
      });
    const { port } = await serving(t, { httpConnectionsMax: 2, readiness });
    const asking = await held(t, port);
    const under = new Promise<void>((resolve) => asked.add(resolve));
    asking.client.write(head('GET /readyz HTTP/1.1', 'Host: localhost'));
    await under;
    const silent = [await held(t, port), await held(t, port), await held(t, port), await held(t, port)];
    assert.equal(gone(silent), 3);
    assert.equal(gone([asking]), 0);
    for (const answer of answers) answer();
    asking.client.resume();
    assert.match(String((await once(asking.client, 'data'))[0]), /^HTTP\/1\.1 200/);
  });

  it('end with the server, also those that still say nothing behind a proxy', async (t) => {
    // Nothing else would end it: the header of a proxy has an hour.
    const { port, close } = await serving(t, { trustedProxies: ['127.0.0.1'], requestMillis: 3_600_000 });
    const silent = await held(t, port);
    await Promise.all([once(silent.server, 'close'), close()]);
  });
});
