import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { linkLifeMillis } from '../../../src/gateway/http/fileLinks.js';
import { shownTypeOf } from '../../../src/gateway/http/shownTypes.js';
import type { ChannelId, FileId, RoleId } from '../../../src/kernel/ids.js';
import { permission } from '../../../src/kernel/permissions.js';
import type { MediaRefInit } from '../../../src/gen/media.js';
import { ada, bob, cleo, community, dora, general, joined, self } from '../../support/house/cast.js';
import { house, type House } from '../../support/house/house.js';
import { sessionOf, type Node } from '../../support/house/node.js';
import { painted } from '../../support/pictures/samples.js';
import { attach, bytesOf, refTo, sentFile, upload } from '../files/filing.js';
import { asked, bearer, json, linkTo, siteOf, type Site } from './site.js';

let here: House;
let node: Node;
let site: Site;
before(async () => {
  here = await house();
  node = await here.node();
  site = await siteOf(node);
  for (const user of [ada, bob, cleo, dora]) await node.must(user, 'coreInitialize', { clientId: 1 });
});
after(async () => {
  await site.close();
  await here.close();
});

const pathOf = (file: FileId): string => `/files/${file.toString()}`;

/** A file that Bob has sent as this, and Ada sees. */
const shown = async (
  bytes: Uint8Array | readonly Uint8Array[],
  more: NonNullable<MediaRefInit['uploaded']> = {},
): Promise<FileId> => {
  const parts = bytes instanceof Uint8Array ? [bytes] : bytes;
  const { files } = await attach(node, bob, general, [refTo(await upload(node, bob, ...parts), parts.length, more)]);
  return files[0] as FileId;
};

const ofAda = (headers: Readonly<Record<string, string>> = {}) => ({ headers: { ...bearer(ada), ...headers } });
const headOf = (headers: Readonly<Record<string, string>> = {}) => ({ ...ofAda(headers), method: 'HEAD' });

describe('a file over HTTP', () => {
  it('comes whole to whoever sees it, by the token in a header or by a link', async () => {
    const parts = [bytesOf(1_000), bytesOf(70_000, 3), bytesOf(5)];
    const file = await shown(parts);
    for (const [path, how] of [
      [pathOf(file), ofAda()],
      [await linkTo(site, ada, file), {}],
    ] as const) {
      const { status, headers, body } = await asked(site, path, how);
      assert.equal(status, 200);
      assert.equal(headers['content-length'], '71005');
      assert.deepEqual(body, Buffer.concat(parts));
    }
  });

  it('is read once for its first answer, its type included', async () => {
    const png = await painted(900, 700).png().toBuffer();
    const file = await shown(png, { mimetype: 'image/png' });
    let reads = 0;
    const get: House['blobs']['get'] = (...of) => {
      reads += 1;
      return here.blobs.get(...of);
    };
    const counting = await here.node({ blobs: { ...here.blobs, get } });
    const other = await siteOf(counting);
    const { headers, body } = await asked(other, pathOf(file), ofAda());
    assert.equal(headers['content-type'], 'image/png');
    assert.ok(body.length > 0 && reads === 1, reads.toString());
    const [first, second] = [await asked(other, pathOf(file), ofAda({ range: 'bytes=0-0' })), body];
    assert.deepEqual([first.status, first.body], [206, second.subarray(0, 1)]);
    await other.close();
    const fresh = await siteOf(await here.node());
    const one = await asked(fresh, pathOf(file), ofAda({ range: 'bytes=0-0' }));
    assert.deepEqual([one.status, one.headers['content-type'], one.body], [206, 'image/png', body.subarray(0, 1)]);
    await fresh.close();
  });

  it('of each size on a border is the same both ways out', async () => {
    const mebibyte = 1_048_576;
    for (const parts of [
      [bytesOf(0)],
      [bytesOf(1)],
      [bytesOf(mebibyte - 1)],
      [bytesOf(mebibyte)],
      [bytesOf(524_288), bytesOf(524_288, 1), bytesOf(1, 2)],
      [bytesOf(mebibyte), bytesOf(mebibyte, 9)],
      Array.from({ length: 20 }, (_, at) => bytesOf(1, at)),
    ]) {
      const file = await shown(parts);
      const { status, headers, body } = await asked(site, pathOf(file), ofAda());
      const all = Buffer.concat(parts);
      assert.deepEqual([status, headers['content-length']], [200, all.length.toString()]);
      assert.ok(body.equals(all));
      const middle = await asked(
        site,
        pathOf(file),
        ofAda({ range: `bytes=${Math.floor(all.length / 2).toString()}-` }),
      );
      if (all.length > 0) assert.ok(middle.body.equals(all.subarray(Math.floor(all.length / 2))));
      const told = await asked(site, pathOf(file), headOf());
      assert.deepEqual([told.headers['content-length'], told.body.length], [all.length.toString(), 0]);
    }
  });

  it('of no bytes has no range', async () => {
    const file = await shown(new Uint8Array(0), { mimetype: 'image/png' });
    const whole = await asked(site, pathOf(file), ofAda());
    assert.deepEqual([whole.status, whole.headers['content-length'], whole.body.length], [200, '0', 0]);
    const range = await asked(site, pathOf(file), ofAda({ range: 'bytes=0-0' }));
    assert.deepEqual([range.status, range.headers['content-range']], [416, 'bytes */0']);
  });
});

