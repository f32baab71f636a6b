import assert from 'node:assert/strict';
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { lmdbDocuments } from '../../src/adapters/documents/lmdb.js';
import { documentStoreContract, newStoreContract } from './documentStore.js';

const newFolder = (): string => mkdtempSync(join(tmpdir(), 'osmium-documents-'));

const folder = newFolder();
documentStoreContract('lmdb', () => lmdbDocuments({ folder }), {
  keeps: true,
  runs: 100,
  cleanUp: () => rm(folder, { recursive: true }),
});

newStoreContract('lmdb', () => lmdbDocuments({ folder: join(folder, 'new') }));

it('lmdb documents: refuse to open when the indexes of a collection have changed without a new version', async (test) => {
  const own = newFolder();
  test.after(() => rm(own, { recursive: true }));
  const first = lmdbDocuments({ folder: own });
  await first.open([{ name: 'messages_v1', indexes: ['history'] }]);
  await first.close();
  const second = lmdbDocuments({ folder: own });
  await assert.rejects(second.open([{ name: 'messages_v1', indexes: ['history', 'author'] }]), /raise the version/);
});

it('lmdb documents: write nothing of a commit in which one write is refused', async (test) => {
  const own = newFolder();
  test.after(() => rm(own, { recursive: true }));
  const store = lmdbDocuments({ folder: own });
  test.after(() => store.close());
  await store.open([{ name: 'messages_v1', indexes: ['history'] }]);
  const write = { collection: 'messages_v1', document: 1, position: 1n };
  const good = { ...write, key: 'a', indexKeys: { history: [['x']] } };
  for (const bad of [
    { ...write, key: 'b', indexKeys: { history: [['x'.repeat(2_000)]] } },
    { ...write, key: 'b', indexKeys: { history: [[Number.NaN]] } },
    { ...write, key: 'b'.repeat(2_000), indexKeys: {} },
    { ...write, key: '', indexKeys: {} },
    { ...write, key: 'b', document: 2n ** 70n, indexKeys: {} },
  ]) {
    await assert.rejects(store.commit([good, bad], [{ projection: 'p', position: 1n }]));
  }
  assert.equal((await store.get('messages_v1', 'a')).document, undefined);
  assert.equal(await store.checkpoint('p'), 0n);
});

it('lmdb documents: pack no document that is stored already, as those are which are folded again', async (test) => {
  const own = newFolder();
  test.after(() => rm(own, { recursive: true }));
  const store = lmdbDocuments({ folder: own });
  test.after(() => store.close());
  await store.open([{ name: 'messages_v1', indexes: [] }]);
  const write = { collection: 'messages_v1', key: 'a', indexKeys: {} };
  let packed = 0;
  const document = {
    get text() {
      packed += 1;
      return 'hello';
    },
  };
  await store.commit([{ ...write, document, position: 2n }], []);
  const once = packed;
  assert.ok(once > 0);
  for (const position of [1n, 2n]) await store.commit([{ ...write, document, position }], []);
  assert.equal(packed, once);
});

it('lmdb documents: can read a document whose shape was first met in a write that was refused', async (test) => {
  const own = newFolder();
  test.after(() => rm(own, { recursive: true }));
  const first = lmdbDocuments({ folder: own });
  await first.open([{ name: 'messages_v1', indexes: [] }]);
  const write = { collection: 'messages_v1', key: 'a', position: 1n, indexKeys: {} };
  await assert.rejects(first.commit([{ ...write, document: { shape: { inner: 2n ** 70n } } }], []));
  await first.commit([{ ...write, document: { shape: { inner: 1n } } }], []);
  await first.close();
  const second = lmdbDocuments({ folder: own });
  test.after(() => second.close());
  await second.open([{ name: 'messages_v1', indexes: [] }]);
  assert.deepEqual((await second.get('messages_v1', 'a')).document, { shape: { inner: 1n } });
});

it('lmdb documents: can read what two writers of one environment wrote, each of which met other shapes first', async (test) => {
  const own = newFolder();
  test.after(() => rm(own, { recursive: true }));
  const open = () => lmdbDocuments({ folder: own, writers: 'several' });
  const [first, second] = [open(), open()];
  const specs = [{ name: 'messages_v1', indexes: [] }];
  for (const one of [first, second]) await one.open(specs);
  const shapes = Array.from({ length: 12 }, (_, index) => ({ [`field${index.toString()}`]: index }));
  const write = (document: Readonly<Record<string, number>>, key: string) => ({
    ...{ collection: 'messages_v1', key, position: 1n, indexKeys: {}, document },
  });
  for (const [index, shape] of shapes.entries()) {
    await first.commit([write(shape, `a${index.toString()}`)], []);
    const other = shapes.at(-1 - index) ?? {};
    await second.commit([write(other, `b${index.toString()}`)], []);
  }
  const reader = lmdbDocuments({ folder: own });
  await reader.open(specs);
  await first.commit([write({ late: 1 }, 'late')], []);
  assert.deepEqual((await reader.get('messages_v1', 'late')).document, { late: 1 });
  for (const one of [first, second, reader]) await one.close();
  const third = lmdbDocuments({ folder: own });
  await third.open(specs);
  const found = await third.scan({ collection: 'messages_v1', prefix: '', limit: 100 });
  const documentOf = (key: string) => found.find((one) => one.key === key)?.document;
  for (const [index, shape] of shapes.entries()) {
    assert.deepEqual(documentOf(`a${index.toString()}`), shape);
    assert.deepEqual(documentOf(`b${index.toString()}`), shapes.at(-1 - index));
  }
  await third.close();
});
