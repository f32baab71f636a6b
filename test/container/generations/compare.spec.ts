import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { memoryDocuments } from '../../../src/adapters/documents/memory.js';
import {
  comparer,
  sliceKeysMax,
  sliceMillisMax,
  type CompareNeeds,
} from '../../../src/container/generations/compare.js';
import type { DocumentStore, DocumentWrite, Plain } from '../../../src/kernel/ports/documentStore.js';

const collection = 'notes_v1';
const keyOf = (number: number): string => number.toString().padStart(6, '0');

const note = (number: number, document: Plain | undefined, position = BigInt(number + 1)): DocumentWrite => ({
  ...{ collection, key: keyOf(number), position, indexKeys: {} },
  ...(document === undefined ? {} : { document }),
});

const storeWith = async (writes: readonly DocumentWrite[]): Promise<DocumentStore> => {
  const store = memoryDocuments();
  await store.open([{ name: collection, indexes: [] }]);
  await store.commit(writes, []);
  return store;
};

const documents = 3 * sliceKeysMax - 5;
const all = Array.from({ length: documents }, (_, number) =>
  note(number, { text: `No. ${number.toString()}`, id: 7n }),
);

/** Time passes while it rests. */
const compared = (stores: CompareNeeds['stores'], changes: Partial<CompareNeeds> = {}) => {
  let at = 0;
  const rest = (millis: number): Promise<void> => Promise.resolve(void (at += millis));
  const needs = { stores, level: () => Promise.resolve(BigInt(documents)), rest, now: () => at, ...changes };
  return comparer(needs)(collection);
};

describe('two generations that are compared', () => {
  it('have equal digests where they hold the same, whatever the order of fields', async () => {
    const other = all.map((write) => ({
      ...write,
      document: Object.fromEntries(Object.entries(write.document ?? {}).reverse()),
    }));
    const found = await compared([await storeWith(all), await storeWith(other)]);
    assert.deepEqual([found.documents, found.differing, found.slices], [documents, 0, []]);
    assert.equal(found.digests[0], found.digests[1]);
  });

  it('are told apart by key and slice: what differs, is missing, is there alone, or is of another position', async () => {
    const other = all.flatMap((write, number) => {
      if (number === 3) return note(number, { text: 'No. 3', id: 7 });
      if (number === sliceKeysMax + 1) return [];
      if (number === sliceKeysMax + 2) return { ...write, position: 5_000n };
      return write;
    });
    const alone = note(documents + 1, 'alone');
    const found = await compared([await storeWith(all), await storeWith([...other, alone])], {
      level: () => Promise.resolve(9_999n),
    });
    assert.deepEqual([found.documents, found.differing], [documents + 1, 4]);
    assert.notEqual(found.digests[0], found.digests[1]);
    assert.deepEqual(
      found.slices.map(({ from, differing, keys }) => [from, differing, keys]),
      [
        [keyOf(0), 1, [keyOf(3)]],
        [keyOf(sliceKeysMax), 2, [sliceKeysMax + 1, sliceKeysMax + 2].map(keyOf)],
        [keyOf(2 * sliceKeysMax), 1, [keyOf(documents + 1)]],
      ],
    );
    for (const { digests } of found.slices) assert.notEqual(digests[0], digests[1]);
  });

  it('are looked at again where one was ahead for a moment', async () => {
    const [one, other] = [await storeWith(all), await storeWith(all)];
    await one.commit([note(7, 'newer', 7_000n), note(documents, 'new', 7_001n), note(9, undefined, 7_002n)], []);
    let levels = 0;
    const level = async (): Promise<bigint> => {
      levels += 1;
      if (levels === 3)
        await other.commit([note(7, 'newer', 7_000n), note(documents, 'new', 7_001n), note(9, undefined, 7_002n)], []);
      return levels < 3 ? 6_999n : 7_002n;
    };
    const found = await compared([one, other], { level });
    assert.deepEqual([found.documents, found.differing], [documents, 0]);
    assert.equal(found.digests[0], found.digests[1]);
    assert.ok(levels <= 4);
  });

  it('differ in documents of which the other one has not come to an end in time', async () => {
    const [one, other] = [await storeWith(all), await storeWith(all)];
    await one.commit([note(7, 'newer', 7_000n)], []);
    const { differing, slices } = await compared([one, other], { level: () => Promise.resolve(6_999n) });
    assert.deepEqual([differing, slices[0]?.keys], [1, [keyOf(7)]]);
  });

  it('are compared in pieces of a few milliseconds, and large documents are read one by one', async () => {
    let [at, rested, longest, widest] = [0, 0, 0, 0];
    const rest = (): Promise<void> => {
      longest = Math.max(longest, at - rested);
      rested = at;
      return Promise.resolve();
    };
    const large = Array.from({ length: 40 }, (_, number) => note(number, { text: 'x'.repeat(200_000) }));
    const store = await storeWith(large);
    const scan: DocumentStore['scan'] = (wanted) => {
      widest = Math.max(widest, wanted.limit);
      return store.scan(wanted);
    };
    const found = await compared([{ ...store, scan }, await storeWith(large)], { rest, now: () => (at += 1) });
    assert.equal(found.documents, 40);
    assert.ok(longest > 0 && longest <= 2 * sliceMillisMax, longest.toString());
    assert.equal(widest, 1);
  });

  it('are left alone once the operator has gone', async () => {
    const rest = (): Promise<void> => Promise.reject(new Error('gone'));
    let at = 0;
    const stores = [await storeWith(all), await storeWith(all)] as const;
    await assert.rejects(compared(stores, { rest, now: () => (at += 1) }), /gone/);
  });
});
