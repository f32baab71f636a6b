import assert from 'node:assert/strict';
import { after, before, describe, it, type TestContext } from 'node:test';
import fc from 'fast-check';
import { BSON, MongoClient, MongoServerError, type Db, type Document } from 'mongodb';
import { memoryDocuments } from '../../src/adapters/documents/memory.js';
import { mongoDocuments } from '../../src/adapters/documents/mongo.js';
import { isTransient } from '../../src/adapters/documents/mongo/errors.js';
import { entryBounds } from '../../src/adapters/documents/mongo/records.js';
import { plain, stored, type Stored } from '../../src/adapters/documents/mongo/values.js';
import {
  Fenced,
  type DocumentStore,
  type DocumentWrite,
  type IndexRange,
  type Plain,
} from '../../src/kernel/ports/documentStore.js';
import { dropCollections, freshName, mongoUrl as url, needsMongo, ownDatabase } from '../support/mongoServer.js';
import { mongoProxy, nameOf, steppedDown, type Fault, type MongoProxy, type MongoProxyOptions } from './mongoProxy.js';

const name = 'messages_v1';
const specs = [{ name, indexes: ['history', 'words'] }];

const write = (key: string, position: bigint, document?: Plain, words: readonly string[] = []): DocumentWrite => ({
  collection: name,
  key,
  position,
  ...(document === undefined ? {} : { document }),
  indexKeys: document === undefined ? {} : { history: [['chat', position]], words: words.map((word) => [word, key]) },
});

const range = (index: string, some: Partial<IndexRange> = {}): IndexRange => ({
  collection: name,
  index,
  within: [],
  order: 'ascending',
  limit: 1_000,
  ...some,
});

describe('mongo values', () => {
  const afterBson = (value: Plain): Plain => {
    const bytes = BSON.serialize({ d: stored(value) });
    const { d } = BSON.deserialize(bytes, { useBigInt64: true, promoteBuffers: false }) as { readonly d: Stored };
    return plain(d);
  };

  it('come back from BSON whatever their keys are', () => {
    for (const key of [
      'a.b',
      '$set',
      '$ref',
      '',
      'a\0b',
      '_list',
      '_entries',
      '_bsontype',
      'toBSON',
      '_id',
      '0',
      'ä',
    ]) {
      assert.deepEqual(afterBson({ [key]: 1n, other: [{ [key]: key }] }), { [key]: 1n, other: [{ [key]: key }] });
    }
    assert.deepEqual(afterBson({ $ref: 'a', $id: 1, $db: 'b' }), { $ref: 'a', $id: 1, $db: 'b' });
    const own = Object.fromEntries([['__proto__', 'own']]);
    assert.deepEqual(Object.entries(afterBson(own) as object), [['__proto__', 'own']]);
  });

  it('come back as they were', () => {
    fc.assert(
      fc.property(anyPlain, (value) => {
        assert.deepEqual(afterBson(value), value);
      }),
      { numRuns: 500 },
    );
  });

  it('keep numbers, which are int32 or double, apart from bigints, which are Long wherever they fit', () => {
    const kinds = [1, 2 ** 31, 1.5, 1n, 2n ** 63n - 1n, -(2n ** 63n), 2n ** 63n];
    const bytes = BSON.serialize({ d: stored(kinds) });
    const { d } = BSON.deserialize(bytes, { promoteValues: false }) as { readonly d: readonly { _bsontype: string }[] };
    assert.deepEqual(
      d.map(({ _bsontype }) => _bsontype),
      ['Int32', 'Double', 'Double', 'Long', 'Long', 'Long', 'Binary'],
    );
  });
});

const anyPlain = fc.letrec<{ value: Plain }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.string({ unit: 'binary' }),
    fc.integer(),
    fc.double({ noNaN: true }),
    fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }),
    fc.boolean(),
    fc.constant(null),
    fc.uint8Array(),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fc.oneof(fc.string(), fc.constantFrom('_list', '$a', 'a.b')), tie('value'), {
      maxKeys: 5,
      noNullPrototype: true,
    }),
  ),
})).value;

describe('mongo errors', () => {
  it('are not transient when the same call would fail again', () => {
    assert.equal(isTransient(new Error('the collection x was not opened')), false);
    assert.equal(isTransient(undefined), false);
  });

  it('are transient when a read meets a set that is changing its primary', () => {
    // A new primary has no majority yet, a router finds none, the rest of a long answer was on the former one.
    for (const code of [134, 133, 43]) assert.ok(isTransient(new MongoServerError({ code, errmsg: 'not now' })));
  });
});

