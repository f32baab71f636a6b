import assert from 'node:assert/strict';
import type { RequestListener } from 'node:http';
import { afterEach, describe, it } from 'node:test';
import { localRateLimit } from '../../../src/adapters/rateLimit/local.js';
import {
  fetchTurns,
  fetchesAtOnceMax,
  fetchesOfOneWaitingMax,
  turnMillisMax,
} from '../../../src/adapters/linkPreviews/fetchTurns.js';
import { linkPreviews, previewAllowances, previewMillisMax } from '../../../src/adapters/linkPreviews/linkPreviews.js';
import { pagePictureBytesMax } from '../../../src/adapters/linkPreviews/guardedFetch.js';
import { noLinkPreviews } from '../../../src/adapters/linkPreviews/off.js';
import type { UserId } from '../../../src/kernel/ids.js';
import { deferred } from '../../../src/kernel/timing.js';
import { handTimers } from '../../support/handTimers.js';
import { outsideOf, somewhere, type SmallOutside } from './outsideOf.js';

const ada = 1n as UserId;
const bob = 2n as UserId;

const ended: SmallOutside[] = [];
afterEach(async () => {
  for (const one of ended.splice(0)) await one.close();
});

const titled: RequestListener = ({ url }, response) => {
  response.writeHead(200, { 'content-type': 'text/html' }).end(`<title>${url ?? ''}</title>`);
};

/** Leads to what stands behind the question mark: by a redirect, or by all that a page may name. */
const leading: RequestListener = ({ url = '' }, response) => {
  const [path, to = ''] = url.split('?');
  const address = decodeURIComponent(to);
  if (path === '/redirect') {
    response.writeHead(302, { location: encodeURI(address) }).end();
    return;
  }
  const named = ['og:url', 'og:image', 'twitter:image'].map((name) => `<meta property="${name}" content="${address}">`);
  const links = ['canonical', 'icon', 'amphtml'].map((name) => `<link rel="${name}" href="${address}">`);
  const refresh = `<meta http-equiv="refresh" content="0; url=${address}">`;
  response
    .writeHead(200, { 'content-type': 'text/html', link: `<${encodeURI(address)}>; rel="canonical"` })
    .end(`<title>A page</title><base href="${address}">${[...named, ...links, refresh].join('')}`);
};

const world = async (answer: RequestListener = titled, limits: 'limited' | 'free' = 'free') => {
  const here = await outsideOf(answer);
  ended.push(here);
  const { timers, outside } = here;
  const rateLimit = localRateLimit({ timers });
  const keyed = (text: string): string => `keyed ${text}`;
  const previews = linkPreviews({ timers, keyed, outside, ...(limits === 'limited' ? { rateLimit } : {}) });
  return { ...here, ...previews };
};

