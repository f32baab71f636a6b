import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, describe, it } from 'node:test';
import fc from 'fast-check';
import {
  Fenced,
  removalsPerCommitMax,
  type AbsentDocument,
  type DocumentStore,
  type DocumentWrite,
  type IndexKey,
  type IndexRange,
  type Plain,
  type StoredDocument,
} from '../../src/kernel/ports/documentStore.js';

export type DocumentStoreOptions = {
  /** Whether a store that is closed and made again still has its documents. */
  readonly keeps: boolean;
  /** How many random cases each property is tried with. */
  readonly runs: number;
  readonly cleanUp?: () => Promise<void>;
};

/** Each call of `makeStore` gives a store over the same place, not opened yet. The place must be the suite's own: `open` drops what it does not name. */
export const documentStoreContract = (
  name: string,
  makeStore: () => DocumentStore | Promise<DocumentStore>,
  options: DocumentStoreOptions,
): void => {
  describe(`documents: ${name}`, () => {
    after(async () => options.cleanUp?.());
    const withStore: WithStore = async (work) => {
      const store = await makeStore();
      try {
        const collection = freshName();
        await store.open([{ name: collection, indexes: ['byRank', 'byWord'] }]);
        await work(store, collection);
      } finally {
        await store.close();
      }
    };
    singleDocuments(withStore);
    values(withStore, options);
    positions(withStore);
    indexes(withStore, options);
    boundedRanges(withStore);
    scans(withStore);
    commits(withStore);
    removals(withStore);
    fences(withStore);
    owners(makeStore, options);
    if (options.keeps) reopening(makeStore);
  });
};

const owners = (makeStore: () => DocumentStore | Promise<DocumentStore>, { keeps }: DocumentStoreOptions): void => {
  it('belongs to the deployment that was named last', async () => {
    const store = await makeStore();
    await store.open([]);
    await store.belongTo('a');
    await store.belongTo('b');
    assert.deepEqual(await store.owner(), { status: 'named', deployment: 'b' });
    await store.close();
    if (!keeps) return;
    const again = await makeStore();
    // Before it is opened, too.
    assert.deepEqual(await again.owner(), { status: 'named', deployment: 'b' });
    await again.close();
  });
};

/** `makeStore` gives a store over a place that nobody has used. */
export const newStoreContract = (name: string, makeStore: () => DocumentStore): void => {
  it(`documents: ${name}: are nobody's until the first commit, and unnamed after it`, async () => {
    const store = makeStore();
    assert.deepEqual(await store.owner(), { status: 'empty' });
    await store.open([]);
    assert.deepEqual(await store.owner(), { status: 'empty' });
    await store.commit([], [{ projection: 'people', position: 0n }]);
    assert.deepEqual(await store.owner(), { status: 'empty' });
    await store.commit([], [{ projection: 'people', position: 5n }]);
    assert.deepEqual(await store.owner(), { status: 'unnamed' });
    await store.close();
  });
};

type WithStore = (work: (store: DocumentStore, collection: string) => Promise<void>) => Promise<void>;

const freshName = (): string => `test_${randomBytes(6).toString('hex')}_v1`;

type Entries = { readonly byRank?: readonly IndexKey[]; readonly byWord?: readonly IndexKey[] };

const put = (collection: string, key: string, position: bigint, document: Plain): DocumentWrite => ({
  collection,
  key,
  document,
  position,
  indexKeys: {},
});

const indexed = (write: DocumentWrite, indexKeys: Entries): DocumentWrite => ({ ...write, indexKeys });

const remove = (collection: string, key: string, position: bigint): DocumentWrite => ({
  collection,
  key,
  position,
  indexKeys: {},
});

const keysOf = (found: readonly StoredDocument[]): readonly string[] => found.map(({ key }) => key);

/** Stores may give bytes back as any kind of Uint8Array. */
const comparable = (value: unknown): unknown => {
  if (value instanceof Uint8Array) return { bytes: [...value] };
  if (Array.isArray(value)) return value.map(comparable);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, inner]) => inner !== undefined)
      .map(([key, inner]) => [key, comparable(inner)]),
  );
};

const assertDocument = (found: StoredDocument | AbsentDocument, expected: Plain): void => {
  assert.deepEqual(comparable(found.document), comparable(expected));
};

