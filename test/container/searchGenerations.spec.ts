import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { memoryDocuments } from '../../src/adapters/documents/memory.js';
import { memoryLeaseRecords, memoryLeases } from '../../src/adapters/leases/memory.js';
import { systemTimers } from '../../src/adapters/system/timers.js';
import { dropFormerIndexes, ownIndex, type SearchGenerationNeeds } from '../../src/container/searchGenerations.js';
import { ownGeneration } from '../../src/container/own/ownGeneration.js';
import type { DocumentStore } from '../../src/kernel/ports/documentStore.js';
import type { Generation, GenerationSet } from '../../src/kernel/ports/generations.js';
import type { DeclaredReadModels } from '../../src/projections/registry.js';
import { searchCheckpoint } from '../../src/projections/search/documents.js';
import { searchLease } from '../../src/projections/search/searchIndex.js';

/** Generations that all nodes share, as on a server of documents. */
const sharedGenerations = () => {
  const stores = new Map<string, { readonly generation: Generation; readonly store: DocumentStore }>();
  const served = new Map<string, string>();
  return {
    serving: (set: string) => Promise.resolve(served.get(set)),
    serve: ({ set, name }: Generation) => Promise.resolve(void served.set(set, name)),
    names: () => [...stores.keys()],
    list: () => Promise.resolve([...stores.values()].map(({ generation }) => generation)),
    begin: ({ name: set, types }: GenerationSet, number: number): Promise<Generation | undefined> => {
      const generation = { name: `${set}_${number.toString()}`, set, number, types };
      if (stores.has(generation.name)) return Promise.resolve(undefined);
      stores.set(generation.name, { generation, store: memoryDocuments() });
      return Promise.resolve(generation);
    },
    documents: ({ name }: Generation): DocumentStore => stores.get(name)?.store ?? assert.fail(`${name} is gone`),
    drop: ({ name }: Generation) => Promise.resolve(void stores.delete(name)),
  };
};

const setting = () => {
  const generations = sharedGenerations();
  const foreign: string[] = [];
  const needs = (name: string): SearchGenerationNeeds => ({
    generations,
    name,
    end: () => Promise.resolve(100n),
    onForeign: (generation) => foreign.push(generation),
  });
  return { generations, foreign, needs };
};

describe('the search index of a deployment', () => {
  it('is the same for nodes that start at once, also where one of another deployment is there', async () => {
    const { generations, foreign, needs } = setting();
    const former = await ownIndex(needs('former'));
    const opened = await Promise.all([ownIndex(needs('new')), ownIndex(needs('new')), ownIndex(needs('new'))]);
    assert.deepEqual([...new Set(opened.map(({ generation }) => generation.number))], [2]);
    assert.ok(foreign.every((name) => name === former.generation.name));
    // A node that looked long ago, and goes on only now, drops nothing that the others have begun.
    assert.equal((await ownIndex(needs('new'))).generation.number, 2);
    assert.equal(generations.names().length, 2);
  });

  it('is begun anew where the log is shorter than it', async () => {
    const { needs } = setting();
    const { store } = await ownIndex(needs('one'));
    await store.commit([], [{ projection: searchCheckpoint, position: 101n }]);
    assert.equal((await ownIndex(needs('one'))).generation.number, 2);
  });

  it('drops those of former releases once no node works on them, and no newer one', async () => {
    const { generations, needs } = setting();
    const own = await ownIndex(needs('one'));
    const older = (await generations.begin({ name: '0123456789ab', types: [] }, 1)) ?? assert.fail();
    await generations.begin({ name: own.generation.set, types: [] }, 2);
    const records = memoryLeaseRecords();
    const theirs = await memoryLeases(records, systemTimers).take(searchLease(older.name));
    const closing = new AbortController();
    const dropped: string[] = [];
    const dropping = (signal: AbortSignal): Promise<void> =>
      dropFormerIndexes({
        generations,
        own: own.generation,
        signal,
        leases: memoryLeases(records, systemTimers),
        timers: systemTimers,
        uptime: systemTimers,
        onTrouble: assert.ifError,
        onDropped: (name) => dropped.push(name),
      });
    const waiting = dropping(closing.signal);
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(dropped, []);
    closing.abort();
    await waiting;
    await theirs?.release();
    await dropping(new AbortController().signal);
    assert.deepEqual(dropped, [older.name]);
    assert.equal(generations.names().length, 2);
  });

  it('leaves those of a newer release, whose collections have higher versions', async () => {
    const { generations, needs } = setting();
    const { generation: own } = await ownIndex(needs('one'));
    const [collection = ''] = own.types;
    const types = [collection.replace(/\d+$/, '99')];
    await generations.begin({ name: 'ba9876543210', types }, 1);
    await generations.begin({ name: '0123456789ab', types: [collection.replace(/\d+$/, '1')] }, 1);
    await dropFormerIndexes({
      ...{ generations, own, signal: new AbortController().signal },
      leases: memoryLeases(memoryLeaseRecords(), systemTimers),
      ...{ timers: systemTimers, uptime: systemTimers, onTrouble: assert.ifError, onDropped: () => undefined },
    });
    assert.deepEqual(generations.names(), [own.name, 'ba9876543210_1']);
  });
});

describe('the documents of a module', () => {
  const checkpoint = 'tally tallies_v1';
  const readModels: DeclaredReadModels = {
    projections: [{ name: 'tally', documents: [] }],
    collections: [{ name: 'tallies_v1', indexes: [] }],
  };

  it('are taken as they are where other nodes append and fold while this one looks', async () => {
    const { generations, needs } = setting();
    const { store } = await ownGeneration({ ...needs('one'), generations, readModels });
    let end = 100n;
    const moving: DocumentStore = {
      ...store,
      checkpoint: async (name) => {
        end += 1n;
        await store.commit([], [{ projection: name, position: end }]);
        return end;
      },
    };
    const looking = { ...generations, documents: () => moving };
    const taken = await ownGeneration({
      ...{ ...needs('one'), generations: looking, readModels },
      end: () => Promise.resolve(end),
    });
    assert.equal(taken.generation.number, 1);
  });

  it('of another deployment are left, and the ones that are begun serve on all nodes', async () => {
    const { generations, needs, foreign } = setting();
    const own = (name: string) => ownGeneration({ ...needs(name), generations, readModels });
    const former = await own('former');
    await former.store.commit([], [{ projection: checkpoint, position: 7n }]);
    const opened = await Promise.all([own('new'), own('new'), own('new')]);
    assert.deepEqual([...new Set(opened.map(({ generation }) => generation.number))], [2]);
    assert.ok(foreign.every((name) => name === former.generation.name));
    assert.equal(await generations.serving(former.generation.set), opened[0].generation.name);
    assert.equal((await own('new')).generation.number, 2);
    assert.equal(generations.names().length, 2);
  });
});
