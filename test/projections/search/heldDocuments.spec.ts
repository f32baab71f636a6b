import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { memoryDocuments } from '../../../src/adapters/documents/memory.js';
import type { DocumentStore } from '../../../src/kernel/ports/documentStore.js';
import { headCollection, searchCollections } from '../../../src/projections/search/documents.js';
import { heldDocuments, keysPerReadMax } from '../../../src/projections/search/heldDocuments.js';

describe('documents that are worked on', () => {
  it('are made one by one as they are written, and settled in turns', async () => {
    const store = memoryDocuments();
    await store.open(searchCollections);
    const keys = Array.from({ length: 10 * keysPerReadMax }, (_, at) => `key${at.toString().padStart(5, '0')}`);
    let [made, breaths] = [0, 0];
    const breath = (): undefined => {
      breaths += 1;
    };
    const reads: number[] = [];
    const counted: Pick<DocumentStore, 'getMany'> = {
      getMany: (collection, some) => {
        reads.push(some.length);
        return store.getMany(collection, some);
      },
    };
    const held = heldDocuments<number>(
      { store: counted, breath, onDamaged: ({ key }) => assert.fail(key) },
      {
        collection: headCollection,
        parsed: () => undefined,
        plain: (value) => {
          made += 1;
          return { document: { value }, indexKeys: {} };
        },
        bytesOf: () => 8,
      },
    );
    await held.load([...keys, ...keys]);
    assert.ok(breaths >= 18, breaths.toString());
    assert.ok(Math.max(...reads) <= keysPerReadMax && reads.length === 10, reads.toString());
    for (const [at, key] of keys.entries()) held.set(key, at % 4 === 0 ? undefined : at, 1n);
    let taken = 0;
    for (const { document } of held.writes('kept')) {
      assert.ok(document);
      taken += 1;
      assert.equal(made, taken);
    }
    assert.equal(taken, (keys.length * 3) / 4);
    const removed = Array.from(held.writes('removed'), ({ key }) => key);
    assert.equal(removed.length, keys.length / 4);
    assert.equal(Array.from(held.writes()).length, keys.length);
    breaths = 0;
    assert.deepEqual(await held.settle(), removed);
    assert.ok(breaths >= 9, breaths.toString());
  });
});