const singleDocuments = (withStore: WithStore): void => {
  it('gives back what was put, with its position', () =>
    withStore(async (store, collection) => {
      await store.commit([put(collection, 'a', 7n, { text: 'hello' })], []);
      assert.deepEqual(await store.get(collection, 'a'), { key: 'a', document: { text: 'hello' }, position: 7n });
    }));

  it('says of a key that never had a document that its position is before everything', () =>
    withStore(async (store, collection) => {
      const found = await store.get(collection, 'nothing');
      assert.equal(found.document, undefined);
      assert.equal(found.position, 0n);
    }));

  it('gives many documents in the order of the keys, absent ones among them', () =>
    withStore(async (store, collection) => {
      await store.commit([put(collection, 'a', 1n, 'A'), put(collection, 'b', 2n, 'B')], []);
      const found = await store.getMany(collection, ['b', 'nothing', 'a', 'b']);
      assert.deepEqual(
        found.map(({ key, document }) => [key, document]),
        [
          ['b', 'B'],
          ['nothing', undefined],
          ['a', 'A'],
          ['b', 'B'],
        ],
      );
    }));

  it('refuses a collection that was not opened', () =>
    withStore(async (store, collection) => {
      await store.commit([put(collection, 'a', 1n, 'A')], []);
      await assert.rejects(store.get('another_v1', 'a'));
    }));
};

const extremes = [
  0n,
  1n,
  -1n,
  2n ** 53n + 1n,
  2n ** 63n - 1n,
  2n ** 63n,
  2n ** 64n - 1n,
  -(2n ** 63n),
  -(2n ** 53n) - 1n,
];

const plainValue = (): fc.Arbitrary<Plain> =>
  fc.letrec<{ value: Plain }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc.string({ unit: 'grapheme' }),
      fc.integer(),
      fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => (number === 0 ? 0 : number)),
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }),
      fc.boolean(),
      fc.constant(null),
      fc.uint8Array({ maxLength: 40 }),
      fc.array(tie('value'), { maxLength: 4 }),
      fc.dictionary(fc.stringMatching(/^[a-z][a-zA-Z0-9]{0,10}$/), tie('value'), { maxKeys: 5 }),
    ),
  })).value;

const values = (withStore: WithStore, { runs }: DocumentStoreOptions): void => {
  it('keeps 64-bit numbers exact, and numbers apart from bigints', () =>
    withStore(async (store, collection) => {
      const document = {
        extremes,
        numbers: [0, 1, -1, 1.5, 2 ** 31, 2 ** 40, Number.MAX_SAFE_INTEGER, -(2 ** 53) + 1],
      };
      await store.commit([put(collection, 'a', 1n, document)], []);
      assertDocument(await store.get(collection, 'a'), document);
    }));

  it('leaves absent fields absent', () =>
    withStore(async (store, collection) => {
      await store.commit([put(collection, 'a', 1n, { here: 1, gone: undefined })], []);
      const { document } = await store.get(collection, 'a');
      assert.equal((document as { readonly gone?: Plain }).gone, undefined);
      assertDocument(await store.get(collection, 'a'), { here: 1 });
    }));

  it('keeps documents of many different shapes and any plain content', () =>
    withStore(async (store, collection) => {
      let position = 0n;
      await fc.assert(
        fc.asyncProperty(fc.array(plainValue(), { minLength: 1, maxLength: 8 }), async (documents) => {
          const writes = documents.map((document, index) =>
            put(collection, `k${index.toString()}`, (position += 1n), { document }),
          );
          await store.commit(writes, []);
          for (const [index, document] of documents.entries()) {
            assertDocument(await store.get(collection, `k${index.toString()}`), { document });
          }
        }),
        { numRuns: runs },
      );
    }));

  it('keeps a document of 100 kB', () =>
    withStore(async (store, collection) => {
      const document = { text: 'ä'.repeat(50_000), bytes: new Uint8Array(1_000).fill(7) };
      await store.commit([put(collection, 'a', 1n, document), put(collection, 'b', 2n, { text: 'small' })], []);
      assertDocument(await store.get(collection, 'a'), document);
      assertDocument(await store.get(collection, 'b'), { text: 'small' });
    }));

  it('gives documents that later reads and writes leave alone', () =>
    withStore(async (store, collection) => {
      await store.commit([put(collection, 'a', 1n, { bytes: Uint8Array.of(1, 2, 3) })], []);
      const first = await store.get(collection, 'a');
      await store.commit([put(collection, 'a', 2n, { bytes: Uint8Array.of(9, 9, 9) })], []);
      await store.get(collection, 'a');
      assertDocument(first, { bytes: Uint8Array.of(1, 2, 3) });
    }));
};

