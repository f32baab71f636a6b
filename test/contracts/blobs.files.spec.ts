import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { fileBlobs, unfinishedMillisMax, withoutUnfinished } from '../../src/adapters/blobs/files.js';
import { freshFolder } from '../support/dataFolders.js';
import { blobsContract } from './blobs.js';

blobsContract('files', (t) => Promise.resolve(fileBlobs(join(freshFolder(t), 'files'))));

it('files of blobs are for their owner alone, and leave no empty folders', async (t) => {
  const folder = join(freshFolder(t), 'files');
  const blobs = fileBlobs(folder);
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
