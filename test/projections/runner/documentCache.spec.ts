import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { forRunner } from '../../../src/kernel/document.js';
import {
  documentCache,
  cachedDocumentsMin,
  type DocumentCache,
} from '../../../src/projections/runner/documentCache.js';
import { userDocuments } from '../../../src/projections/users/fold.js';

const hotUsers = (): DocumentCache => documentCache(forRunner(userDocuments));

/** Uses so many other documents that a generation is full. */
const fill = (hot: DocumentCache, name: string): void => {
  for (let index = 0; index < cachedDocumentsMin; index += 1) hot.of(`${name} ${index.toString()}`);
};

describe('hot documents', () => {
  it('are fetched once', async () => {
    const hot = hotUsers();
    const fetched: (readonly string[])[] = [];
    const fetch = async (_: string, keys: readonly string[]) => {
      fetched.push(keys);
      return keys.map((key) => ({ key, document: { name: key }, position: 5n }));
    };
    const first = hot.of('1');
    hot.of('2');
    hot.of('1');
    await hot.load(fetch);
    hot.of('2');
    await hot.load(fetch);
    assert.deepEqual(fetched, [['1', '2']]);
    assert.deepEqual([first.document, first.position], [{ name: '1' }, 5n]);
  });

  it('stay as long as they are used', () => {
    const hot = hotUsers();
    const used = hot.of('1');
    for (const name of ['a', 'b', 'c']) {
      fill(hot, name);
      hot.age([]);
      assert.equal(hot.of('1'), used);
    }
  });

  it('are forgotten when they are not used', () => {
    const hot = hotUsers();
    const once = hot.of('1');
    for (const name of ['a', 'b']) {
      fill(hot, name);
      hot.age([]);
    }
    assert.notEqual(hot.of('1'), once);
  });

  it('stay while the store does not have them', () => {
    const hot = hotUsers();
    const unstored = hot.of('1');
    for (const name of ['a', 'b', 'c', 'd']) {
      fill(hot, name);
      hot.age([[unstored]]);
    }
    assert.equal(hot.of('1'), unstored);
  });
});
