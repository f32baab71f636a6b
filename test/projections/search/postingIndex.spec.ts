import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import fc from 'fast-check';
import { lmdbDocuments } from '../../../src/adapters/documents/lmdb.js';
import { memoryDocuments } from '../../../src/adapters/documents/memory.js';
import type { ChatKey } from '../../../src/kernel/chat.js';
import type { MessageId, UserId } from '../../../src/kernel/ids.js';
import type { DocumentStore } from '../../../src/kernel/ports/documentStore.js';
import {
  blockCollection,
  chatPrefixOf,
  headCollection,
  headKey,
  recordCollection,
  recordKey,
  searchCollections,
} from '../../../src/projections/search/documents.js';
import type { DamagedDocument } from '../../../src/projections/search/heldDocuments.js';
import { postingIndex, type IndexedChange, type PostingIndex } from '../../../src/projections/search/postingIndex.js';
import { positionOfEvent, sweepsBetweenEvents, sweptAfter } from '../../../src/projections/search/postingLists.js';
import { blockIdsMax } from '../../../src/projections/search/postings.js';
import { freshFolder } from '../../support/dataFolders.js';
import { propertyRun } from '../../support/propertyRun.js';
import { aChat, author, countOf, deleted, hashed, period, postingsOf, written } from './setting.js';

const whole = ({ key }: DamagedDocument): never => assert.fail(`${key} does not read`);

const indexOn = (store: DocumentStore, onDamaged: (document: DamagedDocument) => void = whole): PostingIndex =>
  postingIndex({ store, commit: store.commit, breath: () => undefined, onDamaged });

const opened = async (store = memoryDocuments()): Promise<DocumentStore> => {
  await store.open(searchCollections);
  return store;
};

const nothing = { [headCollection]: 0, [blockCollection]: 0, [recordCollection]: 0 };

const engines: Readonly<Record<string, (t: TestContext) => DocumentStore>> = {
  memory: () => memoryDocuments(),
  lmdb: (t) => lmdbDocuments({ folder: freshFolder(t) }),
};

for (const [engine, made] of Object.entries(engines)) {
  describe(`posting lists on ${engine}`, () => {
    const withStore = async (t: TestContext, work: (store: DocumentStore) => Promise<void>): Promise<void> => {
      const store = await opened(made(t));
      await work(store).finally(() => store.close());
    };

    it('follow what is sent, edited and deleted', (t) =>
      withStore(t, async (store) => {
        const index = indexOn(store);
        assert.equal(await index.begin(), 0n);
        await index.fold([
          written('sent', [1n, 10], { words: 'foo test' }),
          written('sent', [2n, 11], { words: 'foo' }),
        ]);
        await index.commit(2n);
        assert.deepEqual(await postingsOf(store, 'foo'), [10n, 11n]);
        await index.fold([written('edited', [3n, 10], { words: 'bar test', had: 'foo test' })]);
        await index.commit(3n);
        assert.deepEqual(await postingsOf(store, 'foo'), [11n]);
        assert.deepEqual(await postingsOf(store, 'bar'), [10n]);
        assert.deepEqual(await postingsOf(store, 'test'), [10n]);
        await index.fold([
          deleted(4n, 10, { had: 'bar test' }),
          deleted(5n, 11, { had: 'foo' }),
          deleted(6n, 99, { had: '' }),
        ]);
        await index.commit(6n);
        assert.deepEqual(await countOf(store), nothing);
        assert.equal(await indexOn(store).begin(), 6n);
      }));

    it('fill blocks, and give all of them back', (t) =>
      withStore(t, async (store) => {
        const many = 3 * blockIdsMax + 5;
        const index = indexOn(store);
        await index.begin();
        const sent = Array.from({ length: many }, (_, at) =>
          written('sent', [BigInt(at + 1), 2 * at + 2], { words: 'all' }),
        );
        await index.fold(sent);
        await index.commit(BigInt(many));
        assert.equal((await postingsOf(store, 'all')).length, many);
        assert.equal((await countOf(store))[blockCollection], 3);
        // From a node whose clock is behind.
        await index.fold([written('sent', [BigInt(many + 1), 101], { words: 'all' })]);
        await index.commit(BigInt(many + 1));
        assert.equal((await postingsOf(store, 'all'))[50], 101n);
        const again = indexOn(store);
        await again.begin();
        await again.fold(
          [...sent, { message: 101n as MessageId }].map(({ message }, at) =>
            deleted(BigInt(many + 2 + at), message, { had: 'all' }),
          ),
        );
        await again.commit(BigInt(3 * many));
        assert.deepEqual(await countOf(store), nothing);
      }));

    it('have no list in common between two chats', (t) =>
      withStore(t, async (store) => {
        const index = indexOn(store);
        await index.begin();
        const chats = ['channel.11.12', 'channel.21.22', 'group.3', 'dm.7.8'] as ChatKey[];
        await index.fold(chats.map((chat, at) => written('sent', [BigInt(at + 1), at + 1], { words: 'word', chat })));
        await index.commit(9n);
        assert.equal((await countOf(store))[headCollection], 4);
        await index.drop(aChat);
        assert.deepEqual(await countOf(store), { ...nothing, [headCollection]: 3, [recordCollection]: 3 });
      }));
  });
}