describe('linkPreviews', () => {
  it('shows what a page says of itself under the link as it was written', async () => {
    const { previewOf } = await world((_, response) => {
      const page =
        '<title>Hi</title><meta property="og:url" content="http://elsewhere.example"><meta name=author content=Ada>';
      response.writeHead(200, { 'content-type': 'text/html' }).end(page);
    });
    assert.deepEqual(await previewOf('HTTP://A.example/#top', ada), {
      url: 'HTTP://A.example/#top',
      title: 'Hi',
      authorName: 'Ada',
    });
  });

  it('asks a page once an hour, also one that says nothing and one that cannot be had', async () => {
    const silent: RequestListener = (_, response) =>
      response.writeHead(200, { 'content-type': 'text/html' }).end('<title>');
    const gone: RequestListener = (_, response) => response.socket?.destroy();
    for (const [answer, isFound] of [
      [titled, true],
      [silent, false],
      [gone, false],
    ] as const) {
      const { previewOf, asked, timers } = await world(answer);
      const found = [await previewOf('http://a.example/x', ada), await previewOf('http://a.example/x#y', bob)];
      assert.deepEqual([found.map((one) => one !== 'none'), asked.length], [[isFound, isFound], 1]);
      timers.pass(previewMillisMax - 1);
      await previewOf('http://a.example/x', ada);
      assert.equal(asked.length, 1);
      timers.pass(1);
      await previewOf('http://a.example/x', ada);
      assert.equal(asked.length, 2);
    }
  });

  it('asks once for all who ask at the same moment', async () => {
    const { previewOf, asked } = await world();
    const found = await Promise.all([ada, bob, ada].map((user) => previewOf('http://a.example/x', user)));
    assert.deepEqual([found.map((one) => typeof one), asked.length], [['object', 'object', 'object'], 1]);
  });

  it('asks nobody for a link that must not be followed', async () => {
    const { previewOf, connected } = await world();
    for (const link of ['http://127.0.0.1/', 'mailto:ada@a.example', 'http://a.example:8080/', 'no link']) {
      assert.equal(await previewOf(link, ada), 'none', link);
    }
    assert.deepEqual(connected, []);
  });

  it('goes nowhere inward, in whatever spelling a link, a redirect or a page names it', async () => {
    const inward = [
      '127.0.0.1',
      '[::1]',
      '[::ffff:127.0.0.1]',
      '2130706433',
      '0x7f.1',
      '①②⑦.⓪.⓪.①',
      'localhost',
      'localhost.',
    ];
    const here = await outsideOf(leading, { names: { localhost: ['127.0.0.1'], 'localhost.': ['::1'] } });
    ended.push(here);
    const { previewOf, pictureAt } = linkPreviews({
      timers: here.timers,
      keyed: (text) => text,
      outside: here.outside,
    });
    for (const host of inward) {
      const before = here.connected.length;
      const to = encodeURIComponent(`http://${host}/`);
      assert.equal(await previewOf(`http://${host}/`, ada), 'none', host);
      assert.equal(here.connected.length, before, host);
      assert.equal(await previewOf(`http://a.example/redirect?${to}`, ada), 'none', host);
      const link = `http://a.example/page?${to}`;
      const found = await previewOf(link, ada);
      const { pictureUrl = '', ...page } = typeof found === 'string' ? assert.fail(found) : found;
      assert.deepEqual(page, { url: link, title: 'A page' }, host);
      assert.equal(new URL(pictureUrl).pathname, '/', 'the picture is not followed by itself');
      assert.equal(await pictureAt(pictureUrl, ada), undefined, host);
      // Those to the page that leads away and to the one that names others, and none behind them.
      assert.deepEqual(here.connected.slice(before), [`${somewhere}:80`, `${somewhere}:80`], host);
    }
  });

  it('fetches the picture that a page names, from where the page was found, whole or not at all', async () => {
    const bodies: Readonly<Record<string, readonly [string, Uint8Array]>> = {
      '/deep/fits.png': ['image/png', new Uint8Array(pagePictureBytesMax).fill(7)],
      '/deep/long.png': ['image/png', new Uint8Array(pagePictureBytesMax + 1)],
      '/deep/page.png': ['text/html', Buffer.from('<title>none')],
      '/deep/drawn.svg': ['image/svg+xml', Buffer.from('<svg/>')],
    };
    const { previewOf, pictureAt } = await world(({ url = '' }, response) => {
      const [path = '', name = ''] = url.split('?');
      if (path === '/from') response.writeHead(302, { location: `/deep/page?${name}` }).end();
      const [type, bytes] = bodies[path] ?? [
        'text/html',
        Buffer.from(`<title>A</title><meta name="twitter:image" content=" ${name} ">`),
      ];
      if (path !== '/from') response.writeHead(200, { 'content-type': type }).end(bytes);
    });
    for (const [path, [, bytes]] of Object.entries(bodies)) {
      const found = await previewOf(`http://a.example/from?${path.slice('/deep/'.length)}`, ada);
      const { pictureUrl } = typeof found === 'string' ? assert.fail(found) : found;
      assert.equal(pictureUrl, `http://a.example${path}`);
      const picture = await pictureAt(pictureUrl, ada);
      assert.deepEqual(picture, path.endsWith('fits.png') ? Buffer.from(bytes) : undefined, path);
    }
    for (const link of ['ftp://a.example/a.png', 'http://a.example:22/a.png', 'data:image/png;base64,AAAA']) {
      assert.equal(await pictureAt(link, ada), undefined);
    }
  });

  it('asks once for a picture while it is fetched, and once an hour for one that is not there', async () => {
    const { pictureAt, asked, timers } = await world(({ url }, response) => {
      response.writeHead(url === '/gone' ? 404 : 200, { 'content-type': 'image/png' }).end('a picture');
    });
    const found = await Promise.all([ada, bob, ada].map((user) => pictureAt('http://a.example/there', user)));
    assert.deepEqual([found.map((one) => one?.length), asked.length], [[9, 9, 9], 1]);
    for (const user of [ada, bob]) assert.equal(await pictureAt('http://a.example/gone', user), undefined);
    assert.equal(asked.length, 2);
    timers.pass(previewMillisMax - 1);
    await pictureAt('http://a.example/gone', ada);
    assert.equal(asked.length, 2);
    timers.pass(1);
    await pictureAt('http://a.example/gone', ada);
    assert.equal(asked.length, 3);
    assert.ok(await pictureAt('http://a.example/there', ada));
    assert.equal(asked.length, 4);
  });

  it('asks for pictures as for pages: no more for a user than is allowed', async () => {
    const { pictureAt, asked } = await world((_, response) => {
      response.writeHead(200, { 'content-type': 'image/png' }).end('a picture');
    }, 'limited');
    const { burst } = previewAllowances.user;
    const link = (host: number): string => `http://${host.toString()}.example/`;
    for (let host = 0; host < burst; host += 1) assert.ok(await pictureAt(link(host), ada));
    assert.equal(await pictureAt(link(burst), ada), undefined);
    assert.equal(asked.length, burst);
    assert.ok(await pictureAt(link(burst), bob));
  });

  it('asks no more for a user or of a host than is allowed, and remembers nothing of that', async () => {
    const { previewOf, asked, timers } = await world(titled, 'limited');
    const { burst, perSecond } = previewAllowances.user;
    for (let page = 0; page < burst; page += 1) await previewOf(`http://host${page.toString()}.example/`, ada);
    assert.deepEqual([await previewOf('http://a.example/', ada), asked.length], ['busy', burst]);
    assert.equal(typeof (await previewOf('http://host1.example/', ada)), 'object', 'what is known costs nothing');
    timers.pass(1_000 / perSecond);
    assert.equal(typeof (await previewOf('http://a.example/', ada)), 'object');

    const others = await world(titled, 'limited');
    for (let page = 0; page < previewAllowances.host.burst; page += 1) {
      await others.previewOf(`http://a.example/${page.toString()}`, page as unknown as UserId);
    }
    assert.equal(await others.previewOf('http://a.example/', bob), 'busy');
    assert.equal(typeof (await others.previewOf('http://b.example/', bob)), 'object');
  });

  it('ends what is under way when the server stops', async () => {
    const begun = deferred<undefined>();
    const { previewOf, close } = await world(() => {
      begun.resolve(undefined);
    });
    const found = previewOf('http://a.example/', ada);
    await begun.promise;
    await close();
    assert.equal(await found, 'none');
    assert.equal(await previewOf('http://b.example/', ada), 'busy');
  });

  it('fetches nothing where it is off', async () => {
    assert.equal(await noLinkPreviews.linkIn({ text: 'see http://a.example', entities: [] }), 'http://a.example');
    assert.equal(await noLinkPreviews.previewOf('http://a.example', ada), 'none');
    await noLinkPreviews.close();
  });
});

