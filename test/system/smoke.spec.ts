import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { onNodes, startNodes } from '../support/deployments.js';
import { freePort } from '../support/freePort.js';
import { testServer } from '../support/server.js';
import { root } from '../support/sources.js';

const script = join(root, 'scripts/smoke.mjs');
const smoke = (...urls: readonly string[]) => promisify(execFile)(process.execPath, [script, ...urls]);

describe('the smoke script', () => {
  it('says each of its steps against a server given once or twice, any number of times', async (t) => {
    const server = await testServer();
    t.after(() => server.remove());
    for (const urls of [[server.url], [server.url, server.url]]) {
      const { stdout, stderr } = await smoke(...urls);
      assert.equal(stderr, '');
      assert.equal(stdout.match(/^ok {6}/gm)?.length, 9);
      assert.match(stdout, /All went well\.\n$/);
    }
  });

  it('fails with the step that failed', async (t) => {
    const server = await testServer();
    t.after(() => server.remove());
    const nowhere = `ws://127.0.0.1:${(await freePort()).toString()}`;
    await assert.rejects(smoke(server.url, nowhere), (error: { readonly code: number; readonly stderr: string }) => {
      assert.equal(error.code, 1);
      assert.match(error.stderr, /^FAILED {2}Ben signs up on .*: cannot connect/);
      return true;
    });
  });

  it('refuses what is no address of a server', () => {
    const { status, stderr } = spawnSync(process.execPath, [script, 'http://localhost'], { encoding: 'utf8' });
    assert.equal(status, 2);
    assert.match(stderr, /begins with ws:/);
  });
});

onNodes('the smoke script on two nodes', () => {
  it('says each of its steps', async (t) => {
    const nodes = await startNodes(2);
    t.after(() => nodes.remove());
    const { stdout } = await smoke(...nodes.nodes.map(({ url }) => url));
    assert.equal(stdout.match(/^ok {6}/gm)?.length, 9);
  });
});