describe('posting lists', () => {
  it('lose the messages of an author whose key is gone, and no others', async () => {
    const store = await opened();
    const index = indexOn(store);
    await index.begin();
    const other = 8n as UserId;
    const messages = Array.from({ length: 2 * blockIdsMax }, (_, at) => at + 1);
    await index.fold(
      messages.map((id) => written('sent', [BigInt(id), id], { words: 'all', by: id % 2 === 0 ? author : other })),
    );
    await index.commit(2_000n);
    const theirs = messages.filter((id) => id % 2 === 0).map((id) => BigInt(id) as MessageId);
    // Twice between two events: each takes its own out.
    await index.sweep(chatPrefixOf(aChat), new Set(theirs.slice(0, 100)));
    await index.sweep(chatPrefixOf(aChat), new Set(theirs));
    assert.deepEqual(await postingsOf(store, 'all'), messages.filter((id) => id % 2 === 1).map(BigInt));
    const records = { collection: recordCollection, index: 'subject', order: 'ascending', limit: 5 } as const;
    assert.equal(await store.count({ ...records, within: [author] }), 0);
    assert.equal(await store.count({ ...records, within: [other] }), 5);
    // The next event comes after the sweep.
    await index.fold([written('sent', [2_001n, 5_000], { words: 'all' })]);
    await index.commit(2_001n);
    assert.equal((await postingsOf(store, 'all')).at(-1), 5_000n);
  });

  it('have room for as many sweeps as a quiet chat needs', async () => {
    const store = await opened();
    const index = indexOn(store);
    await index.begin();
    const ids = Array.from({ length: 500 }, (_, at) => at + 1);
    await index.fold(ids.map((id) => written('sent', [BigInt(id), id], { words: 'all' })));
    await index.commit(500n);
    for (const id of ids.slice(0, 499)) await index.sweep(chatPrefixOf(aChat), new Set([BigInt(id) as MessageId]));
    assert.deepEqual(await postingsOf(store, 'all'), [500n]);
    await index.fold([deleted(501n, 500, { had: 'all' })]);
    await index.commit(501n);
    assert.deepEqual(await countOf(store), nothing);
  });

  it('have positions that every store takes, also behind the highest of a log', () => {
    const highest = 2n ** 54n - 1n;
    assert.equal(sweptAfter(0n, highest), positionOfEvent(highest) + 1n);
    assert.ok(positionOfEvent(highest) + sweepsBetweenEvents <= 2n ** 63n);
  });

  it('go on without a document that does not read, and name it', async () => {
    const store = await opened();
    const index = indexOn(store);
    await index.begin();
    await index.fold([1, 2].map((id) => written('sent', [BigInt(id), id], { words: `one word${id.toString()}` })));
    await index.commit(2n);
    const prefix = chatPrefixOf(aChat);
    const [record, list] = [recordKey(prefix, 1n as MessageId), headKey(prefix, hashed('word2'))];
    const damage = [
      { collection: headCollection, key: list, position: positionOfEvent(2n) + 1n, document: { ids: 'none' } },
      { collection: recordCollection, key: record, position: positionOfEvent(1n) + 1n, document: { period } },
    ];
    await store.commit(
      damage.map((one) => ({ ...one, indexKeys: {} })),
      [],
    );
    const told: DamagedDocument[] = [];
    const later = indexOn(store, (one) => told.push(one));
    await later.begin();
    await later.fold([deleted(3n, 1), written('sent', [4n, 3], { words: 'word2' })]);
    await later.commit(4n);
    assert.deepEqual(await postingsOf(store, 'word2'), [3n]);
    for (const [chat, messages] of later.takeClosed()) await later.sweepClosed(chat, messages);
    const [ofList, ofRecord] = damage.map(({ document: _, ...one }) => one);
    assert.deepEqual(told, [ofRecord, ofList, ofRecord]);
    assert.equal((await countOf(store))[recordCollection], 2);
    assert.deepEqual(await postingsOf(store, 'one'), [2n]);
    assert.deepEqual(await postingsOf(store, 'word1'), []);
  });

  it('keep a message that was edited where nobody can tell what it had, and only where its newest words are', async () => {
    const store = await opened();
    const index = indexOn(store);
    await index.begin();
    await index.fold([1, 2].map((id) => written('sent', [BigInt(id), id], { words: 'one two' })));
    await index.fold([
      written('edited', [3n, 1], { words: 'two three' }),
      written('edited', [4n, 1], { words: 'three four', had: 'two three' }),
    ]);
    await index.commit(4n);
    for (const [chat, messages] of index.takeClosed()) await index.sweepClosed(chat, messages);
    assert.deepEqual(await postingsOf(store, 'one'), [2n]);
    assert.deepEqual(await postingsOf(store, 'two'), [2n]);
    for (const word of ['three', 'four']) assert.deepEqual(await postingsOf(store, word), [1n]);
    await index.fold([deleted(5n, 1, { had: 'three four' })]);
    await index.commit(5n);
    assert.deepEqual(await postingsOf(store, 'three'), []);
    assert.deepEqual(index.takeClosed(), new Map());
    assert.equal((await countOf(store))[recordCollection], 1);
  });

  it('say which messages went of which nobody can tell what they had', async () => {
    const store = await opened();
    const index = indexOn(store);
    await index.begin();
    await index.fold([written('sent', [1n, 1], { words: 'one' }), written('sent', [2n, 2], { words: 'one' })]);
    await index.fold([deleted(3n, 1)]);
    await index.commit(3n);
    // Until it is swept the record says that the message is in some list.
    assert.equal((await countOf(store))[recordCollection], 2);
    const closed = index.takeClosed();
    assert.deepEqual(closed, new Map([[chatPrefixOf(aChat), new Map([[1n, new Set()]])]]));
    for (const [chat, messages] of closed) await index.sweepClosed(chat, messages);
    assert.deepEqual(await postingsOf(store, 'one'), [2n]);
    assert.equal((await countOf(store))[recordCollection], 1);
    assert.deepEqual(index.takeClosed(), new Map());
  });

  it('have nothing to sweep for a message that is in none of them', async () => {
    const index = indexOn(await opened());
    await index.begin();
    await index.fold([written('sent', [1n, 1], { words: 'one' }), deleted(2n, 9)]);
    assert.deepEqual(index.takeClosed(), new Map());
  });

  it('come to the same after a crash between any two writes', async () => {
    await fc.assert(
      fc.asyncProperty(histories, async (steps) => {
        const store = await opened();
        const { changes, model } = played(steps);
        await foldedWithCrashes(store, changes, steps);
        for (const word of words) {
          const expected = [...model].filter(([, has]) => has.includes(word)).map(([id]) => BigInt(id));
          assert.deepEqual(await postingsOf(store, word), expected.sort(byValue));
        }
        const records = await store.scan({ collection: recordCollection, prefix: '', limit: 1_000_000 });
        assert.equal(records.length, model.size);
      }),
      propertyRun(15),
    );
  });
});

