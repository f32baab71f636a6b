import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sharedSyncs } from '../../../src/adapters/blobs/files.js';
import { deferred, type Deferred } from '../../../src/kernel/timing.js';

/** Syncs that end when the test says so. */
const held = () => {
  const begun: { readonly folder: string; readonly end: Deferred<undefined> }[] = [];
  const sync = sharedSyncs(async (folder) => {
    const end = deferred<undefined>();
    begun.push({ folder, end });
    await end.promise;
  });
  return { begun, sync, folders: () => begun.map(({ folder }) => folder) };
};

describe('syncs of a folder', () => {
  it('are one for all that ask before it begins, and another for those that ask after', async () => {
    const { begun, sync, folders } = held();
    const first = sync('a');
    const later = [sync('a'), sync('a')];
    assert.deepEqual(folders(), ['a']);
    begun[0]?.end.resolve(undefined);
    await first;
    assert.deepEqual(folders(), ['a', 'a']);
    const last = sync('a');
    begun[1]?.end.resolve(undefined);
    await Promise.all(later);
    assert.deepEqual(folders(), ['a', 'a', 'a']);
    begun[2]?.end.resolve(undefined);
    await last;
  });

  it('of different folders go on at the same time', () => {
    const { sync, folders } = held();
    for (const folder of ['a', 'b']) void sync(folder);
    assert.deepEqual(folders(), ['a', 'b']);
  });

  it('fail for those who waited for the one that failed, and for nobody else', async () => {
    const { begun, sync } = held();
    const [first, next] = [sync('a'), sync('a')];
    begun[0]?.end.reject(new Error('the disk is gone'));
    await assert.rejects(first, /gone/);
    begun[1]?.end.resolve(undefined);
    await next;
  });
});
