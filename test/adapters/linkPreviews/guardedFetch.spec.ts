import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, it } from 'node:test';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import {
  addressesMax,
  fetchMillisMax,
  guardedFetch,
  pageBytesMax,
} from '../../../src/adapters/linkPreviews/guardedFetch.js';
import { outsideOf, somewhere, type Given, type SmallOutside } from './outsideOf.js';

const ended: SmallOutside[] = [];
afterEach(async () => {
  for (const one of ended.splice(0)) await one.close();
});

const world = async (answer: RequestListener, given?: Given) => {
  const here = await outsideOf(answer, given);
  ended.push(here);
  const closing = new AbortController();
  const fetchPage = guardedFetch(here.outside);
  return {
    ...here,
    closing,
    text: async (link: string) => {
      const page = await fetchPage(link, closing.signal);
      return page && Buffer.from(page.bytes).toString();
    },
  };
};

const page =
  (text: string | Uint8Array, headers: Readonly<Record<string, string>> = {}): RequestListener =>
  (_, response) => {
    response.writeHead(200, { 'content-type': 'text/html', ...headers }).end(text);
  };
const to =
  (location: string, status = 302): RequestListener =>
  (_, response) => {
    response.writeHead(status, { location, 'set-cookie': 'a=b' }).end('moved');
  };
const byPath =
  (paths: Readonly<Record<string, RequestListener>>): RequestListener =>
  (request, response) => {
    (paths[request.url ?? ''] ?? page('?'))(request, response);
  };