describe('a range', () => {
  const all = Buffer.from(bytesOf(100));
  let file: FileId;
  before(async () => {
    file = await shown([all.subarray(0, 33), all.subarray(33)]);
  });

  const table = [
    ['bytes=90-110', 206, 'bytes 90-99/100', all.subarray(90)],
    ['bytes=-10', 206, 'bytes 90-99/100', all.subarray(90)],
    ['bytes=-200', 206, 'bytes 0-99/100', all],
    ['bytes=0-0', 206, 'bytes 0-0/100', all.subarray(0, 1)],
    ['bytes=30-40', 206, 'bytes 30-40/100', all.subarray(30, 41)],
    ['bytes=99-', 206, 'bytes 99-99/100', all.subarray(99)],
    ['Bytes= 5-6 ', 206, 'bytes 5-6/100', all.subarray(5, 7)],
    ['bytes=0-99999999999999999999', 206, 'bytes 0-99/100', all],
    ['bytes=100-', 416, 'bytes */100', undefined],
    ['bytes=99999999999999999999-', 416, 'bytes */100', undefined],
    ['bytes=-0', 416, 'bytes */100', undefined],
    ['bytes=5-2', 200, undefined, all],
    ['bytes=0-1,5-6', 200, undefined, all],
    ['bytes=-', 200, undefined, all],
    ['bytes=a-b', 200, undefined, all],
    ['items=0-5', 200, undefined, all],
  ] as const;

  for (const [range, status, told, bytes] of table) {
    it(`of "${range}" is ${status.toString()}`, async () => {
      const answer = await asked(site, pathOf(file), ofAda({ range }));
      assert.deepEqual([answer.status, answer.headers['content-range']], [status, told]);
      assert.deepEqual(answer.body, bytes ?? Buffer.alloc(0));
      const head = await asked(site, pathOf(file), headOf({ range }));
      assert.deepEqual(
        [head.status, head.headers['content-length'], head.headers['accept-ranges']],
        [200, '100', 'bytes'],
      );
    });
  }

  it('is for the bytes that the client has, or else all are sent', async () => {
    const { headers } = await asked(site, pathOf(file), headOf());
    const [etag, modified] = [headers.etag ?? '', headers['last-modified'] ?? ''];
    const statusFor = async (condition: string) =>
      (await asked(site, pathOf(file), ofAda({ range: 'bytes=1-2', 'if-range': condition }))).status;
    assert.deepEqual(await Promise.all([etag, modified].map(statusFor)), [206, 206]);
    const others = ['"other"', `W/${etag}`, new Date(Date.parse(modified) + 1_000).toUTCString(), 'nonsense'];
    assert.deepEqual(await Promise.all(others.map(statusFor)), [200, 200, 200, 200]);
  });
});