const words = ['a', 'b', 'c', 'd'];
const byValue = (one: bigint, other: bigint): number => (one < other ? -1 : 1);

type Step = {
  readonly act: 'send' | 'sendMany' | 'edit' | 'delete';
  readonly which: number;
  readonly words: readonly string[];
  /** Ends the batch, and how many writes of its commit come to pass before a crash. */
  readonly ends: boolean;
  readonly crashesAfter: number | undefined;
};

const histories = fc.array(
  fc.record({
    act: fc.constantFrom('send', 'send', 'sendMany', 'edit', 'edit', 'delete'),
    which: fc.nat({ max: 1_000 }),
    words: fc.subarray(words, { minLength: 1 }),
    ends: fc.boolean(),
    crashesAfter: fc.option(fc.nat({ max: 4 }), { nil: undefined }),
  }) satisfies fc.Arbitrary<Step>,
  { minLength: 1, maxLength: 16 },
);

type Played = {
  readonly changes: readonly (readonly IndexedChange[])[];
  readonly model: Map<number, readonly string[]>;
};

/** What each step changes, and the messages that there are in the end. */
const played = (steps: readonly Step[]): Played => {
  const model = new Map<number, readonly string[]>();
  let [position, next] = [0n, 0];
  const send = (has: readonly string[]): IndexedChange => {
    next += 1;
    model.set(next, has);
    return written('sent', [(position += 1n), next], { words: has.join(' ') });
  };
  const changes = steps.map(({ act, which, words: has }): readonly IndexedChange[] => {
    if (act === 'send') return [send(has)];
    if (act === 'sendMany') return Array.from({ length: blockIdsMax / 2 + 3 }, () => send(has));
    const ids = [...model.keys()];
    const id = ids[which % Math.max(1, ids.length)];
    if (id === undefined) return [];
    position += 1n;
    const had = model.get(id)?.join(' ') ?? '';
    if (act === 'delete') model.delete(id);
    else model.set(id, has);
    return [
      act === 'delete'
        ? deleted(position, id, { had })
        : written('edited', [position, id], { words: has.join(' '), had }),
    ];
  });
  return { changes, model };
};