const positions = (withStore: WithStore): void => {
  it('ignores a write at or before the stored position, its index keys too', () =>
    withStore(async (store, collection) => {
      await store.commit([indexed(put(collection, 'a', 5n, 'new'), { byRank: [[1n]] })], []);
      await store.commit([indexed(put(collection, 'a', 5n, 'same'), { byRank: [[2n]] })], []);
      await store.commit([indexed(put(collection, 'a', 4n, 'old'), { byRank: [[3n]] })], []);
      await store.commit([remove(collection, 'a', 5n)], []);
      assert.deepEqual(await store.get(collection, 'a'), { key: 'a', document: 'new', position: 5n });
      assert.equal(await store.count(whole(collection, 'byRank')), 1);
    }));

  it('keeps the position of a removal, so that an older event cannot bring the document back', () =>
    withStore(async (store, collection) => {
      await store.commit([indexed(put(collection, 'a', 5n, 'here'), { byRank: [[1n]] })], []);
      await store.commit([remove(collection, 'a', 6n)], []);
      await store.commit([indexed(put(collection, 'a', 6n, 'again'), { byRank: [[1n]] })], []);
      const found = await store.get(collection, 'a');
      assert.equal(found.document, undefined);
      assert.equal(found.position, 6n);
      assert.deepEqual(await store.range(whole(collection, 'byRank')), []);
    }));

  it('lets a newer event bring a removed document back', () =>
    withStore(async (store, collection) => {
      await store.commit([remove(collection, 'a', 6n)], []);
      await store.commit([indexed(put(collection, 'a', 7n, 'back'), { byRank: [[1n]] })], []);
      assert.deepEqual(keysOf(await store.range(whole(collection, 'byRank'))), ['a']);
    }));

  it('holds positions of 64 bits', () =>
    withStore(async (store, collection) => {
      await store.commit([put(collection, 'a', 2n ** 63n - 2n, 'one')], []);
      await store.commit([put(collection, 'a', 2n ** 63n - 1n, 'two')], []);
      assert.deepEqual(await store.get(collection, 'a'), { key: 'a', document: 'two', position: 2n ** 63n - 1n });
    }));
};

const whole = (collection: string, index: string): IndexRange => ({
  collection,
  index,
  within: [],
  order: 'ascending',
  limit: 1_000,
});

/** Five documents of some 10,000 bytes each, from `k1` on. */
const largeOnes = (collection: string): readonly DocumentWrite[] =>
  [1n, 2n, 3n, 4n, 5n].map((rank) =>
    indexed(put(collection, `k${rank.toString()}`, rank, { text: 'x'.repeat(10_000) }), { byRank: [['chat', rank]] }),
  );

const boundedRanges = (withStore: WithStore): void => {
  it('reads no document of a range beyond the one with which the bytes are reached, in both orders', () =>
    withStore(async (store, collection) => {
      await store.commit(largeOnes(collection), []);
      const range = { ...whole(collection, 'byRank'), within: ['chat'] } as const;
      assert.deepEqual(keysOf(await store.range({ ...range, bytesMax: 25_000 })), ['k1', 'k2', 'k3']);
      const down = { ...range, order: 'descending', bytesMax: 15_000 } as const;
      assert.deepEqual(keysOf(await store.range(down)), ['k5', 'k4']);
      assert.deepEqual(keysOf(await store.range({ ...range, bytesMax: 1 })), ['k1']);
      assert.deepEqual(keysOf(await store.range({ ...range, bytesMax: 1_000_000, limit: 4 })), [
        'k1',
        'k2',
        'k3',
        'k4',
      ]);
    }));
};