describe('guardedFetch', () => {
  it('fetches a page of a public address', async () => {
    const { text, connected, asked } = await world(page('hello'));
    assert.equal(await text('http://a.example/x?y#z'), 'hello');
    assert.deepEqual([connected, asked], [[`${somewhere}:80`], ['a.example/x?y']]);
  });

  it('opens no connection to an address that stands in the link and is not public', async () => {
    const { text, connected, resolved } = await world(page('secret'));
    const v4 = ['127.0.0.1', '2130706433', '0x7f000001', '0177.1', '127.1', '①②⑦.⓪.⓪.①', '127.0.0.1.', '0', '10.0.0.1'];
    const more = ['169.254.169.254', '192.168.0.1', '100.64.0.1', '224.0.0.1', '255.255.255.255', '127。0。0。1'];
    const v6 = [
      '[::1]',
      '[::]',
      '[::ffff:127.0.0.1]',
      '[::ffff:7f00:1]',
      '[64:ff9b::127.0.0.1]',
      '[2002:7f00:1::]',
      '[fe80::1]',
      '[fd00::1]',
    ];
    for (const host of [...v4, ...more, ...v6]) {
      for (const scheme of ['http', 'https']) assert.equal(await text(`${scheme}://${host}/`), undefined, host);
    }
    assert.deepEqual(
      [connected, resolved],
      [[], []],
      'an address is not looked up, so the look-up cannot be what refuses it',
    );
  });

  it('opens none to a name of which one address is not public', async () => {
    const names = {
      'localhost.': ['127.0.0.1'],
      localhost: ['::1'],
      'mixed.example': [somewhere, '10.0.0.1'],
      'none.example': [],
    };
    const { text, connected, resolved } = await world(page('secret'), { names });
    for (const name of Object.keys(names)) assert.equal(await text(`http://${name}/`), undefined, name);
    assert.deepEqual([connected, resolved.length], [[], 4]);
  });

  it('opens none to a name of more addresses than it looks at', async () => {
    const many = (count: number) => Array.from({ length: count }, (_, index) => `93.184.217.${(index + 1).toString()}`);
    const names = { 'most.example': many(addressesMax), 'more.example': many(addressesMax + 1) };
    const { text, connected } = await world(page('hello'), { names });
    assert.equal(await text('http://more.example/'), undefined);
    assert.deepEqual(connected, []);
    assert.equal(await text('http://most.example/'), 'hello');
  });

  it('opens none to the machine on which the server runs, public or not, and however it is named', async () => {
    const own = ['93.184.216.1', '2a00:1:0:0::5'];
    const names = {
      'self.example': ['93.184.216.1'],
      'self6.example': ['2a00:1::0005'],
      'mixed.example': [somewhere, '93.184.216.1'],
    };
    const { text, connected } = await world(byPath({ '/on': to('http://93.184.216.1/') }), { names, own });
    const links = [...Object.keys(names), '93.184.216.1', '1572395009', '[2a00:1::5]', '[2a00:1:0:0:0:0:0:5]'];
    for (const host of links) assert.equal(await text(`http://${host}/`), undefined, host);
    assert.deepEqual(connected, []);
    assert.equal(await text('http://a.example/on'), undefined);
    assert.deepEqual(connected, [`${somewhere}:80`]);
  });

  it('looks at each redirect anew, and follows three', async () => {
    const names = { 'inside.example': ['192.168.1.1'] };
    const inward = [
      'http://inside.example/',
      'http://127.0.0.1/',
      '//[::1]/',
      'http://a.example:22/',
      'file:///etc/passwd',
      'gopher://a.example',
    ];
    for (const location of inward) {
      const { text, connected } = await world(to(location), { names });
      assert.equal(await text('http://a.example/'), undefined, location);
      assert.deepEqual(connected, [`${somewhere}:80`], location);
    }
    const hops = byPath({
      '/4': to('/3'),
      '/3': to('/2', 301),
      '/2': to('http://b.example/1', 308),
      '/1': to('/0', 307),
      '/0': page('there'),
    });
    const { text, asked } = await world(hops);
    assert.equal(await text('http://a.example/3'), 'there');
    assert.deepEqual(asked, ['a.example/3', 'a.example/2', 'b.example/1', 'b.example/0']);
    assert.equal(await text('http://a.example/4'), undefined);
  });

  it('says nothing of itself: no cookies, credentials or referrer, and no proxy of the environment', async () => {
    process.env['http_proxy'] = process.env['HTTP_PROXY'] = 'http://127.0.0.1:9/';
    process.env['NODE_USE_ENV_PROXY'] = '1';
    try {
      const seen: object[] = [];
      const { text, connected } = await world((request, response) => {
        seen.push(request.headers);
        (request.url === '/' ? to('/on') : page('hello'))(request, response);
      });
      assert.equal(await text('http://a.example/'), 'hello');
      assert.deepEqual(connected, [`${somewhere}:80`, `${somewhere}:80`]);
      for (const headers of seen) {
        const names = ['accept', 'accept-encoding', 'connection', 'host', 'user-agent'];
        assert.deepEqual(Object.keys(headers).sort(), names);
      }
    } finally {
      for (const name of ['http_proxy', 'HTTP_PROXY', 'NODE_USE_ENV_PROXY']) Reflect.deleteProperty(process.env, name);
    }
  });

  it('takes pages only', async () => {
    const answers: readonly RequestListener[] = [
      page('{}', { 'content-type': 'application/json' }),
      page('x', { 'content-type': 'image/png' }),
      page('x', { 'content-type': 'text/htmlx' }),
      (_, response) => response.writeHead(404, { 'content-type': 'text/html' }).end('no'),
      (_, response) => response.writeHead(304).end(),
      (_, response) => response.writeHead(200).end('nothing says what this is'),
      (_, response) => response.socket?.end('no HTTP at all\r\n\r\n'),
      (_, response) => response.socket?.destroy(),
      (_, response) =>
        response.socket?.end('HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n'),
      page('not packed', { 'content-encoding': 'gzip' }),
      page('hello', { 'content-encoding': 'zstd' }),
    ];
    for (const [number, answer] of answers.entries()) {
      const { text } = await world(answer);
      assert.equal(await text('http://a.example/'), undefined, number.toString());
    }
  });

  it('unpacks, up to its bound', async () => {
    const bomb = gzipSync(Buffer.alloc(200 * 1_048_576));
    const { text } = await world(
      byPath({
        '/gzip': page(gzipSync('hello'), { 'content-encoding': 'gzip' }),
        '/br': page(brotliCompressSync('hello'), { 'content-encoding': 'BR' }),
        '/deflate': page(deflateSync('hello'), { 'content-encoding': 'deflate' }),
        '/bomb': page(bomb, { 'content-encoding': 'gzip' }),
        '/long': page('x'.repeat(3 * pageBytesMax)),
      }),
    );
    for (const path of ['gzip', 'br', 'deflate']) assert.equal(await text(`http://a.example/${path}`), 'hello', path);
    const before = process.memoryUsage().arrayBuffers;
    assert.equal((await text('http://a.example/bomb'))?.length, pageBytesMax);
    assert.ok(process.memoryUsage().arrayBuffers - before < 32 * 1_048_576);
    assert.equal((await text('http://a.example/long'))?.length, pageBytesMax);
  });

  it('is over after five seconds, however a server goes on', async () => {
    const begun: (() => void)[] = [];
    const dripping: RequestListener = (_, response) => {
      response.writeHead(200, { 'content-type': 'text/html' }).write('h');
      begun.push(() => response.write('e'));
    };
    const silent: RequestListener = () => void begun.push(() => undefined);
    for (const answer of [dripping, silent]) {
      const { text, timers } = await world(answer);
      const fetched = text('http://a.example/');
      while (begun.length === 0) await new Promise(setImmediate);
      const drip = begun.pop();
      for (let passed = 0; passed < fetchMillisMax; passed += 250) {
        timers.pass(250);
        drip?.();
      }
      assert.equal(await fetched, undefined);
    }
  });

  it('is over when a name server is silent, and when the server stops', async () => {
    const here = await world(page('hello'));
    const fetchPage = guardedFetch({ ...here.outside, resolve: () => new Promise(() => undefined) });
    const late = fetchPage('http://a.example/', here.closing.signal);
    here.timers.pass(fetchMillisMax);
    assert.equal(await late, undefined);
    const stopped = fetchPage('http://a.example/', here.closing.signal);
    here.closing.abort();
    assert.equal(await stopped, undefined);
    assert.deepEqual(here.connected, []);
  });

  it('speaks TLS with hosts that show a certificate, and with no other', async (test) => {
    const made = certificateOf('a.example');
    if (made === undefined) {
      test.skip('there is no openssl');
      return;
    }
    const tls = { ...made, authorities: [made.cert] };
    const { text, connected } = await world(page('hello'), { tls });
    assert.equal(await text('https://a.example/'), 'hello');
    assert.equal(await text('https://b.example/'), undefined, 'the certificate is of another host');
    assert.deepEqual(connected, [`${somewhere}:443`, `${somewhere}:443`]);
    process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
    try {
      const others = await world(page('hello'), { tls: { ...made, authorities: [] } });
      assert.equal(await others.text('https://a.example/'), undefined, 'nobody vouches for it');
    } finally {
      Reflect.deleteProperty(process.env, 'NODE_TLS_REJECT_UNAUTHORIZED');
    }
    const plain = await world(page('hello'));
    assert.equal(await plain.text('https://a.example/'), undefined, 'it speaks no TLS');
  });
});

const certificateOf = (name: string): { readonly key: string; readonly cert: string } | undefined => {
  const folder = mkdtempSync(join(tmpdir(), 'osmium-certificate-'));
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  const named = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`];
  try {
    execFileSync('openssl', ['req', '-x509', ...kind, ...named, '-keyout', key, '-out', cert], { stdio: 'ignore' });
    return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') };
  } catch {
    return undefined;
  } finally {
    rmSync(folder, { recursive: true });
  }
};
