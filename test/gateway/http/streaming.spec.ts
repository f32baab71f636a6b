import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { partTurns } from '../../../src/gateway/files/parts.js';
import { requestsPerConnectionMax, requestsPerUserMax } from '../../../src/gateway/http/visitors.js';
import type { FileId } from '../../../src/kernel/ids.js';
import type { Blobs } from '../../../src/kernel/ports/blobs.js';
import { deferred } from '../../../src/kernel/timing.js';
import { ada, bob, general } from '../../support/house/cast.js';
import { house, type House } from '../../support/house/house.js';
import type { Node } from '../../support/house/node.js';
import { bytesOf, sentFile, storedNames } from '../files/filing.js';
import { asked, bearer, json, siteOf, type Site } from './site.js';

/** A store whose reads wait while it is held, and which says how many have come. */
const holdable = (): { of(blobs: Blobs): Blobs; reads: number; held: Promise<undefined> | undefined } => {
  const state = {
    reads: 0,
    held: undefined as Promise<undefined> | undefined,
    of: (blobs: Blobs): Blobs => ({
      ...blobs,
      get: async (...asks) => {
        state.reads += 1;
        await state.held;
        return blobs.get(...asks);
      },
    }),
  };
  return state;
};

let here: House;
let node: Node;
let site: Site;
const store = holdable();
before(async () => {
  here = await house();
  node = await here.node({ blobs: store.of(here.blobs) });
  site = await siteOf(node);
  for (const user of [ada, bob]) await node.must(user, 'coreInitialize', { clientId: 1 });
});
after(async () => {
  await site.close();
  await here.close();
});

const pathOf = (file: FileId): string => `/files/${file.toString()}`;
const mebibyte = 1_048_576;

/** A file of parts of a mebibyte each. */
const large = async (parts: number) =>
  sentFile(node, bob, general, ...Array.from({ length: parts }, (_, at) => bytesOf(mebibyte, at)));

const requestFor = (file: FileId): string =>
  [`GET ${pathOf(file)} HTTP/1.1`, 'Host: localhost', `Authorization: ${bearer(ada).authorization}`, '', ''].join(
    '\r\n',
  );

const settledAt = async (ask: () => number): Promise<number> => {
  for (let last = -1; ;) {
    const now = ask();
    if (now === last) return now;
    last = now;
    await new Promise((resolve) => setTimeout(resolve, 150));
  }
};

describe('an answer over HTTP', () => {
  it('is cut where a part turns out damaged, and is none where the first one is', async () => {
    const { file } = await large(3);
    const [first = '', , third = ''] = (await storedNames(here.blobs)).filter((name) => name.includes(file.toString()));
    const sealed = Buffer.from((await here.blobs.get(third)) ?? []);
    sealed[1_000] = (sealed[1_000] ?? 0) ^ 1;
    await here.blobs.put(third, sealed);
    const cut = await asked(site, pathOf(file), { headers: bearer(ada) });
    assert.deepEqual([cut.status, cut.headers['content-length'], cut.isCut], [200, (3 * mebibyte).toString(), true]);
    assert.ok(cut.body.length <= 2 * mebibyte);
    assert.ok(cut.body.equals(Buffer.concat([bytesOf(mebibyte), bytesOf(mebibyte, 1)]).subarray(0, cut.body.length)));

    await here.blobs.remove([first]);
    const none = await asked(site, pathOf(file), { headers: bearer(ada) });
    assert.deepEqual([none.status, json(none)['reason'], none.headers.etag], [500, 'FILE_DAMAGED', undefined]);
    const troubles = node.troubles.splice(0);
    assert.deepEqual(
      new Set(troubles.map(({ msg }) => msg)),
      new Set(['a stored part of a file is damaged or missing']),
    );
  });

  it('ends with the right to the file, though it has begun', async () => {
    const { file, messageId } = await large(8);
    const reader = connect({ port: site.port, host: '127.0.0.1' });
    reader.on('error', () => undefined).pause();
    reader.write(requestFor(file));
    const before = store.reads;
    await settledAt(() => store.reads);
    assert.ok(
      store.reads > before && store.reads - before < 8,
      'the test needs an answer that has begun and not ended',
    );
    await node.must(bob, 'messagesDeleteMessage', { chatRef: general, messageIds: [messageId] });
    const bytes = await received(reader);
    assert.ok(bytes > mebibyte && bytes < 8 * mebibyte, `${bytes.toString()} bytes came`);
  });

  it('waits for a reader with no more than a part in memory', async () => {
    const { file } = await large(12);
    const before = store.reads;
    const reader = connect({ port: site.port, host: '127.0.0.1' });
    reader.on('error', () => undefined).pause();
    reader.write(requestFor(file));
    await settledAt(() => store.reads);
    assert.ok(
      store.reads - before < 10,
      `${(store.reads - before).toString()} parts were read for a client that takes none`,
    );
    const bytes = await received(reader, 12 * mebibyte);
    assert.ok(bytes >= 12 * mebibyte);
    assert.equal(store.reads - before, 12);
  });
});

/** Reads to the end, or to so many bytes. */
const received = (reader: Socket, enough = Infinity): Promise<number> =>
  new Promise((resolve) => {
    let bytes = 0;
    const done = (): void => {
      reader.destroy();
      resolve(bytes);
    };
    reader.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes >= enough) done();
    });
    reader.on('close', done).resume();
  });

describe('the requests of one user', () => {
  it(`are at most ${requestsPerUserMax.toString()} at once, and the next one is told when to come again`, async () => {
    const { file } = await sentFile(node, bob, general, bytesOf(5));
    const held = deferred<undefined>();
    store.held = held.promise;
    const before = store.reads;
    const under = Array.from({ length: requestsPerUserMax }, () => asked(site, pathOf(file), { headers: bearer(ada) }));
    while (store.reads - before < partTurns.atOnceMax) await new Promise((resolve) => setTimeout(resolve, 20));
    await settledAt(() => store.reads);
    const refused = await asked(site, pathOf(file), { headers: bearer(ada) });
    assert.deepEqual([refused.status, refused.headers['retry-after']], [429, '1']);
    held.resolve(undefined);
    store.held = undefined;
    assert.deepEqual(new Set((await Promise.all(under)).map(({ status }) => status)), new Set([200]));
    assert.equal((await asked(site, pathOf(file), { headers: bearer(ada) })).status, 200);
  });

  it('on one connection are answered in order, and are as many as one connection may have', async () => {
    const { file } = await sentFile(node, bob, general, bytesOf(5));
    const many = requestsPerConnectionMax + 4;
    const socket = connect({ port: site.port, host: '127.0.0.1' });
    socket.write(requestFor(file).repeat(many));
    let text = '';
    const statuses = () => [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status);
    socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
    while (statuses().length < many) await new Promise((resolve) => setTimeout(resolve, 20));
    socket.destroy();
    assert.deepEqual(statuses(), [
      ...Array.from({ length: requestsPerConnectionMax }, () => '200'),
      ...Array.from({ length: 4 }, () => '429'),
    ]);
  });
});