describe('a condition', () => {
  it('is judged after the rights, and before the range, for HEAD as for GET', async () => {
    const file = await shown(bytesOf(100));
    const { headers } = await asked(site, pathOf(file), headOf());
    const [etag, modified] = [headers.etag ?? '', headers['last-modified'] ?? ''];
    const earlier = new Date(Date.parse(modified) - 60_000).toUTCString();
    const table: readonly (readonly [Readonly<Record<string, string>>, number])[] = [
      [{ 'if-none-match': etag }, 304],
      [{ 'if-none-match': `"a", W/${etag}` }, 304],
      [{ 'if-none-match': '*' }, 304],
      [{ 'if-none-match': '"a"' }, 200],
      [{ 'if-none-match': '"a"', 'if-modified-since': modified }, 200],
      [{ 'if-modified-since': modified }, 304],
      [{ 'if-modified-since': earlier }, 200],
      [{ 'if-modified-since': 'nonsense' }, 200],
      [{ 'if-match': etag }, 200],
      [{ 'if-match': '*' }, 200],
      [{ 'if-match': `W/${etag}` }, 412],
      [{ 'if-match': '"a"', 'if-none-match': etag }, 412],
      [{ 'if-unmodified-since': modified }, 200],
      [{ 'if-unmodified-since': earlier }, 412],
      [{ 'if-none-match': etag, range: 'bytes=900-' }, 304],
    ];
    for (const [conditions, status] of table) {
      for (const how of [ofAda(conditions), headOf(conditions)]) {
        const answer = await asked(site, pathOf(file), how);
        assert.equal(answer.status, status, JSON.stringify(conditions));
        assert.equal(answer.headers.etag, etag);
        if (status !== 200) assert.equal(answer.body.length, 0);
      }
      const stranger = { headers: { ...bearer(dora), ...conditions } };
      assert.equal((await asked(site, pathOf(file), stranger)).status, 404);
    }
  });
});