const skip = url === '' && needsMongo;

type Behind = { readonly store: DocumentStore; readonly proxy: MongoProxy; readonly prefix: string };

describe('mongo documents', { skip }, () => {
  const prefixes: string[] = [];
  let client: MongoClient;
  let db: Db;
  let ferretDb = false;
  let transactions = false;

  before(async () => {
    client = new MongoClient(url);
    db = ownDatabase(client);
    ferretDb = typeof (await db.admin().command({ buildInfo: 1 }))['ferretdbVersion'] === 'string';
    const { setName, msg } = await db.admin().command({ hello: 1 });
    transactions = typeof setName === 'string' || msg === 'isdbgrid';
  });
  after(async () => {
    for (const prefix of prefixes) await dropCollections(prefix);
    await client.close();
  });

  const freshPrefix = (): string => {
    const prefix = freshName();
    prefixes.push(prefix);
    return prefix;
  };
  /** An open store, behind a proxy; both are closed when the test ends. */
  const behindProxy = async (
    test: TestContext,
    options: Pick<MongoProxyOptions, 'replicaSet'> & { readonly operationMillisMax?: number } = {},
  ): Promise<Behind> => {
    const proxy = await mongoProxy({ url, ...options });
    const prefix = freshPrefix();
    const store = mongoDocuments({ url: proxy.url, prefix, ...options });
    test.after(async () => {
      await store.close();
      await proxy.close();
    });
    await store.open(specs);
    return { store, proxy, prefix };
  };

  /** What the store sends for each kind of query that the port has. */
  const queriesAsked = async (
    test: TestContext,
  ): Promise<{ readonly asked: readonly Query[]; readonly prefix: string }> => {
    const { store, proxy, prefix } = await behindProxy(test);
    await store.commit([write('a', 1n, 'A', ['x', 'y']), write('b', 2n, 'B'), write('c', 3n)], []);
    const from = proxy.commands.length;
    await askEverything(store);
    const asked = proxy.commands.slice(from).filter((command) => ['find', 'aggregate'].includes(nameOf(command)));
    assert.ok(asked.length >= 10);
    return { asked, prefix };
  };

  it('asks for each range by one interval of the index that it names, in the order of that index', async (test) => {
    const { asked, prefix } = await queriesAsked(test);
    const indexes = await db.collection(prefix + name).indexes();
    const ranges = asked.filter(({ hint }) => hint !== undefined);
    assert.ok(ranges.length > 0);
    for (const { hint = '', sort, filter, pipeline } of ranges) {
      const field = Object.keys(indexes.find((index) => index.name === hint)?.key ?? {});
      assert.deepEqual(Object.keys(filter ?? pipeline?.[0]?.$match ?? {}), field);
      assert.deepEqual(Object.keys(sort ?? { [field[0] ?? '']: 1 }), field);
    }
  });

  it('is explained, for every kind of query, without a scan of the collection or a sort in memory', async (test) => {
    if (ferretDb) {
      test.skip('FerretDB explains the SQLite below it, and filters and sorts by itself: this takes a MongoDB');
      return;
    }
    const { asked } = await queriesAsked(test);
    for (const command of asked) {
      const stages = stagesOf(await db.command({ explain: withoutSession(command), verbosity: 'queryPlanner' }));
      assert.ok(stages.length > 0);
      const bad = stages.filter((stage) => stage === 'COLLSCAN' || stage.startsWith('SORT'));
      assert.deepEqual(bad, [], JSON.stringify(command.filter));
    }
  });

  it('writes documents and checkpoint in one transaction where there are transactions', async (test) => {
    const { store, proxy } = await behindProxy(test, { replicaSet: 'claimed' });
    const from = proxy.commands.length;
    await store.commit([write('a', 1n, 'A', ['x', 'y'])], [{ projection: 'p', position: 1n }]);
    const sent = proxy.commands.slice(from);
    assert.deepEqual(sent.map(nameOf), ['find', 'find', 'insert', 'insert', 'update', 'commitTransaction']);
    assert.equal(new Set(sent.map(({ txnNumber }) => String(txnNumber))).size, 1);
    assert.ok(sent.every(({ autocommit }) => autocommit === false));
    assert.equal(sent[0]?.['startTransaction'], true);
    assert.deepEqual(sent[0]['readConcern'], { level: 'snapshot' });
    assertMajority(sent.at(-1));
    assert.equal(await store.checkpoint('p'), 1n);
  });

  for (const [what, command, label] of [
    ['a write meets one of another commit', 'insert', 'TransientTransactionError'],
    ['the end of it meets another commit', 'commitTransaction', 'TransientTransactionError'],
    ['nobody knows whether it ended well', 'commitTransaction', 'UnknownTransactionCommitResult'],
  ] as const) {
    it(`does a transaction again when ${what}`, async (test) => {
      const { store, proxy } = await behindProxy(test, { replicaSet: 'claimed' });
      let conflicts = 3;
      proxy.fault = (one) => {
        if (nameOf(one) !== command || conflicts === 0) return undefined;
        conflicts -= 1;
        return { answer: refused(label) };
      };
      await store.commit([write('a', 1n, 'A')], [{ projection: 'p', position: 1n }]);
      assert.equal(conflicts, 0);
      assert.equal((await store.get(name, 'a')).document, 'A');
      assert.equal(await store.checkpoint('p'), 1n);
    });
  }

  it('gives a transaction up that never comes to pass, with an error that tells so', async (test) => {
    const { store, proxy } = await behindProxy(test, { replicaSet: 'claimed' });
    proxy.fault = (one) => (nameOf(one) === 'insert' ? { answer: refused('TransientTransactionError') } : undefined);
    await assert.rejects(store.commit([write('a', 1n, 'A')], [{ projection: 'p', position: 1n }]), isTransient);
    proxy.fault = () => undefined;
    assert.equal((await store.get(name, 'a')).document, undefined);
  });

  it('writes the checkpoint last, and all with majority, where there are no transactions', async (test) => {
    if (transactions) {
      test.skip('this server has transactions');
      return;
    }
    const { store, proxy } = await behindProxy(test);
    const from = proxy.commands.length;
    await store.commit([write('a', 1n, 'A', ['x', 'y'])], [{ projection: 'p', position: 1n }]);
    const sent = proxy.commands.slice(from);
    assert.deepEqual(sent.map(nameOf), ['find', 'insert', 'find', 'insert', 'update', 'update']);
    assert.ok(String(sent.at(-1)?.['update']).endsWith('osmium.checkpoints'));
    for (const command of sent.filter((one) => nameOf(one) !== 'find')) assertMajority(command);
  });

  it('leaves nothing of a transaction that fails at its last write', async (test) => {
    if (!transactions) {
      test.skip(`this server has no transactions${ferretDb ? ': it is FerretDB' : ''}`);
      return;
    }
    const { store, proxy } = await behindProxy(test);
    proxy.fault = ({ update }) => (String(update).endsWith('osmium.checkpoints') ? 'cut before' : undefined);
    await assert.rejects(
      store.commit([write('a', 1n, 'A', ['x', 'y'])], [{ projection: 'p', position: 1n }]),
      isTransient,
    );
    proxy.fault = () => undefined;
    assert.equal((await store.get(name, 'a')).document, undefined);
    assert.equal(await store.count(range('words')), 0);
  });

  for (const replicaSet of [undefined, 'claimed'] as const) {
    const set = replicaSet === undefined ? {} : { replicaSet };
    const where = replicaSet === undefined ? 'on a server on its own' : 'in transactions';

    for (const fault of ['cut before', 'cut after', { answer: steppedDown }] as const) {
      const what = typeof fault === 'string' ? `is ${fault} the answer` : 'meets a primary that steps down';
      it(`rejects with a transient error, or succeeds, when a write ${what}, and again is once, ${where}`, async (test) => {
        const { store, proxy } = await behindProxy(test, set);
        for (const command of ['insert', 'update', 'commitTransaction']) {
          proxy.fault = once((one) => nameOf(one) === command, fault);
          const writes = [write('a', 2n, command, ['x', command]), write('b', 1n, command)];
          const commit = (): Promise<void> => store.commit(writes, [{ projection: 'p', position: 2n }]);
          await commit().catch((error: unknown) => {
            assert.ok(isTransient(error), String(error));
            return commit();
          });
          assert.deepEqual(await store.get(name, 'a'), { key: 'a', document: 'insert', position: 2n });
          assert.deepEqual([await store.count(range('words')), await store.count(range('history'))], [2, 2]);
          assert.equal(await store.checkpoint('p'), 2n);
        }
      });
    }

    it(`leaves no place in an index to a version that a cut commit did not finish, ${where}`, async (test) => {
      const { store, proxy } = await behindProxy(test, set);
      for (let nth = 1; nth <= 8; nth += 1) {
        const key = `k${nth.toString()}`;
        for (const [position, words] of [
          [2n, ['x', 'y', 'z']],
          [4n, ['u', 'v', 'w', 'x', 'y']],
        ] as const) {
          proxy.fault = cutting([[nth, 'cut after']]);
          await ignoringTransient(() => store.commit([write(key, position, 'A', words)], []));
          proxy.fault = () => undefined;
          // The next batch may end elsewhere, so it may hold what has become of the document since.
          await store.commit([write(key, position + 1n)], []);
          assert.equal(await store.count(range('words')), 0, `after command ${nth.toString()}`);
        }
      }
    });

    it(`loses and doubles nothing, wherever it is cut and however it goes on, ${where}`, async (test) => {
      const { store, proxy } = await behindProxy(test, set);
      let run = 0n;
      await fc.assert(
        fc.asyncProperty(history, async (tried) => {
          run += 1n;
          await convergesDespiteCuts({ store, proxy, run }, tried);
        }),
        { numRuns: 10 },
      );
    });
  }

  it('gives up on a server that is silent in the time it was given, and on one that is away, and goes on after both', async (test) => {
    const { store, proxy } = await behindProxy(test, { operationMillisMax: 300 });
    proxy.fault = () => 'silence';
    const began = performance.now();
    await assert.rejects(store.get(name, 'a'), isTransient);
    await assert.rejects(store.commit([write('a', 1n, 'A')], []), isTransient);
    assert.ok(performance.now() - began < 5_000);
    proxy.fault = () => undefined;
    await proxy.goAway();
    await assert.rejects(store.get(name, 'a'), isTransient);
    await proxy.comeBack();
    await store.commit([write('a', 1n, 'A')], []);
    assert.equal((await store.get(name, 'a')).document, 'A');
  });

  it('is opened also when another node has made the indexes since they were looked for', async (test) => {
    const { proxy, prefix } = await behindProxy(test);
    const none = { ok: 1, cursor: { id: BSON.Long.ZERO, ns: prefix + name, firstBatch: [] } };
    proxy.fault = (command) => (nameOf(command) === 'listIndexes' ? { answer: none } : undefined);
    const late = mongoDocuments({ url: proxy.url, prefix });
    test.after(() => late.close());
    await late.open(specs);
    const made = await db.collection(prefix + name).indexes();
    assert.deepEqual(made.map((index) => String(index.name)).sort(), ['_id_', 'history', 'words']);
  });

  it('lets two stores write the same new documents at once', async (test) => {
    const one = await behindProxy(test);
    const other = mongoDocuments({ url, prefix: one.prefix });
    test.after(() => other.close());
    await other.open(specs);
    for (let at = 1; at <= 20; at += 1) {
      const key = `k${at.toString()}`;
      await Promise.all([one.store.commit([write(key, 5n, 5)], []), other.commit([write(key, 6n, 6)], [])]);
      assert.deepEqual(await one.store.get(name, key), { key, document: 6, position: 6n });
    }
  });

  it('writes hundreds of documents in one commit, and over them', async (test) => {
    const { store } = await behindProxy(test);
    const keys = Array.from({ length: 250 }, (_, index) => index.toString());
    for (const position of [1n, 2n]) {
      await store.commit(
        keys.map((key) => write(key, position, position)),
        [],
      );
      const found = await store.getMany(name, keys);
      assert.ok(found.every((one) => one.document === position));
    }
  });

  it('stores positions and ids as Long', async (test) => {
    const { store, prefix } = await behindProxy(test);
    await store.commit([write('a', 1n, { id: 7n })], [{ projection: 'p', position: 1n }]);
    const kindsIn = async (collection: string): Promise<unknown> => {
      const [record] = await db.collection(collection).find({}, { promoteValues: false }).toArray();
      return JSON.parse(BSON.EJSON.stringify(record ?? {}, { relaxed: false }));
    };
    const record = await kindsIn(prefix + name);
    const entry = entryBounds(range('history', { within: ['chat', 1n] })).low + '\0a';
    assert.deepEqual(record, {
      _id: 'a',
      _p: { $numberLong: '1' },
      d: { id: { $numberLong: '7' } },
      _i: { history: entry },
    });
    assert.deepEqual(await kindsIn(`${prefix}osmium.checkpoints`), { _id: 'p', _p: { $numberLong: '1' } });
  });

  it('writes nothing of a commit in which one write is refused', async (test) => {
    const { store } = await behindProxy(test);
    const good = write('a', 1n, 1);
    for (const bad of [
      { ...write('b', 1n, 1), indexKeys: { history: [['x'.repeat(2_000)]] } },
      { ...write('b', 1n, 1), indexKeys: { history: [[Number.NaN]] } },
      write('b'.repeat(2_000), 1n, 1),
      write('', 1n, 1),
      write('b', 2n ** 63n, 1),
    ]) {
      await assert.rejects(
        store.commit([good, bad], [{ projection: 'p', position: 1n }]),
        (error) => !isTransient(error),
      );
    }
    assert.equal((await store.get(name, 'a')).document, undefined);
    assert.equal(await store.checkpoint('p'), 0n);
  });

  it('refuses to open when the indexes of a collection have changed without a new version', async (test) => {
    const { prefix } = await behindProxy(test);
    const second = mongoDocuments({ url, prefix });
    await assert.rejects(second.open([{ name, indexes: ['history'] }]), /raise the version/);
  });

  it('keeps a node out that still works on a collection which a newer one has dropped', async (test) => {
    const { store: older, prefix } = await behindProxy(test);
    const checkpoint = { projection: `messages ${name}`, position: 1n, fence: 1n };
    await older.commit([write('a', 1n, 'A')], [checkpoint]);
    const newer = mongoDocuments({ url, prefix });
    test.after(() => newer.close());
    await newer.open([{ name: 'messages_v3', indexes: [] }]);
    await assert.rejects(older.commit([write('b', 2n, 'B')], [{ ...checkpoint, position: 2n }]), Fenced);
    const again = mongoDocuments({ url, prefix });
    test.after(() => again.close());
    await again.open(specs);
    assert.equal(await again.checkpoint(checkpoint.projection), 0n);
    await again.commit([write('a', 1n, 'A'), write('b', 2n, 'B')], [{ ...checkpoint, position: 2n, fence: 2n }]);
    assert.equal(await again.checkpoint(checkpoint.projection), 2n);
    assert.equal(await again.count(range('history')), 2);
  });

  it('never moves a checkpoint back', async (test) => {
    const { store } = await behindProxy(test);
    await store.commit([], [{ projection: 'p', position: 9n }]);
    await store.commit([], [{ projection: 'p', position: 8n }]);
    assert.equal(await store.checkpoint('p'), 9n);
  });
});

