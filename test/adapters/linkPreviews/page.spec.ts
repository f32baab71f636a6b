import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { firstLink } from '../../../src/adapters/linkPreviews/firstLink.js';
import { pageDescription } from '../../../src/adapters/linkPreviews/pageDescription.js';
import { pageText } from '../../../src/adapters/linkPreviews/pageText.js';
import { isPublicAddress } from '../../../src/adapters/linkPreviews/publicAddress.js';
import { webAddress } from '../../../src/adapters/linkPreviews/webAddress.js';
import { previewTitleUnitsMax, type LinkSpan } from '../../../src/kernel/ports/linkPreviews.js';

const spans = (text: string, ...named: readonly (Omit<LinkSpan, 'start' | 'length'> & { of: string })[]) => ({
  text,
  entities: named.map(({ of, ...rest }) => ({ ...rest, start: text.indexOf(of), length: of.length })),
});
const plain = (text: string) => firstLink({ text, entities: [] });

describe('isPublicAddress', () => {
  it('takes addresses of machines that everybody may reach', () => {
    for (const address of [
      '93.184.216.34',
      '1.1.1.1',
      '172.15.255.255',
      '172.32.0.1',
      '223.255.255.255',
      '2606:4700::1111',
    ]) {
      assert.ok(isPublicAddress(address), address);
    }
  });

  it('takes no other, in either family', () => {
    const v4 = ['0.0.0.0', '10.1.2.3', '100.64.0.1', '127.0.0.1', '127.255.255.255', '169.254.169.254', '172.16.0.1'];
    const more = [
      '172.31.255.255',
      '192.0.0.8',
      '192.0.2.1',
      '192.88.99.1',
      '192.168.1.1',
      '198.19.0.1',
      '203.0.113.9',
    ];
    const high = ['224.0.0.1', '239.255.255.255', '240.0.0.1', '255.255.255.255'];
    const local = ['::', '::1', 'fe80::1', 'fe80::1%eth0', 'fc00::1', 'fd12::1', 'ff02::1', 'fec0::1'];
    const leading = [
      '::ffff:127.0.0.1',
      '::ffff:8.8.8.8',
      '::127.0.0.1',
      '64:ff9b::7f00:1',
      '64:ff9b:1::1',
      '2002:7f00:1::',
    ];
    const others = ['2001::1', '2001:db8::1', '2001:20::1', '3fff::1', '100::1', '5f00::1', 'localhost', ''];
    for (const address of [...v4, ...more, ...high, ...local, ...leading, ...others]) {
      assert.ok(!isPublicAddress(address), address);
    }
  });
});

describe('webAddress', () => {
  it('brings every spelling of an address into the one that is looked at', () => {
    const spellings = ['2130706433', '0x7f.1', '0177.0.0.1', '127.1', '①②⑦.⓪.⓪.①', '127.0.0.1.', '%31%32%37.0.0.1'];
    for (const host of spellings) {
      const address = webAddress(`http://${host}/`);
      assert.deepEqual([address?.host, address?.isIp], ['127.0.0.1', true], host);
    }
    assert.deepEqual(webAddress('http://[::ffff:127.0.0.1]')?.isIp, true);
    assert.equal(webAddress('http://[0:0:0:0:0:0:0:1]/')?.host, '::1');
  });

  it('takes http and https on their two ports, and nothing with a password', () => {
    assert.deepEqual(
      ['http://a.example', 'https://a.example:80/', 'http://a.example:443'].map((url) => webAddress(url)?.port),
      [80, 80, 443],
    );
    const refused = ['http://a.example:8080', 'https://a.example:22/', 'ftp://a.example', 'file:///etc/passwd'];
    const odd = [
      'javascript:1',
      'http://me:secret@a.example/',
      'http://me@a.example/',
      'http://',
      'a.example',
      '//a.example',
    ];
    const long = [`http://a.example/${'x'.repeat(2_048)}`, `http://${'好'.repeat(600)}.example/`];
    for (const url of [...refused, ...odd, ...long]) assert.equal(webAddress(url), undefined, url.slice(0, 60));
  });

  it('leaves the fragment with the client, and reads references from where they stand', () => {
    const base = webAddress('https://a.example/one/two?three#four');
    assert.equal(base?.url, 'https://a.example/one/two?three');
    assert.equal(webAddress('../five', base)?.url, 'https://a.example/five');
    assert.equal(webAddress('//b.example/', base)?.url, 'https://b.example/');
    assert.equal(webAddress('http://127.0.0.1:6379/', base), undefined);
  });
});

