import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { asked } from '../gateway/http/site.js';
import { testServer } from '../support/server.js';

const bounded = { timeout: 60_000 };

describe('a whole server, as browsers reach it', bounded, () => {
  it('gives files to listed pages, and refuses those of strangers', async (t) => {
    const server = await testServer({ environment: { OSMIUM_ORIGINS: 'https://chat.example' } });
    t.after(() => server.remove());
    const own = `http://127.0.0.1:${server.port.toString()}`;
    const ask = (origin: string | undefined, method = 'GET', path = '/files/1') =>
      asked(server, path, { method, headers: origin === undefined ? {} : { origin } });

    for (const origin of ['https://chat.example', own]) {
      const { status, headers } = await ask(origin);
      assert.deepEqual([status, headers['access-control-allow-origin']], [401, origin]);
      assert.match(String(headers['access-control-expose-headers']), /content-range/);
      for (const [path, methods] of [
        ['/files/1', 'GET, HEAD'],
        ['/files/links', 'POST'],
      ] as const) {
        const preflight = await ask(origin, 'OPTIONS', path);
        assert.deepEqual([preflight.status, preflight.headers['access-control-allow-methods']], [204, methods]);
        assert.match(String(preflight.headers['access-control-allow-headers']), /authorization/);
        assert.equal(preflight.headers['access-control-allow-credentials'], undefined);
      }
    }
    for (const origin of ['https://evil.example', 'null', 'http://127.0.0.1:1']) {
      for (const method of ['GET', 'HEAD', 'OPTIONS']) {
        const { status, headers } = await ask(origin, method);
        assert.deepEqual([status, headers['access-control-allow-origin']], [403, undefined]);
      }
    }
    const plain = await ask(undefined);
    assert.deepEqual(
      [plain.status, plain.headers['access-control-allow-origin'], plain.headers.vary],
      [401, undefined, 'Origin'],
    );
    assert.equal(plain.headers['cross-origin-resource-policy'], 'cross-origin');
    const rebound = await asked(server, '/files/1', { headers: { host: 'evil.example' } });
    assert.equal(rebound.status, 403);
  });

  it('is shown by its own page', async (t) => {
    const server = await testServer();
    t.after(() => server.remove());
    const page = await asked(server, '/', { headers: { accept: 'text/html' } });
    assert.equal(page.status, 200);
    assert.ok(page.body.includes(server.url));
    assert.equal((await asked(server, '/')).status, 426);
    assert.equal((await asked(server, '/files/1')).headers['cross-origin-resource-policy'], 'same-origin');
  });
});