const refused = (label: string): Document => ({
  ok: 0,
  code: 112,
  codeName: 'WriteConflict',
  errmsg: 'somebody else was quicker',
  errorLabels: [label],
});

const assertMajority = (command: Document | undefined): void => {
  const concern = command?.['writeConcern'] as { readonly w?: unknown } | undefined; // As the driver sends it.
  assert.equal(concern?.w, 'majority');
};

const once = (matches: (command: Document) => boolean, fault: Fault): MongoProxy['fault'] => {
  let due = true;
  return (command) => {
    if (!due || !matches(command)) return undefined;
    due = false;
    return fault;
  };
};

/** One of each kind of query that the port has. */
const askEverything = async (store: DocumentStore): Promise<void> => {
  await store.get(name, 'a');
  await store.getMany(name, ['a', 'b', 'c']);
  for (const order of ['ascending', 'descending'] as const) {
    await store.range(range('history', { order, limit: 2 }));
    await store.range(range('history', { order, within: ['chat'], after: 1n, before: 9n }));
    await store.range(range('words', { order }));
    await store.range(range('words', { order, limit: 1 }));
  }
  await store.count(range('words', { within: ['x'] }));
  await store.scan({ collection: name, prefix: '', limit: 5 });
  await store.scan({ collection: name, prefix: 'a', after: 'a', before: 'b', limit: 5 });
};