/** Folds all of it, and begins again from the stored checkpoint after each crash. */
const foldedWithCrashes = async (store: DocumentStore, changes: Played['changes'], steps: readonly Step[]) => {
  let left = Infinity;
  const commit: DocumentStore['commit'] = async (writes, checkpoints) => {
    if (left === 0) {
      // A store without transactions may have taken any of the writes.
      await store.commit(
        writes.filter((_, at) => at % 2 === 0),
        [],
      );
      throw new Error('crashed');
    }
    left -= 1;
    await store.commit(writes, checkpoints);
  };
  const all = changes.flat();
  const ends = new Set<bigint>();
  for (const [at, { ends: isEnd }] of steps.entries()) {
    const last = changes[at]?.at(-1)?.position;
    if (isEnd && last !== undefined) ends.add(last);
  }
  const crashes = steps.map(({ crashesAfter }) => crashesAfter).filter((after) => after !== undefined);
  const run = async (): Promise<void> => {
    const index = postingIndex({
      store,
      commit,
      breath: () => undefined,
      onDamaged: whole,
    });
    const from = await index.begin();
    let batch: IndexedChange[] = [];
    for (const change of all.filter(({ position }) => position > from)) {
      batch.push(change);
      if (!ends.has(change.position) && change !== all.at(-1)) continue;
      await index.fold(batch);
      await index.commit(change.position);
      batch = [];
    }
  };
  for (const after of crashes) {
    left = after;
    await run().catch(() => undefined);
    // The next one cuts the log elsewhere.
    ends.delete([...ends][after] ?? 0n);
  }
  left = Infinity;
  await run();
};