const indexes = (withStore: WithStore, { runs }: DocumentStoreOptions): void => {
  it('ranges over the next element, in both orders, up to the limit', () =>
    withStore(async (store, collection) => {
      const writes = [1n, 2n, 3n, 4n, 5n].map((rank) =>
        indexed(put(collection, `k${rank.toString()}`, rank, rank), { byRank: [['chat', rank]] }),
      );
      await store.commit([...writes, indexed(put(collection, 'other', 9n, 0), { byRank: [['chats', 3n]] })], []);
      const range = { ...whole(collection, 'byRank'), within: ['chat'], after: 1n, before: 5n } as const;
      assert.deepEqual(keysOf(await store.range(range)), ['k2', 'k3', 'k4']);
      assert.deepEqual(keysOf(await store.range({ ...range, order: 'descending', limit: 2 })), ['k4', 'k3']);
      assert.equal(await store.count({ ...range, limit: 2 }), 2);
      assert.equal(await store.count(range), 3);
    }));

  it('lists a document once for each of its keys, and not at all when it has none', () =>
    withStore(async (store, collection) => {
      const words = { byWord: [['blue'], ['red']] };
      await store.commit([indexed(put(collection, 'a', 1n, 'A'), words), put(collection, 'b', 2n, 'B')], []);
      assert.deepEqual(keysOf(await store.range(whole(collection, 'byWord'))), ['a', 'a']);
      assert.deepEqual(keysOf(await store.range({ ...whole(collection, 'byWord'), within: ['red'] })), ['a']);
    }));

  it('takes out the keys of the former version', () =>
    withStore(async (store, collection) => {
      await store.commit([indexed(put(collection, 'a', 1n, 1), { byWord: [['blue'], ['red']], byRank: [[1n]] })], []);
      await store.commit([indexed(put(collection, 'a', 2n, 2), { byWord: [['green'], ['red']], byRank: [[1n]] })], []);
      assert.equal(await store.count({ ...whole(collection, 'byWord'), within: ['blue'] }), 0);
      assert.equal(await store.count({ ...whole(collection, 'byWord'), within: ['red'] }), 1);
      assert.equal(await store.count(whole(collection, 'byWord')), 2);
      assert.equal(await store.count(whole(collection, 'byRank')), 1);
      await store.commit([remove(collection, 'a', 3n)], []);
      assert.equal(await store.count(whole(collection, 'byWord')), 0);
      assert.equal(await store.count(whole(collection, 'byRank')), 0);
    }));

  it('lists documents that share an index key', () =>
    withStore(async (store, collection) => {
      const writes = ['a', 'b', 'c'].map((key, index) =>
        indexed(put(collection, key, BigInt(index) + 1n, 1), { byRank: [[7n]] }),
      );
      await store.commit(writes, []);
      assert.deepEqual([...keysOf(await store.range(whole(collection, 'byRank')))].sort(), ['a', 'b', 'c']);
    }));

  for (const [kinds, element] of Object.entries(elements)) {
    it(`orders keys of ${kinds} as they compare`, () =>
      withStore(async (store, collection) => {
        let position = 0n;
        const property = fc.asyncProperty(orderCase(element), async (tried) => {
          position = await holdsAgainstModel(store, collection, { ...tried, position });
        });
        await fc.assert(property, { numRuns: runs });
      }));
  }
};

const elements = {
  strings: fc.oneof(
    fc.string({ maxLength: 4 }),
    fc.string({ unit: fc.constantFrom('a', 'b', '\u0000', '\u0001', '\u00ff', '\uffff', '😀', 'é'), maxLength: 4 }),
  ),
  'whole numbers': fc.oneof(fc.integer({ min: -3, max: 3 }), fc.maxSafeInteger()),
  numbers: fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e15, max: 1e15 }).map((value) => value + 0),
  bigints: fc.oneof(
    fc.bigInt({ min: -3n, max: 3n }),
    fc.constantFrom(...extremes),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }),
  ),
} as const;

type Element = IndexKey[number];
type OrderCase = {
  readonly keys: readonly IndexKey[];
  readonly range: Pick<IndexRange, 'within' | 'after' | 'before' | 'order' | 'limit'>;
};

const orderCase = (element: fc.Arbitrary<Element>): fc.Arbitrary<OrderCase> =>
  fc
    .record({
      keys: fc.uniqueArray(fc.tuple(fc.constantFrom('x', 'x\u0000', 'xy'), element), {
        minLength: 1,
        maxLength: 25,
        comparator: (a, b) => compare(a, b) === 0,
      }),
      first: fc.constantFrom('x', 'x\u0000', undefined),
      after: fc.option(element, { nil: undefined }),
      before: fc.option(element, { nil: undefined }),
      order: fc.constantFrom('ascending', 'descending'),
      limit: fc.constantFrom(3, 1_000),
    })
    .map(({ keys, first, after: above, before: below, order, limit }) => ({
      keys,
      range: {
        within: first === undefined ? [] : [first],
        order,
        limit,
        ...(above === undefined || first === undefined ? {} : { after: above }),
        ...(below === undefined || first === undefined ? {} : { before: below }),
      },
    }));

/** The promised order, as plainly as can be. */
const compare = (a: IndexKey, b: IndexKey): number => {
  for (const [index, element] of a.entries()) {
    const other = b[index];
    if (other === undefined) return 1;
    const order = compareElements(element, other);
    if (order !== 0) return order;
  }
  return a.length - b.length;
};

const compareElements = (a: Element, b: Element): number => {
  if (typeof a === 'string' && typeof b === 'string') return compareCodePoints(Array.from(a), Array.from(b));
  return a < b ? -1 : a > b ? 1 : 0;
};