type Query = Document & {
  readonly hint?: string;
  readonly sort?: Document;
  readonly filter?: Document;
  readonly pipeline?: readonly { readonly $match?: Document }[];
};

/** Of the fields that tell a command's place and time `explain` takes none. */
const withoutSession = (command: Document): Document => {
  const dropped = new Set(['lsid', 'txnNumber', 'readConcern', 'maxTimeMS']);
  return Object.fromEntries(Object.entries(command).filter(([key]) => !key.startsWith('$') && !dropped.has(key)));
};

/** The stages of the winning plans; plans that lost do not count. */
const stagesOf = (explained: unknown): readonly string[] => {
  if (typeof explained !== 'object' || explained === null) return [];
  return Object.entries(explained).flatMap(([key, value]: readonly [string, unknown]) => {
    if (key === 'rejectedPlans') return [];
    return key === 'stage' && typeof value === 'string' ? [value] : stagesOf(value);
  });
};

type Change = { readonly key: string; readonly words: readonly string[] | undefined };
type History = {
  /** One after another; each makes a new version of a document, or removes it. */
  readonly changes: readonly Change[];
  /** How many events each attempt takes, again and again. */
  readonly batches: readonly number[];
  /** After how many commands each cut comes, and how. */
  readonly cuts: readonly (readonly [number, 'cut before' | 'cut after'])[];
};