describe('a browser', () => {
  const png = Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), bytesOf(60)]);
  const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>');
  const html = Buffer.from('<!doctype html><script>alert(1)</script>');

  it('is let show what both its sender and its bytes say can run nothing', async () => {
    const painting = await painted(8, 8).png().toBuffer();
    const table = [
      [painting, 'image/png', 'image/png'],
      [Buffer.from('OggS and so on'), 'Audio/Ogg; codecs=a', 'audio/ogg'],
      [Buffer.from('\0\0\0\x20ftypisom and so on', 'latin1'), 'video/mp4', 'video/mp4'],
      [html, 'video/mp4', undefined],
      [html, 'text/html', undefined],
      [Buffer.from('%PDF-1.7'), 'application/pdf', undefined],
      [Buffer.from('words'), 'text/plain', undefined],
    ] as const;
    for (const [bytes, mimetype, type] of table) {
      const file = await shown(bytes, { mimetype, filename: 'a.png' });
      for (const how of [ofAda(), headOf(), ofAda({ range: 'bytes=3-4' }), ofAda({ range: 'bytes=900-' })]) {
        const { headers } = await asked(site, pathOf(file), how);
        assert.equal(headers['content-type'], type ?? 'application/octet-stream', mimetype);
        assert.equal(
          headers['content-disposition'],
          `${type === undefined ? 'attachment' : 'inline'}; filename="a.png"`,
        );
        assert.equal(headers['x-content-type-options'], 'nosniff');
        assert.match(String(headers['content-security-policy']), /default-src 'none'.*; sandbox$/);
        assert.equal(headers['cache-control'], 'private, no-store');
        assert.equal(headers['referrer-policy'], 'no-referrer');
      }
    }
  });

  it('is let show no type of a former release that the bytes deny', () => {
    for (const [bytes, mimetype, type] of [
      [png, 'image/png', 'image/png'],
      [svg, 'image/png', undefined],
      [html, 'image/png', undefined],
      [svg, 'image/svg+xml', undefined],
      [png, 'image/svg+xml', undefined],
      [png, 'text/html', undefined],
      [png, 'image/gif', undefined],
      [png, undefined, 'image/png'],
      [html, undefined, undefined],
    ] as const) {
      assert.equal(shownTypeOf(mimetype, bytes), type);
    }
  });

  it('is told a name in two forms where it is not plain', async () => {
    const table = [
      ['写真.png', `attachment; filename="__.png"; filename*=UTF-8''%E5%86%99%E7%9C%9F.png`],
      ['a"b;c', `attachment; filename="a_b;c"; filename*=UTF-8''a%22b%3Bc`],
      ['100%.txt', `attachment; filename="100_.txt"; filename*=UTF-8''100%25.txt`],
      ["it's (1)*.txt", `attachment; filename="it's (1)*.txt"`],
      ['😀.bin', `attachment; filename="_.bin"; filename*=UTF-8''%F0%9F%98%80.bin`],
    ] as const;
    for (const [filename, expected] of table) {
      const file = await shown(bytesOf(3), { filename });
      assert.equal((await asked(site, pathOf(file), ofAda())).headers['content-disposition'], expected);
    }
    const uploaded = await upload(node, bob, bytesOf(1));
    for (const filename of ['a\r\nSet-Cookie: b', 'gpj.\u202eexe', 'a\0b', '../a']) {
      const media = [refTo(uploaded, 1, { filename })];
      assert.equal(await node.refused(bob, 'messagesSendMessage', { chatRef: general, media }), 'INVALID_ARGUMENT');
    }
  });
});

