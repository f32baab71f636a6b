import { join } from 'node:path';
import { open, type RootDatabase, type RootDatabaseOptionsWithPath } from 'lmdb';
import { beforeAll, type Position } from '../../kernel/event.js';
import {
  Fenced,
  removalsPerCommitMax,
  type Checkpoint,
  type CollectionSpec,
  type DocumentsOwner,
  type DocumentStore,
  type DocumentWrite,
  type IndexRange,
  type KeyScan,
} from '../../kernel/ports/documentStore.js';
import { checkLmdbFile } from '../dataFolder/lmdbFile.js';
import { makeFolder } from '../dataFolder/makeFolder.js';
import { openTables } from '../dataFolder/lmdbTables.js';
import { checkRoom } from '../dataFolder/room.js';
import { keyWriter, type KeyWriter } from './indexKeys.js';
import { dropCollection, openCollection, type Collection, type Operation } from './lmdb/collection.js';
import { lookedIntoMeta, openedMeta, type Meta, type MetaEntries } from './lmdb/meta.js';
import type { Writers } from './lmdb/shapes.js';

export type LmdbDocumentsOptions = {
  /** Made if it does not exist; the file in it is `documents.mdb`. One process at a time. */
  readonly folder: string;
  /** Default: one. Several share the environment, and each has documents of its own. */
  readonly writers?: Writers;
};

export const collectionsMax = 500;

/**
 * Documents in one LMDB file. A commit is one transaction, its checkpoints included.
 *
 * It resolves once it is visible, which is before it is durable: the disk is flushed in the background, and pages of
 * the last flushed state are not reused before a newer one is flushed. After a killed process or a loss of power the
 * store is as it was at some earlier commit, documents and checkpoints alike, and the log brings it forward again.
 */
export const lmdbDocuments = ({ folder, writers = 'one' }: LmdbDocumentsOptions): DocumentStore => {
  let store: Store | undefined;
  let root: RootDatabase | undefined;
  const environment = (): RootDatabase => (root ??= openRoot(folder));
  const opened = (): Store => {
    if (store === undefined) throw new Error('the document store is not open');
    return store;
  };
  // Before it is open, another process may have it.
  const seen = <T>(read: (meta: MetaEntries) => T, nothing: T): T =>
    store === undefined ? (lookedIntoMeta(fileIn(folder), read) ?? nothing) : read(openedMeta(store.meta));
  return {
    open: async (specs) => {
      if (store !== undefined) throw new Error('the document store is open already');
      store = await openStore(environment(), specs, writers);
    },
    owner: async () => seen(ownerIn, { status: 'empty' }),
    collections: async () => seen(collectionsIn, []),
    belongTo: async (deployment) => {
      const { meta } = opened();
      await meta.put(deploymentKey, deployment);
    },
    get: async (name, key) => collectionOf(opened(), name).read(key),
    getMany: async (name, keys) => {
      const collection = collectionOf(opened(), name);
      return keys.map((key) => collection.read(key));
    },
    range: async (range: IndexRange) => collectionOf(opened(), range.collection).range(range),
    count: async (range: IndexRange) => collectionOf(opened(), range.collection).count(range),
    scan: async (scan: KeyScan) => collectionOf(opened(), scan.collection).scan(scan),
    commit: (writes, checkpoints) => inTurn(opened(), (one) => commit(one, writes, checkpoints)),
    removePrefix: async (name, prefix) => inTurn(opened(), (one) => removePrefix(one, name, prefix)),
    forget: async (name, keys) => inTurn(opened(), (one) => forget(one, name, keys)),
    checkpoint: async (projection) => seen((meta) => positionIn(meta, projection), beforeAll),
    close: async () => {
      const closing = { store, root };
      [store, root] = [undefined, undefined];
      await closing.store?.turn;
      await closing.root?.close();
    },
  };
};

type Store = {
  readonly environment: RootDatabase;
  readonly meta: Meta;
  readonly collections: ReadonlyMap<string, Collection>;
  readonly writer: KeyWriter;
  /** Settles when the last commit has. */
  turn: Promise<unknown>;
};

const openStore = async (
  environment: RootDatabase,
  specs: readonly CollectionSpec[],
  writers: Writers,
): Promise<Store> => {
  if (specs.length > collectionsMax) throw new Error(`at most ${collectionsMax.toString()} collections`);
  const meta = metaOf(environment);
  await dropUnnamed(environment, meta, new Set(specs.map(({ name }) => name)));
  const collections = openTables(
    environment,
    (root) => new Map(specs.map((spec) => [spec.name, openCollection({ environment: root, meta, writers }, spec)])),
  );
  return { environment, meta, collections, writer: keyWriter(), turn: Promise.resolve() };
};

const metaOf = (environment: RootDatabase): Meta => environment.openDB({ name: 'meta' });

const fileIn = (folder: string): string => join(folder, 'documents.mdb');

/** Throws `DamagedFile`. */
const openRoot = (folder: string): RootDatabase => {
  makeFolder(folder);
  checkLmdbFile(fileIn(folder), 'late');
  checkRoom(folder);
  return open(environmentOptions(folder));
};

const deploymentKey = 'deployment';

const ownerIn = (meta: MetaEntries): DocumentsOwner => {
  const deployment = meta.get(deploymentKey);
  if (typeof deployment === 'string') return { status: 'named', deployment };
  const positions = meta.below('checkpoint ').map(([, position]) => position);
  return { status: positions.some((position) => position !== beforeAll) ? 'unnamed' : 'empty' };
};