const compareCodePoints = (a: readonly string[], b: readonly string[]): number => {
  const at = a.findIndex((character, index) => character !== b[index]);
  if (at === -1) return a.length - b.length;
  return (a[at]?.codePointAt(0) ?? -1) - (b[at]?.codePointAt(0) ?? -1);
};

const holdsAgainstModel = async (
  store: DocumentStore,
  collection: string,
  { keys, range, position }: OrderCase & { readonly position: bigint },
): Promise<bigint> => {
  const writes = keys.map((key, index) =>
    indexed(put(collection, `k${index.toString()}`, position + BigInt(index) + 1n, index), { byRank: [key] }),
  );
  const end = position + BigInt(keys.length);
  await store.commit(writes, []);
  const [first] = range.within;
  const expected = keys
    .map((key, index) => ({ key, index }))
    .filter(({ key }) => first === undefined || key[0] === first)
    .filter(({ key }) => range.after === undefined || compareElements(key[1] ?? 0, range.after) > 0)
    .filter(({ key }) => range.before === undefined || compareElements(key[1] ?? 0, range.before) < 0)
    .sort((a, b) => (range.order === 'ascending' ? compare(a.key, b.key) : compare(b.key, a.key)))
    .slice(0, range.limit);
  const found = await store.range({ ...range, collection, index: 'byRank' });
  const counted = await store.count({ ...range, collection, index: 'byRank' });
  // Emptied again for the next case.
  await store.commit(
    keys.map((_, index) => remove(collection, `k${index.toString()}`, end + 1n)),
    [],
  );
  assert.deepEqual(
    found.map(({ document }) => document),
    expected.map(({ index }) => index),
  );
  assert.equal(counted, expected.length);
  return end + 1n;
};

const scans = (withStore: WithStore): void => {
  it('scans keys by prefix, strictly between two of them, up to the limit', () =>
    withStore(async (store, collection) => {
      const keys = ['a.1', 'a.10', 'a.2', 'a.é', 'a.😀', 'b.1', 'a'];
      const writes = keys.map((key, index) => put(collection, key, BigInt(index) + 1n, key));
      await store.commit(writes, []);
      await store.commit([remove(collection, 'a.2', 99n)], []);
      const scan = { collection, prefix: 'a.', limit: 10 };
      assert.deepEqual(keysOf(await store.scan(scan)), ['a.1', 'a.10', 'a.é', 'a.😀']);
      assert.deepEqual(keysOf(await store.scan({ ...scan, after: 'a.1', before: 'a.é' })), ['a.10']);
      assert.deepEqual(keysOf(await store.scan({ ...scan, after: 'a.10', limit: 1 })), ['a.é']);
      assert.deepEqual(keysOf(await store.scan({ ...scan, prefix: '', limit: 2 })), ['a', 'a.1']);
      assert.deepEqual(keysOf(await store.scan({ ...scan, after: 'b' })), []);
    }));
};

const commits = (withStore: WithStore): void => {
  it('takes the newest of several writes of one key in a commit', () =>
    withStore(async (store, collection) => {
      const one = indexed(put(collection, 'a', 1n, 1), { byRank: [[1n]] });
      const two = indexed(put(collection, 'a', 2n, 2), { byRank: [[2n]] });
      await store.commit([one, two], []);
      assert.deepEqual(await store.get(collection, 'a'), { key: 'a', document: 2, position: 2n });
      assert.equal(await store.count(whole(collection, 'byRank')), 1);
    }));

  it('lets commits overlap', () =>
    withStore(async (store, collection) => {
      const rounds = Array.from({ length: 20 }, (_, index) => BigInt(index) + 1n);
      await Promise.all(
        rounds.map((at) => store.commit([indexed(put(collection, 'a', at, Number(at)), { byRank: [[at]] })], [])),
      );
      assert.deepEqual(await store.get(collection, 'a'), { key: 'a', document: 20, position: 20n });
      assert.deepEqual(keysOf(await store.range(whole(collection, 'byRank'))), ['a']);
    }));

  it('keeps a checkpoint for each projection', () =>
    withStore(async (store, collection) => {
      const projection = freshName();
      assert.equal(await store.checkpoint(projection), 0n);
      await store.commit([put(collection, 'a', 1n, 1)], [{ projection, position: 2n ** 62n }]);
      await store.commit([], [{ projection: `${projection}_other`, position: 3n }]);
      assert.equal(await store.checkpoint(projection), 2n ** 62n);
      assert.equal(await store.checkpoint(`${projection}_other`), 3n);
    }));

  it('refuses a write to an index or a collection that was not opened, and goes on', () =>
    withStore(async (store, collection) => {
      const unknown = { ...put(collection, 'a', 1n, 1), indexKeys: { byColour: [['red']] } };
      await assert.rejects(store.commit([unknown], []));
      await assert.rejects(store.commit([put('another_v1', 'a', 1n, 1)], []));
      await store.commit([put(collection, 'a', 2n, 2)], []);
      assertDocument(await store.get(collection, 'a'), 2);
    }));
};

