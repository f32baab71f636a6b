import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import {
  blobBytesIn,
  blobWorksAtOnceMax,
  copyBlobs,
  fileBlobs,
  unfinishedMillisMax,
  withoutUnfinished,
} from '../../src/adapters/blobs/files.js';
import { freshFolder } from '../support/dataFolders.js';
import { blobsContract } from './blobs.js';

const worksAtOnceMax = 2;

blobsContract('files', (t) => Promise.resolve(fileBlobs(join(freshFolder(t), 'files'), worksAtOnceMax)));

it('files of blobs are for their owner alone, and leave no empty folders', async (t) => {
  const folder = join(freshFolder(t), 'files');
  const blobs = fileBlobs(folder, worksAtOnceMax);
  await blobs.put('a/b/c', new Uint8Array(3));
  assert.equal(statSync(join(folder, 'a/b/c')).mode & 0o777, 0o600);
  assert.equal(statSync(join(folder, 'a/b')).mode & 0o777, 0o700);
  await blobs.remove(['a/b/c']);
  assert.deepEqual(readdirSync(folder), ['.unfinished']);
});

it('files that a process left half written are removed once they are old', async (t) => {
  const folder = freshFolder(t);
  const unfinished = join(folder, '.unfinished');
  mkdirSync(unfinished);
  for (const name of ['old', 'new']) writeFileSync(join(unfinished, name), 'half');
  const now = Date.now();
  const longAgo = (now - 2 * unfinishedMillisMax) / 1_000;
  utimesSync(join(unfinished, 'old'), longAgo, longAgo);
  await withoutUnfinished(folder, now);
  assert.deepEqual(readdirSync(unfinished), ['new']);
});

it('all blobs are counted and copied, while some of them go', async (t) => {
  const [from, to] = [join(freshFolder(t), 'files'), join(freshFolder(t), 'copy')];
  const { signal } = new AbortController();
  assert.equal(await blobBytesIn(from, signal), 0);
  const blobs = fileBlobs(from, worksAtOnceMax);
  const names = Array.from({ length: 60 }, (_, at) => `files/${at.toString()}/0000`);
  for (const name of names) await blobs.put(name, new Uint8Array(10));
  assert.equal(await blobBytesIn(from, signal), 600);
  const some = names.filter((_, at) => at % 2 === 0);
  const [bytes] = await Promise.all([blobBytesIn(from, signal), copyBlobs(from, to, signal), blobs.remove(some)]);
  assert.ok(bytes >= 300 && bytes <= 600);
  const copied = (await fileBlobs(to, worksAtOnceMax).list('', { limit: 100 })).map(({ name }) => name);
  for (const name of names) assert.ok(copied.includes(name) || some.includes(name), name);
  assert.equal(await blobBytesIn(to, signal), 10 * copied.length);
});

it('a copy of all blobs, and a count of them, give up when they are told to', async (t) => {
  const [from, to] = [join(freshFolder(t), 'files'), join(freshFolder(t), 'copy')];
  await fileBlobs(from, worksAtOnceMax).put('files/1/0000', new Uint8Array(10));
  const signal = AbortSignal.abort(new Error('stopped'));
  await assert.rejects(blobBytesIn(from, signal), /stopped/);
  await assert.rejects(copyBlobs(from, to, signal), /stopped/);
  assert.deepEqual(await fileBlobs(to, worksAtOnceMax).list('', { limit: 1 }), []);
});

it('blobs in files take half of the threads at most, however many are put and read at once', async (t) => {
  const blobs = fileBlobs(join(freshFolder(t), 'files'), worksAtOnceMax);
  const names = Array.from({ length: 16 }, (_, at) => `files/${at.toString()}/0000`);
  let [most, isOver] = [0, false];
  const look = (): void => {
    most = Math.max(most, process.getActiveResourcesInfo().filter((kind) => kind === 'FSReqPromise').length);
    if (!isOver) setImmediate(look);
  };
  look();
  await Promise.all(names.map((name) => blobs.put(name, new Uint8Array(100_000))));
  await Promise.all(names.map((name) => blobs.get(name)));
  isOver = true;
  assert.ok(most > 0 && most <= blobWorksAtOnceMax(4), most.toString());
});