/** `safeRestore` is missing in the types of the package. */
const environmentOptions = (folder: string): RootDatabaseOptionsWithPath & { readonly safeRestore: boolean } => ({
  path: fileIn(folder),
  noSubdir: true,
  // Collections that go are still open while they are dropped.
  maxDbs: 4 * collectionsMax + 1,
  overlappingSync: true,
  separateFlushed: true,
  // Otherwise LMDB trusts what was not flushed as long as the machine seems not to have been restarted.
  safeRestore: true,
});

const dropUnnamed = async (environment: RootDatabase, meta: Meta, named: ReadonlySet<string>): Promise<void> => {
  for (const { name } of collectionsIn(openedMeta(meta))) {
    if (!named.has(name)) await dropCollection(environment, meta, name);
  }
};

const collectionPrefix = 'collection ';

const collectionsIn = (meta: MetaEntries): readonly CollectionSpec[] =>
  meta.below(collectionPrefix).map(([key, value]) => ({
    name: key.slice(collectionPrefix.length),
    // Collections are entered with the list of their indexes.
    indexes: value as readonly string[],
  }));

const collectionOf = ({ collections }: Store, name: string): Collection => {
  const collection = collections.get(name);
  if (collection === undefined) throw new Error(`the collection ${name} was not opened`);
  return collection;
};

/** A commit reads what it replaces, so it begins when the one before has become visible. */
const inTurn = <T>(store: Store, work: (store: Store) => Promise<T>): Promise<T> => {
  const next = (): Promise<T> => work(store);
  const committed = store.turn.then(next, next);
  store.turn = committed.catch(() => undefined);
  return committed;
};

/** A faulty write throws before the transaction begins, so the transaction then happens as a whole. */
const commit = async (
  store: Store,
  writes: readonly DocumentWrite[],
  checkpoints: readonly Checkpoint[],
): Promise<void> => {
  const { environment, meta, writer } = store;
  environment.resetReadTxn();
  const operations: Operation[] = [];
  const collections = new Set<Collection>();
  for (const [name, newest] of newestByKey(writes)) {
    const collection = collectionOf(store, name);
    collections.add(collection);
    for (const write of newest.values()) collection.prepare(write, writer, operations);
  }
  const marks = marksOf(meta, checkpoints);
  const shapes = [...collections].map((collection) => collection.shapes());
  if (operations.length === 0 && checkpoints.length === 0) return;
  await environment.batch(() => {
    apply(operations);
    for (const learnt of shapes) learnt.save();
    for (const [key, value] of marks) void meta.put(key, value);
  });
  for (const learnt of shapes) learnt.saved();
  environment.resetReadTxn();
};

const apply = (operations: readonly Operation[]): void => {
  for (const { table, key, value } of operations) {
    if (value === undefined) void table.remove(key);
    else void table.put(key, value);
  }
};

const removePrefix = async (store: Store, name: string, prefix: string): Promise<number> => {
  const { environment, writer } = store;
  if (prefix === '') throw new Error('an empty prefix would remove the whole collection');
  environment.resetReadTxn();
  const operations: Operation[] = [];
  const keys = collectionOf(store, name).prepareRemovals({ prefix, limit: removalsPerCommitMax }, writer, operations);
  if (keys === 0) return 0;
  await environment.batch(() => {
    apply(operations);
  });
  environment.resetReadTxn();
  return keys;
};

const forget = async (store: Store, name: string, keys: readonly string[]): Promise<void> => {
  const { environment, writer } = store;
  environment.resetReadTxn();
  const operations: Operation[] = [];
  const collection = collectionOf(store, name);
  for (const key of keys) collection.prepareForgetting(key, writer, operations);
  if (operations.length === 0) return;
  await environment.batch(() => {
    apply(operations);
  });
  environment.resetReadTxn();
};

const positionIn = (meta: Pick<MetaEntries, 'get'>, projection: string): Position =>
  (meta.get(`checkpoint ${projection}`) as Position | undefined) ?? beforeAll;

/** The entries of the table that the checkpoints come to. Fences are there only where somebody else could write. */
const marksOf = (meta: Meta, checkpoints: readonly Checkpoint[]): readonly (readonly [string, bigint])[] =>
  checkpoints.flatMap(({ projection, position, fence }) => {
    const key = `checkpoint ${projection}`;
    if (fence === undefined) return [[key, position]];
    const fenceKey = `fence ${projection}`;
    const [formerFence, former] = [meta.get(fenceKey) as bigint | undefined, positionIn(meta, projection)];
    if (formerFence !== undefined && formerFence > fence) throw new Fenced(projection);
    return [
      [key, position > former ? position : former],
      [fenceKey, fence],
    ];
  });

/** One after another under the rule of positions, the writes of one key come to the newest of them. */
const newestByKey = (writes: readonly DocumentWrite[]): ReadonlyMap<string, ReadonlyMap<string, DocumentWrite>> => {
  const byCollection = new Map<string, Map<string, DocumentWrite>>();
  for (const write of writes) {
    let byKey = byCollection.get(write.collection);
    if (byKey === undefined) byCollection.set(write.collection, (byKey = new Map<string, DocumentWrite>()));
    const other = byKey.get(write.key);
    if (other === undefined || write.position > other.position) byKey.set(write.key, write);
  }
  return byCollection;
};