describe('a link', () => {
  it('is good for five minutes, for its own file, and as it was given out', async () => {
    const [file, other] = [await shown(bytesOf(9)), await shown(bytesOf(8))];
    const link = await linkTo(site, ada, file);
    const statusOf = async (path: string) => (await asked(site, path)).status;
    assert.equal(await statusOf(link), 200);
    const ofProxy = await asked(site, link, { headers: { authorization: 'Basic YTpi' } });
    assert.equal(ofProxy.status, 200, 'a proxy asks for a password of its own');
    assert.equal(await statusOf(link.replace(file.toString(), other.toString())), 404);
    const at = link.indexOf('link=') + 'link='.length;
    for (const place of [at, at + 4, at + 15, at + 28, link.length - 2]) {
      const changed = link[place] === 'A' ? 'B' : 'A';
      assert.equal(await statusOf(link.slice(0, place) + changed + link.slice(place + 1)), 404);
    }
    for (const text of ['', 'a', link.slice(at, -1), `${link.slice(at)}A`]) {
      assert.equal(await statusOf(`${pathOf(file)}?link=${text}`), 404);
    }
    assert.equal(await statusOf(`${link}&link=a`), 404);
    here.clock.at += linkLifeMillis - 1;
    assert.equal(await statusOf(link), 200);
    here.clock.at += 1;
    const late = await asked(site, link);
    assert.equal(late.status, 404);
    assert.match(String(json(late)['error']), /expired/);
  });

  it('is good on every node', async () => {
    const other = await siteOf(await here.node());
    const file = await shown(bytesOf(9));
    assert.equal((await asked(other, await linkTo(site, ada, file))).status, 200);
    await other.close();
    await other.node.close();
  });

  it('ends at once, on every node, with the message, the sight of the channel, the membership and the session', async () => {
    const other = await siteOf(await here.node());
    /** All ways to a file, and how they are answered after the loss. */
    const after = async (session: bigint, file: FileId, loss: () => Promise<unknown>) => {
      await node.must({ user: cleo, session }, 'coreInitialize', { clientId: 1 });
      const [link, headers] = [await linkTo(site, cleo, file, session), bearer(cleo, session)];
      const statuses = async () => {
        const found = [site, other].flatMap((at) =>
          ['GET', 'HEAD'].flatMap((method) => [
            asked(at, link, { method }),
            asked(at, link, { method, headers: { range: 'bytes=900-' } }),
            asked(at, pathOf(file), { method, headers: { ...headers, 'if-none-match': '*' } }),
          ]),
        );
        return (await Promise.all(found)).map(({ status }) => status);
      };
      assert.deepEqual(await statuses(), [200, 416, 304, 200, 200, 304, 200, 416, 304, 200, 200, 304]);
      await loss();
      return statuses();
    };
    const sight = (neg: bigint) =>
      here.happened('community-100', {
        type: 'OverrideSet',
        data: { community, channel: 101n as ChannelId, role: 0n as RoleId, pos: 0n, neg, by: ada },
      });
    const none = Array.from({ length: 12 }, () => 404);

    const { file: deleted, messageId } = await sentFile(node, bob, general, bytesOf(4));
    const deletion = { chatRef: general, messageIds: [messageId] };
    assert.deepEqual(await after(1n, deleted, () => node.must(bob, 'messagesDeleteMessage', deletion)), none);

    const file = await shown(bytesOf(5));
    assert.deepEqual(await after(1n, file, () => sight(permission.viewChannel)), none);
    await sight(0n);
    const leave = () => node.must(cleo, 'communitiesLeaveCommunity', { communityId: community });
    assert.deepEqual(await after(1n, file, leave), none);
    await here.happened('member-100.3', joined(cleo));
    const { session } = sessionOf(cleo, 2n);
    const revoke = () => node.must(cleo, 'authRevokeSessions', { sessionIds: [session] });
    const byLinkOrToken = Array.from({ length: 12 }, (_, at) => (at % 3 === 2 ? 401 : 404));
    assert.deepEqual(await after(2n, file, revoke), byLinkOrToken);
    await other.close();
    await other.node.close();
  });

  it('is given to a session alone, and says nothing of whether there is such a file', async () => {
    const post = (body: string, headers: Readonly<Record<string, string>> = bearer(dora)) =>
      asked(site, '/files/links', {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body,
      });
    const wanted = JSON.stringify({ files: [{ id: '77' }, { id: '78', kind: 'photo' }] });
    const given = await post(wanted);
    const { links } = json(given) as { readonly links: readonly { readonly url: string; readonly kind: string }[] };
    assert.deepEqual(
      links.map(({ url, kind }) => [url.replace(/=.*/, '='), kind]),
      [
        ['/files/77?link=', 'media'],
        ['/files/78?link=', 'photo'],
      ],
    );
    for (const { url } of links) assert.equal((await asked(site, url)).status, 404);
    assert.equal((await post(wanted, {})).status, 401);
    const many = JSON.stringify({ files: Array.from({ length: 101 }, () => ({ id: '1' })) });
    const table = [
      [many, 413, 'TOO_MANY'],
      ['{"files":[{"id":77}]}', 400, 'INVALID_ARGUMENT'],
      ['{"files":[{"id":"18446744073709551616"}]}', 400, 'INVALID_ARGUMENT'],
      ['{"files":[{"id":"1","kind":"other"}]}', 400, 'INVALID_ARGUMENT'],
      ['{"files":[null]}', 400, 'INVALID_ARGUMENT'],
      ['[]', 400, 'INVALID_ARGUMENT'],
      ['null', 400, 'INVALID_ARGUMENT'],
      ['{', 400, 'MALFORMED'],
      [' '.repeat(20_000), 413, 'TOO_LARGE'],
    ] as const;
    for (const [body, status, reason] of table) {
      const answer = await post(body);
      assert.deepEqual([answer.status, json(answer)['reason']], [status, reason], body.slice(0, 40));
    }
    const form = await asked(site, '/files/links', {
      method: 'POST',
      headers: { ...bearer(dora), 'content-type': 'text/plain' },
      body: wanted,
    });
    assert.equal(form.status, 400);
  });
});