describe('fetchTurns', () => {
  const named = (host: string, user: string) => ({ host, user });
  const busyTurns = () => {
    const timers = handTimers();
    const turns = fetchTurns(timers);
    const underWay: { readonly host: string; readonly end: () => void }[] = [];
    const take = (host: string, user: string) =>
      turns.take(named(host, user), () => {
        const { promise, resolve } = deferred<string>();
        const end = (): void => {
          resolve(host);
        };
        underWay.push({ host, end });
        return promise;
      });
    return { timers, underWay, take };
  };

  it('gives one host and one user two places, and all together eight', async () => {
    for (const one of [(n: number) => named('a', n.toString()), (n: number) => named(n.toString(), 'ada')]) {
      const { underWay, take } = busyTurns();
      for (let n = 0; n < 3; n += 1) void take(one(n).host, one(n).user);
      assert.equal(underWay.length, 2);
    }
    const { underWay, take } = busyTurns();
    for (let n = 0; n < fetchesAtOnceMax + 1; n += 1) void take(n.toString(), n.toString());
    assert.equal(underWay.length, fetchesAtOnceMax);
    underWay[0]?.end();
    await new Promise(setImmediate);
    assert.equal(underWay.length, fetchesAtOnceMax + 1);
  });

  it('lets others pass those who have their places, and refuses one who would wait too long', async () => {
    const { timers, underWay, take } = busyTurns();
    const waiting = Array.from({ length: 2 + fetchesOfOneWaitingMax }, (_, user) => take('slow', user.toString()));
    assert.equal(await take('slow', 'one more'), 'busy');
    void take('quick', 'other');
    assert.deepEqual(
      underWay.map(({ host }) => host),
      ['slow', 'slow', 'quick'],
    );
    timers.pass(turnMillisMax);
    assert.deepEqual(await Promise.all(waiting.slice(2)), Array(fetchesOfOneWaitingMax).fill('busy'));
    underWay[0]?.end();
    assert.equal(await waiting[0], 'slow');
    void take('slow', 'later');
    assert.equal(underWay.length, 4);
  });
});