/**
 * Fences are compared one by one: equal or higher passes and is kept, lower is refused, absent is not compared. What is
 * refused one after the other writes nothing on any engine; only commits that overlap may, where there are no
 * transactions, and the last test says what must hold then.
 */
const removals = (withStore: WithStore): void => {
  const many = Array.from({ length: removalsPerCommitMax + 1 }, (_, at) => `m.${at.toString().padStart(5, '0')}`);
  const range = (collection: string, index: string): IndexRange => ({
    collection,
    index,
    within: [],
    order: 'ascending',
    limit: 10,
  });

  it('removes the documents under a prefix and no others, with their positions', () =>
    withStore(async (store, collection) => {
      const keys = ['12', '12.', '12.1', '12.2', '12/', '121', '13', '1'];
      await store.commit([...keys.map((key) => put(collection, key, 5n, key)), remove(collection, '12.3', 5n)], []);
      // What stands under a removed key is removed with the others.
      assert.equal(await store.removePrefix(collection, '12.'), 4);
      const left = await store.scan({ collection, prefix: '', limit: 100 });
      assert.deepEqual(keysOf(left), ['1', '12', '12/', '121', '13']);
      for (const key of ['12.', '12.1', '12.3']) {
        assert.deepEqual(await store.get(collection, key), { key, position: 0n });
      }
      assert.equal(await store.removePrefix(collection, '12.'), 0);
    }));

  it('removes their index entries, however many each has', () =>
    withStore(async (store, collection) => {
      const entries = { byRank: [[1], [2], [3]], byWord: [['a'], ['b']] };
      const writes = ['12.1', '12.2', '13.1'].map((key) => indexed(put(collection, key, 5n, key), entries));
      await store.commit(writes, []);
      assert.equal(await store.removePrefix(collection, '12.'), 2);
      for (const [index, keys] of [
        ['byRank', 3],
        ['byWord', 2],
      ] as const) {
        assert.deepEqual(keysOf(await store.range(range(collection, index))), Array<string>(keys).fill('13.1'));
        assert.equal(await store.count(range(collection, index)), keys);
      }
      await store.commit([indexed(put(collection, '12.1', 3n, 'new'), { byRank: [[7]] })], []);
      assert.deepEqual(keysOf(await store.range({ ...range(collection, 'byRank'), after: 3 })), ['12.1']);
      assert.deepEqual(keysOf(await store.range({ ...range(collection, 'byRank'), before: 2 })), ['13.1']);
    }));

  it('removes the first thousand of them at once, and the rest when it is asked again', () =>
    withStore(async (store, collection) => {
      await store.commit([...many.map((key) => put(collection, key, 1n, key)), put(collection, 'n', 1n, 'n')], []);
      assert.equal(await store.removePrefix(collection, 'm.'), removalsPerCommitMax);
      assert.deepEqual(keysOf(await store.scan({ collection, prefix: '', limit: 10 })), [many.at(-1), 'n']);
      assert.equal(await store.removePrefix(collection, 'm.'), 1);
      assert.deepEqual(keysOf(await store.scan({ collection, prefix: '', limit: 10 })), ['n']);
    }));

  it('comes in the order in which it was asked for among commits', () =>
    withStore(async (store, collection) => {
      const [, removed] = await Promise.all([
        store.commit([put(collection, 'a.1', 1n, 'first')], []),
        store.removePrefix(collection, 'a.'),
        store.commit([put(collection, 'a.2', 2n, 'second')], []),
      ]);
      assert.equal(removed, 1);
      assert.deepEqual(keysOf(await store.scan({ collection, prefix: 'a.', limit: 10 })), ['a.2']);
    }));

  it('takes a prefix with characters beyond ASCII', () =>
    withStore(async (store, collection) => {
      await store.commit(
        ['é.1', 'é.2', 'ê', 'e'].map((key) => put(collection, key, 1n, key)),
        [],
      );
      assert.equal(await store.removePrefix(collection, 'é'), 2);
      assert.deepEqual(keysOf(await store.scan({ collection, prefix: '', limit: 10 })), ['e', 'ê']);
    }));

  it('forgets what removed documents left, and leaves those that are there', () =>
    withStore(async (store, collection) => {
      const once = (key: string, position: bigint) => indexed(put(collection, key, position, key), { byRank: [[1]] });
      await store.commit([once('gone', 5n), once('there', 5n)], []);
      await store.commit([remove(collection, 'gone', 6n), put(collection, 'other', 7n, 'other')], []);
      await store.forget(collection, ['gone', 'there', 'never']);
      assert.deepEqual(await store.get(collection, 'gone'), { key: 'gone', position: 0n });
      assert.deepEqual(keysOf(await store.range(range(collection, 'byRank'))), ['there']);
      await store.commit([once('gone', 3n), once('there', 3n)], []);
      assert.equal((await store.get(collection, 'gone')).position, 3n);
      assert.equal((await store.get(collection, 'there')).position, 5n);
      await store.forget(collection, []);
      await assert.rejects(store.forget('another_v1', ['a']));
    }));

  it('refuses the empty prefix, and a collection that was not opened', () =>
    withStore(async (store, collection) => {
      await store.commit([put(collection, 'a', 1n, 'A')], []);
      await assert.rejects(store.removePrefix(collection, ''));
      await assert.rejects(store.removePrefix('another_v1', 'a'));
      assert.deepEqual(keysOf(await store.scan({ collection, prefix: '', limit: 10 })), ['a']);
    }));
};