const history: fc.Arbitrary<History> = fc.record({
  changes: fc.array(
    fc.record({
      key: fc.constantFrom('a', 'b', 'c'),
      words: fc.option(fc.subarray(['u', 'v', 'w', 'x', 'y', 'z']), { nil: undefined, freq: 4 }),
    }),
    { minLength: 1, maxLength: 15 },
  ),
  batches: fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 4 }),
  cuts: fc.array(fc.tuple(fc.integer({ min: 1, max: 7 }), fc.constantFrom('cut before', 'cut after')), {
    maxLength: 3,
  }),
});

type Cutting = { readonly store: DocumentStore; readonly proxy: MongoProxy; readonly run: bigint };

/** Feeds the changes to the store as a projection does, from its checkpoint after each failure, and compares the ends. */
const convergesDespiteCuts = async (
  { store, proxy, run }: Cutting,
  { changes, batches, cuts }: History,
): Promise<void> => {
  // Each run has its own keys, and positions above those of the runs before.
  const base = run * 1_000n;
  const writes = changes.map(({ key, words }, at) => {
    const position = base + BigInt(at) + 1n;
    return words === undefined
      ? write(`${base.toString()}.${key}`, position)
      : write(
          `${base.toString()}.${key}`,
          position,
          { words },
          words.map((word) => `${base.toString()} ${word}`),
        );
  });
  proxy.fault = cutting(cuts);
  await followLog(store, { writes, batches, projection: base.toString() });
  proxy.fault = () => undefined;
  const model = memoryDocuments();
  await model.open(specs);
  await model.commit(writes, []);
  for (const key of ['a', 'b', 'c']) {
    const full = `${base.toString()}.${key}`;
    assert.deepEqual(await store.get(name, full), await model.get(name, full));
  }
  for (const word of ['u', 'v', 'w', 'x', 'y', 'z']) {
    const one = range('words', { within: [`${base.toString()} ${word}`] });
    assert.deepEqual(await store.range(one), await model.range(one));
    assert.equal(await store.count(one), await model.count(one));
  }
};

