import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { forRunner } from '../../../src/kernel/document.js';
import {
  ageAll,
  cachedDocumentBytesMax,
  cachedDocumentsMin,
  documentCache,
  type DocumentCache,
} from '../../../src/projections/runner/documentCache.js';
import { membershipsDocuments } from '../../../src/projections/members/fold.js';
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

  it('are bounded in bytes over all types, and those go that were not used', async () => {
    const [users, members] = [hotUsers(), documentCache(forRunner(membershipsDocuments))];
    const text = 'x'.repeat(100_000);
    const fetch = async (_: string, keys: readonly string[]) =>
      keys.map((key) => ({ key, document: { text }, position: 5n }));
    const few = users.of('few');
    await users.load(fetch);
    let bytesMax = 0;
    for (let key = 0; key < 1_000; key += 1) {
      const document = members.of(key.toString());
      members.of('busy');
      await members.load(fetch);
      ageAll([users, members], []);
      assert.equal(members.peek(key.toString()), document);
      bytesMax = Math.max(bytesMax, users.bytes + members.bytes);
    }
    assert.ok(bytesMax > cachedDocumentBytesMax / 2 && bytesMax < 1.05 * cachedDocumentBytesMax, bytesMax.toString());
    assert.ok(members.peek('busy') !== undefined);
    assert.equal(members.peek('0'), undefined);
    assert.equal(users.peek('few'), few);
  });

  it('are measured anew when they are put into the form of the store, and count nothing once they are gone', () => {
    const hot = hotUsers();
    const grown = hot.begun('1');
    Object.assign(grown, { document: { text: 'x'.repeat(1_000) }, position: 5n });
    const before = hot.bytes;
    assert.equal(hot.storedOf(grown).document, hot.storedOf(grown).document);
    assert.ok(hot.bytes >= before + 1_000);
    hot.letGo([]);
    hot.letGo([]);
    assert.equal(hot.bytes, 0);
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