const fences = (withStore: WithStore): void => {
  it('refuses a commit under a lower fence, and writes nothing of it', () =>
    withStore(async (store, collection) => {
      const [mine, another] = [freshName(), freshName()];
      await store.commit([put(collection, 'a', 1n, 1)], [{ projection: mine, position: 1n, fence: 2n }]);
      const late = store.commit(
        [indexed(put(collection, 'a', 9n, 'late'), { byRank: [[9n]] }), put(collection, 'b', 9n, 'late')],
        [
          { projection: another, position: 9n, fence: 1n },
          { projection: mine, position: 9n, fence: 1n },
        ],
      );
      await assert.rejects(late, (error) => error instanceof Fenced && error.projection === mine);
      assert.deepEqual(await store.get(collection, 'a'), { key: 'a', document: 1, position: 1n });
      assert.equal((await store.get(collection, 'b')).document, undefined);
      assert.equal(await store.count(whole(collection, 'byRank')), 0);
      assert.deepEqual([await store.checkpoint(mine), await store.checkpoint(another)], [1n, 0n]);
    }));

  it('takes a commit under the same fence or a higher one', () =>
    withStore(async (store) => {
      const projection = freshName();
      await store.commit([], [{ projection, position: 1n, fence: 2n ** 62n }]);
      await store.commit([], [{ projection, position: 2n, fence: 2n ** 62n }]);
      await store.commit([], [{ projection, position: 3n, fence: 2n ** 62n + 1n }]);
      await assert.rejects(store.commit([], [{ projection, position: 4n, fence: 2n ** 62n }]), Fenced);
      assert.equal(await store.checkpoint(projection), 3n);
    }));

  it('fences each projection for itself', () =>
    withStore(async (store) => {
      const [mine, another] = [freshName(), freshName()];
      await store.commit([], [{ projection: mine, position: 1n, fence: 5n }]);
      await store.commit([], [{ projection: another, position: 1n, fence: 1n }]);
      assert.equal(await store.checkpoint(another), 1n);
    }));

  it('keeps former holders out as soon as a commit says no more than the fence, and leaves the position', () =>
    withStore(async (store, collection) => {
      const [known, unknown] = [freshName(), freshName()];
      await store.commit([], [{ projection: known, position: 7n, fence: 1n }]);
      const claim = [known, unknown].map((projection) => ({ projection, position: 0n, fence: 2n }));
      await store.commit([], claim);
      assert.deepEqual([await store.checkpoint(known), await store.checkpoint(unknown)], [7n, 0n]);
      for (const projection of [known, unknown]) {
        const late = store.commit([put(collection, 'a', 8n, 'late')], [{ projection, position: 8n, fence: 1n }]);
        await assert.rejects(late, Fenced);
      }
      assert.equal((await store.get(collection, 'a')).document, undefined);
    }));

  it('never moves a checkpoint back under a fence', () =>
    withStore(async (store) => {
      const projection = freshName();
      await store.commit([], [{ projection, position: 7n, fence: 1n }]);
      await store.commit([], [{ projection, position: 6n, fence: 1n }]);
      await store.commit([], [{ projection, position: 5n, fence: 2n }]);
      assert.equal(await store.checkpoint(projection), 7n);
    }));

  it('does not compare a checkpoint without a fence, and keeps the fence', () =>
    withStore(async (store) => {
      const projection = freshName();
      await store.commit([], [{ projection, position: 1n }]);
      await store.commit([], [{ projection, position: 2n, fence: 2n }]);
      await store.commit([], [{ projection, position: 3n }]);
      assert.equal(await store.checkpoint(projection), 3n);
      await assert.rejects(store.commit([], [{ projection, position: 4n, fence: 1n }]), Fenced);
    }));

  it('lets the higher fence win when commits overlap, and no checkpoint go back', () =>
    withStore(async (store, collection) => {
      const projection = freshName();
      const commitOf = (fence: bigint, position: bigint) =>
        store.commit([put(collection, 'a', position, Number(position))], [{ projection, position, fence }]);
      const rounds = Array.from({ length: 10 }, (_, index) => BigInt(index) + 1n);
      const outcomes = await Promise.allSettled(rounds.flatMap((at) => [commitOf(2n, at), commitOf(1n, at)]));
      const refused = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as unknown] : []));
      assert.ok(refused.length > 0);
      assert.ok(refused.every((error) => error instanceof Fenced));
      assert.equal(await store.checkpoint(projection), 10n);
      assertDocument(await store.get(collection, 'a'), 10);
    }));
};

