import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it, type TestContext } from 'node:test';
import { serveAdmin, type AdminServerNeeds } from '../../../src/gateway/sockets/adminServer.js';
import { readinessMillisMax, rememberedReadiness, type Report } from '../../../src/gateway/operations/health.js';
import { serverProcess } from '../../support/serverProcess.js';
import { testServer } from '../../support/server.js';
import { freshFolder } from '../../support/dataFolders.js';
import { exchanged, head, held } from '../rig/serving.js';

const report: Report = {
  ...{ otherNodes: 'ok', writes: 'ok', node: 3, generation: '3fa09c21d4e8_1', generations: [] },
  ...{ lags: [], stopped: [], own: [] },
  ...({ log: 'ok', documents: 'ok', role: 'projects' } as const),
};

const metricsOf = (text: string): AdminServerNeeds['metrics'] => ({
  contentType: 'text/plain',
  text: () => Promise.resolve(text),
});

const served = async (t: TestContext, differs: Partial<AdminServerNeeds> = {}): Promise<number> => {
  const readiness = (): ReturnType<AdminServerNeeds['readiness']> =>
    Promise.resolve({ ready: false, reason: 'the log does not answer', ...report });
  const needs = { host: '127.0.0.1', port: 0, metrics: metricsOf('osmium_users 7\n'), readiness, ...differs };
  const { port, close } = await serveAdmin(needs);
  t.after(close);
  return port;
};

describe("the operator's port", { timeout: 20_000 }, () => {
  it('has readiness with its details, and the metrics', async (t) => {
    const url = `http://127.0.0.1:${(await served(t)).toString()}`;
    const answer = await fetch(`${url}/readyz`);
    assert.equal(answer.status, 503);
    assert.deepEqual(await answer.json(), { ready: false, reason: 'the log does not answer', ...report });
    assert.equal(await (await fetch(`${url}/metrics`)).text(), 'osmium_users 7\n');
    assert.equal((await fetch(`${url}/`)).status, 404);
  });

  it('takes no orders', async (t) => {
    const url = `http://127.0.0.1:${(await served(t)).toString()}`;
    for (const method of ['POST', 'PUT', 'DELETE']) {
      for (const path of ['/metrics', '/readyz', '/vault']) {
        assert.equal((await fetch(url + path, { method })).status, 404, `${method} ${path}`);
      }
    }
  });

  it('answers no page that had its own name pointed at this machine', async (t) => {
    const port = await served(t);
    const ask = (host: string) => exchanged(port, head('GET /metrics HTTP/1.1', `Host: ${host}`, 'Connection: close'));
    assert.match(await ask('rebound.evil.example'), /^HTTP\/1\.1 403 /);
    assert.match(await ask('localhost'), /^HTTP\/1\.1 200 /);
  });

  it('ends a connection whose client does not take its answers', async (t) => {
    const port = await served(t, { requestMillis: 100, metrics: metricsOf('x'.repeat(1_000_000)) });
    const { client, server } = await held(t, port);
    client.write(head('GET /metrics HTTP/1.1', 'Host: localhost').repeat(50));
    await once(server, 'close');
  });
});

describe("the operator's port of a server", () => {
  it('names its variables when it cannot listen', async (t) => {
    const taken = await served(t);
    const environments = {
      [`OSMIUM_ADMIN_PORT: "${taken.toString()}" cannot be used: .*EADDRINUSE`]: {
        OSMIUM_ADMIN_PORT: taken.toString(),
      },
      'OSMIUM_ADMIN_HOST: "203.0.113.1" cannot be used: .*EADDRNOTAVAIL': { OSMIUM_ADMIN_HOST: '203.0.113.1' },
    };
    for (const [says, environment] of Object.entries(environments)) {
      const server = serverProcess(t, { OSMIUM_DATA_DIR: freshFolder(t), ...environment });
      assert.equal(await server.ended, 1);
      assert.match(server.output(), new RegExp(`^${says}`, 'm'));
    }
  });

  it('is not there unless it is asked for', async (t) => {
    const server = await testServer({ environment: { OSMIUM_ADMIN_PORT: '' } });
    t.after(() => server.remove());
    assert.equal(server.adminPort, undefined);
  });
});

describe('readiness, as clients may ask for it', () => {
  it('is asked of the engines once a second, and by many at once only once', async () => {
    let [asked, now] = [0, 0];
    const readiness = rememberedReadiness(
      () => {
        asked += 1;
        return Promise.resolve({ ready: false, reason: 'the log does not answer' });
      },
      () => now,
    );
    assert.deepEqual(await Promise.all([readiness(), readiness()]), [{ ready: false }, { ready: false }]);
    now += readinessMillisMax - 1;
    await readiness();
    assert.equal(asked, 1);
    now += 1;
    await readiness();
    assert.equal(asked, 2);
  });

  it('is asked again after it could not be had', async () => {
    let now = 0;
    let asked = 0;
    const readiness = rememberedReadiness(
      () => (asked++ === 0 ? Promise.reject(new Error('broken')) : Promise.resolve({ ready: true })),
      () => now,
    );
    await assert.rejects(readiness(), /broken/);
    now += readinessMillisMax;
    assert.deepEqual(await readiness(), { ready: true });
  });
});