describe('firstLink', () => {
  it('takes the first http or https link, without the marks behind it', async () => {
    assert.equal(await plain('(see https://a.example/x_(y)).'), 'https://a.example/x_(y)');
    assert.equal(await plain('HTTPS://A.EXAMPLE/'), 'HTTPS://A.EXAMPLE/');
    assert.equal(await plain('mailto:ada@a.example, then http://b.example!'), 'http://b.example');
    assert.equal(await plain('见https://例子.测试/路。'), 'https://例子.测试/路');
    assert.equal(await plain('ftp://a.example //b.example c.example and index.md'), undefined);
    assert.equal(await plain(''), undefined);
  });

  it('takes what entities name, in the order of the text', async () => {
    const text = 'here and a.example and https://b.example';
    const here = { kind: 'textUrl', of: 'here', url: 'https://c.example/' };
    assert.equal(await firstLink(spans(text, { kind: 'url', of: 'a.example' }, here)), 'https://c.example/');
    assert.equal(await firstLink(spans(text, { kind: 'url', of: 'a.example' })), 'https://a.example');
    const mail = { kind: 'textUrl', of: 'here', url: 'mailto:ada@a.example' };
    assert.equal(await firstLink(spans(text, mail)), 'https://b.example');
  });

  it('passes over code and spoilers', async () => {
    const text = 'https://a.example then https://b.example';
    for (const kind of ['code', 'pre', 'spoiler']) {
      assert.equal(await firstLink(spans(text, { kind, of: 'https://a.example' })), 'https://b.example', kind);
    }
    assert.equal(await firstLink(spans(text, { kind: 'bold', of: text })), 'https://a.example');
  });

  it('takes a bounded time, also for texts that look like a thousand links', async () => {
    const pieces = [
      'http://',
      'http://a@',
      'http://a.',
      'https://(',
      'http://a.example/(',
      'a@',
      'http://[',
      'http://-',
    ];
    for (const piece of pieces) {
      const millis = await quickest(piece.repeat(40_000 / piece.length));
      assert.ok(millis < 25, `${piece}: ${millis.toString()} ms`);
    }
  });
});

const quickest = async (text: string): Promise<number> => {
  const tries: number[] = [];
  for (let time = 0; time < 5; time += 1) {
    const began = performance.now();
    await plain(text);
    tries.push(performance.now() - began);
  }
  return Math.min(...tries);
};

const html = (page: string | Uint8Array, contentType = 'text/html'): string =>
  pageText({ contentType, bytes: typeof page === 'string' ? Buffer.from(page) : page });
// "Привет" in windows-1251.
const greeting = Buffer.from([0xcf, 0xf0, 0xe8, 0xe2, 0xe5, 0xf2]);
const titled = (head: string): Buffer =>
  Buffer.concat([Buffer.from(`${head}<title>`), greeting, Buffer.from('</title>')]);

describe('pageText', () => {
  it('reads the characters that the mark, the header or the page names, in this order', () => {
    assert.match(html(titled(''), 'text/html; charset="windows-1251"'), /Привет/);
    assert.match(html(titled('<meta charset=windows-1251>')), /Привет/);
    assert.match(html(titled('<meta http-equiv="Content-Type" content="text/html; charset=windows-1251">')), /Привет/);
    assert.match(html('<meta charset="windows-1251"><title>Привет', 'text/html; charset=utf-8'), /Привет/);
    assert.match(html(`\ufeff<title>Привет`, 'text/html; charset=windows-1251'), /^<title>Привет/);
    assert.match(html(Buffer.from('\ufeff<title>Привет', 'utf16le')), /Привет/);
    assert.match(html('<meta charset="utf-16"><title>Привет'), /Привет/);
    assert.match(html('<meta charset="no such"><title>Привет'), /Привет/);
  });
});

describe('pageDescription', () => {
  it('prefers what the page says for previews', async () => {
    const page = `<head><title>The title</title><meta name="description" content="For searchers">
      <META PROPERTY="og:title" CONTENT="The card"><meta name="twitter:description" content="Short">
      <meta property="og:site_name" content="A site"><meta name="author" content="Ada"></head>`;
    assert.deepEqual(await pageDescription(page), {
      title: 'The card',
      description: 'Short',
      authorName: 'Ada',
      websiteName: 'A site',
    });
  });

  it('brings texts onto one clean line, decoded once', async () => {
    const page = `<title> Ada&#039;s &amp;amp; \n Bob\u0000\u202Ename &#x1F600; </title><meta name=description content="&lt;b&gt;">`;
    assert.deepEqual(await pageDescription(page), {
      title: 'Ada\u2019s &amp; Bob name 😀'.replace('\u2019', "'"),
      description: '<b>',
    });
  });

  it('cuts long texts, and no pair in two', async () => {
    const { title = '' } = await pageDescription(`<title>x${'😀'.repeat(500_000)}</title>`);
    assert.equal(title, `x${'😀'.repeat(127)}…`);
    assert.ok(title.length <= previewTitleUnitsMax);
  });

  it('takes no link that was cut, also where blanks stand before it', async () => {
    const link = 'https://a.example/picture.png';
    const meta = (name: string, content: string): string => `<meta property="${name}" content="${content}">`;
    const pictureIn = async (...metas: readonly string[]): Promise<string | undefined> =>
      (await pageDescription(metas.join(''))).pictureUrl;
    const cut = meta('og:image', `${' '.repeat(2_020)}${link}`);
    assert.equal(await pictureIn(cut), undefined);
    assert.equal(await pictureIn(cut, meta('twitter:image', ` ${link}`)), link);
    assert.equal(await pictureIn(meta('og:image', `${' '.repeat(2_000)}${link}`)), link);
  });

  it('ends the head at the first tag that has no place in it, however many come', async () => {
    const behind = '<meta property="og:title" content="no">';
    assert.deepEqual(await pageDescription(`<title>yes</title>${'<b>'.repeat(170_000)}${behind}`), { title: 'yes' });
    assert.deepEqual(await pageDescription(`<title>yes</title></b><p>${behind}`), { title: 'yes' });
  });

  it('looks at the head alone, and finds nothing where there is nothing', async () => {
    assert.deepEqual(await pageDescription('<head></head><body><title>no</title>'), {});
    assert.deepEqual(await pageDescription('<body><meta property="og:title" content="no">'), {});
    assert.deepEqual(
      await pageDescription(
        '<meta property="og:title" content=" "><meta name="author" content="https://a.example/ada">',
      ),
      {},
    );
    assert.deepEqual(await pageDescription(''), {});
  });
});