const reopening = (makeStore: () => DocumentStore | Promise<DocumentStore>): void => {
  it('still has documents, removals, index keys, checkpoints and fences when it is opened again', async () => {
    const spec = { name: freshName(), indexes: ['byRank'] };
    const first = await makeStore();
    await first.open([spec]);
    const document = { id: 2n ** 64n - 1n, list: [{ a: 1 }, { b: 'two' }] };
    await first.commit([indexed(put(spec.name, 'a', 5n, document), { byRank: [['x', 1n]] })], []);
    await first.commit([remove(spec.name, 'b', 6n)], [{ projection: spec.name, position: 6n, fence: 3n }]);
    const beside = await makeStore();
    // Beside a store that is open, and without opening this one.
    assert.deepEqual([await beside.checkpoint(spec.name), await beside.checkpoint('nobody')], [6n, 0n]);
    assert.ok((await beside.collections()).some(({ name }) => name === spec.name));
    await beside.close();
    await first.close();
    const second = await makeStore();
    assert.equal(await second.checkpoint(spec.name), 6n);
    await second.open([spec]);
    try {
      assertDocument(await second.get(spec.name, 'a'), document);
      assert.equal((await second.get(spec.name, 'b')).position, 6n);
      assert.equal(await second.checkpoint(spec.name), 6n);
      await assert.rejects(second.commit([], [{ projection: spec.name, position: 7n, fence: 2n }]), Fenced);
      await second.commit([indexed(put(spec.name, 'a', 7n, { ...document, c: 3 }), { byRank: [['x', 2n]] })], []);
      const found = await second.range(whole(spec.name, 'byRank'));
      assert.deepEqual(
        found.map(({ document: held }) => comparable(held)),
        [comparable({ ...document, c: 3 })],
      );
    } finally {
      await second.close();
    }
  });

  it('drops collections that are not named any more, with their checkpoints, and makes them anew', async () => {
    const [old, kept] = [
      { name: freshName(), indexes: ['byRank'] },
      { name: freshName(), indexes: [] },
    ];
    const [both, others] = [`p ${kept.name} ${old.name}`, `p ${kept.name} ${old.name}_2`];
    const first = await makeStore();
    await first.open([old, kept]);
    await first.commit(
      [indexed(put(old.name, 'a', 1n, 1), { byRank: [[1n]] }), put(kept.name, 'a', 1n, 'kept')],
      [
        { projection: both, position: 1n, fence: 5n },
        { projection: others, position: 1n },
      ],
    );
    await first.close();
    const second = await makeStore();
    await second.open([kept]);
    assert.equal(await second.checkpoint(others), 1n);
    assertDocument(await second.get(kept.name, 'a'), 'kept');
    await second.close();
    const third = await makeStore();
    await third.open([old, kept]);
    try {
      assert.equal((await third.get(old.name, 'a')).document, undefined);
      assert.deepEqual(await third.range(whole(old.name, 'byRank')), []);
      assertDocument(await third.get(kept.name, 'a'), 'kept');
      assert.deepEqual([await third.checkpoint(both), await third.checkpoint(others)], [0n, 1n]);
      await third.commit([], [{ projection: both, position: 2n, fence: 6n }]);
      assert.equal(await third.checkpoint(both), 2n);
    } finally {
      await third.close();
    }
  });
};