type Following = {
  readonly writes: readonly DocumentWrite[];
  readonly batches: readonly number[];
  readonly projection: string;
};

const followLog = async (store: DocumentStore, { writes, batches, projection }: Following): Promise<void> => {
  const end = writes.at(-1)?.position ?? 0n;
  let attempt = 0;
  for (let reached = 0n; reached < end;) {
    const size = batches[attempt % batches.length] ?? 1;
    attempt += 1;
    const from = reached;
    const batch = writes.filter(({ position }) => position > from).slice(0, size);
    const last = batch.at(-1)?.position ?? end;
    await ignoringTransient(() => store.commit(batch, [{ projection, position: last }]));
    reached = (await ignoringTransient(() => store.checkpoint(projection))) ?? reached;
  }
};

const ignoringTransient = async <T>(work: () => Promise<T>): Promise<T | undefined> => {
  try {
    return await work();
  } catch (error) {
    assert.ok(isTransient(error), String(error));
    return undefined;
  }
};

const cutting = (cuts: History['cuts']): MongoProxy['fault'] => {
  let at = 0;
  let left = cuts[0]?.[0] ?? 0;
  return () => {
    const cut = cuts[at];
    left -= 1;
    if (cut === undefined || left > 0) return undefined;
    at += 1;
    left = cuts[at]?.[0] ?? 0;
    return cut[1];
  };
};