describe('a photo', () => {
  it('is shown to everybody with a session, and kept by a browser for a day', async () => {
    const id = await upload(node, bob, await painted(600, 400).png().toBuffer());
    await node.must(bob, 'settingsEditProfilePhoto', { file: { id, name: 'me.png', partCount: 1 } });
    await node.send(bob, { chatRef: self, message: 'a note' });
    const { messages } = await node.must(bob, 'messagesGetHistory', { chatRef: self });
    const file = messages.users[0]?.photo?.fileId ?? assert.fail('no photo is shown');
    const path = `${pathOf(file)}?kind=photo`;
    const { status, headers, body } = await asked(site, path, { headers: bearer(dora) });
    assert.deepEqual([status, headers['content-type'], headers['content-disposition']], [200, 'image/webp', 'inline']);
    assert.equal(headers['cache-control'], 'private, max-age=86400, immutable');
    assert.equal(body.toString('latin1', 8, 12), 'WEBP');
    const told = await asked(site, path, { method: 'HEAD', headers: bearer(dora) });
    assert.equal(told.headers['content-length'], body.length.toString());
    const attached = await shown(bytesOf(5));
    const other = await asked(site, `${pathOf(attached)}?kind=photo`, ofAda());
    assert.equal(other.headers['cache-control'], 'private, no-store', 'what is attached is kept by nobody');
    const statusOf = async (at: string, by: Readonly<Record<string, string>>) =>
      (await asked(site, at, { headers: by })).status;
    assert.equal(await statusOf(path, {}), 401);
    assert.equal(await statusOf(pathOf(file), bearer(dora)), 404, 'a photo is no attachment');
    await node.must(bob, 'settingsEditProfilePhoto', {});
    assert.equal(await statusOf(path, bearer(dora)), 404);
  });
});

describe('a request without a right', () => {
  it('is told no more than that it has none', async () => {
    const file = await shown(bytesOf(5));
    const token = bearer(ada).authorization.replace('Bearer ', '');
    const table = [
      [pathOf(file), {}, 401],
      [pathOf(file), { authorization: 'Bearer nonsense' }, 401],
      [pathOf(file), { authorization: `Basic ${token}` }, 401],
      [pathOf(file), { authorization: bearer(ada, 999n).authorization }, 401],
      [`${pathOf(file)}?token=${token}`, {}, 401],
      [`${pathOf(file)}?access_token=${token}&authorization=${token}`, {}, 401],
      [pathOf(file), bearer(dora), 404],
      [`${pathOf(file)}?kind=photo`, bearer(dora), 404],
      [`${pathOf(file)}?kind=other`, bearer(ada), 404],
      ['/files/1', bearer(ada), 404],
      ['/files/0', bearer(ada), 404],
      ['/files/18446744073709551616', bearer(ada), 404],
      ['/files/-1', bearer(ada), 404],
      ['/files/%00', bearer(ada), 404],
      [`/files/0${file.toString()}`, bearer(ada), 404],
    ] as const;
    for (const [path, headers, status] of table) {
      const answer = await asked(site, path, { headers });
      assert.equal(answer.status, status, path);
      assert.equal(answer.headers['www-authenticate'], status === 401 ? 'Bearer' : undefined);
      assert.equal(answer.headers['cache-control'], 'private, no-store');
      assert.equal((await asked(site, path, { headers, method: 'HEAD' })).status, status, path);
    }
  });
});
