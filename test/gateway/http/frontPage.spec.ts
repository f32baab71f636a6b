import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import { frontPage } from '../../../src/gateway/http/frontPage.js';
import { serving, type ServingOptions } from '../rig/serving.js';
import { asked, json } from './site.js';

const browser = { accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8' };

const sites = (trustedProxies: readonly string[]): ServingOptions => ({
  trustedProxies,
  web: { pagePaths: [], routes: () => undefined, frontPage: frontPage({ version: '1.2.3<', trustedProxies }) },
});

const addressIn = (body: Buffer): string | undefined => /<code>(.*?)<\/code>/.exec(body.toString())?.[1];

describe('the address of the WebSocket', () => {
  it('shows a browser a page that runs nothing and loads nothing', async (t) => {
    const { port } = await serving(t, sites([]));
    const { status, headers, body } = await asked({ port }, '/', { headers: browser });
    assert.deepEqual([status, headers['content-type'], headers.vary], [200, 'text/html; charset=utf-8', 'Accept']);
    const page = body.toString();
    assert.doesNotMatch(page, /<script|<img|<link|\son\w+=|javascript:/i);
    assert.match(page, /1\.2\.3&#60;/);
    assert.equal(addressIn(body), `ws://127.0.0.1:${port.toString()}/`);
    const [, style = ''] = /<style>(.*?)<\/style>/s.exec(page) ?? [];
    const policy = String(headers['content-security-policy']);
    assert.ok(policy.includes(`style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'`));
    assert.match(policy, /^default-src 'none'; .*frame-ancestors 'none'$/);
    assert.equal(headers['x-content-type-options'], 'nosniff');
    const told = await asked({ port }, '/', { method: 'HEAD', headers: browser });
    assert.deepEqual([told.status, told.body.length], [200, 0]);
  });

  it('tells all others to connect with one, as ever', async (t) => {
    const { port } = await serving(t, sites([]));
    for (const [path, headers] of [
      ['/', {}],
      ['/', { accept: '*/*' }],
      ['/', { accept: 'application/json' }],
      ['/', { accept: 'text/htmlx' }],
      ['/api/v1/gateway', browser],
    ] as const) {
      const answer = await asked({ port }, path, { headers });
      assert.deepEqual(
        [answer.status, answer.headers.upgrade, json(answer)],
        [426, 'websocket', { error: 'connect with a WebSocket' }],
      );
    }
  });

  it('is shown as a trusted proxy is reached, and as nobody else says', async (t) => {
    const forwarded = { ...browser, 'x-forwarded-proto': 'https', 'x-forwarded-host': 'evil.example, Chat.Example' };
    const { port: trusting } = await serving(t, sites(['127.0.0.1']));
    const { port } = await serving(t, sites(['10.0.0.1']));
    const shown = async (at: number, headers: Readonly<Record<string, string>>) =>
      addressIn((await asked({ port: at }, '/', { headers })).body);
    assert.equal(await shown(trusting, forwarded), 'wss://chat.example/');
    assert.equal(await shown(trusting, { ...forwarded, 'x-forwarded-proto': 'http' }), 'ws://chat.example/');
    assert.equal(await shown(trusting, { ...forwarded, 'x-forwarded-host': '"><b>' }), undefined);
    assert.equal(await shown(port, forwarded), `ws://127.0.0.1:${port.toString()}/`);
  });
});
