import type { Collection, CollectionOptions, Db, MongoClient } from 'mongodb';
import { beforeAll } from '../../../kernel/event.js';
import type { CollectionSpec } from '../../../kernel/ports/documentStore.js';
import type { MongoConnection } from '../../mongo/connection.js';
import { driver } from '../../mongo/driver.js';
import { mentions } from '../mentions.js';
import type { StoredRecord } from './records.js';

export const collectionsMax = 500;

export type Opened = {
  readonly client: MongoClient;
  readonly collections: ReadonlyMap<string, OpenCollection>;
  readonly checkpoints: Collection<CheckpointRecord>;
  /** Then there are transactions. */
  readonly replicated: boolean;
};

export type OpenCollection = {
  readonly name: string;
  readonly indexes: readonly string[];
  readonly records: Collection<StoredRecord>;
};

/** `_id` is the name of the projection, `_f` the highest fence under which it was written. */
export type CheckpointRecord = { readonly _id: string; readonly _p: bigint; readonly _f?: bigint };

/** `_id` is the name of the collection. FerretDB 1.24 leaves an empty list out. */
type SpecRecord = { readonly _id: string; readonly indexes?: readonly string[] };

export type DocumentsPlace = {
  readonly connection: MongoConnection;
  readonly database: string;
  readonly prefix: string;
  readonly specs: readonly CollectionSpec[];
};

const optionsOf = ({ readConcern }: MongoConnection): CollectionOptions => ({
  readConcern,
  useBigInt64: true,
  promoteBuffers: false,
});

export const checkpointsIn = (
  connection: MongoConnection,
  { database, prefix }: Pick<DocumentsPlace, 'database' | 'prefix'>,
): Collection<CheckpointRecord> =>
  connection.client.db(database).collection<CheckpointRecord>(`${prefix}osmium.checkpoints`, optionsOf(connection));

const registryIn = (
  connection: MongoConnection,
  { database, prefix }: Pick<DocumentsPlace, 'database' | 'prefix'>,
): Collection<SpecRecord> =>
  connection.client.db(database).collection<SpecRecord>(`${prefix}osmium.collections`, optionsOf(connection));

export const collectionsIn = async (
  connection: MongoConnection,
  place: Pick<DocumentsPlace, 'database' | 'prefix'>,
): Promise<readonly CollectionSpec[]> =>
  (await registryIn(connection, place).find().toArray()).map(({ _id: name, indexes = [] }) => ({ name, indexes }));

/** Drops what is not named any more, makes what is missing. Doing it twice, or on two nodes at once, is doing it once. */
export const openCollections = async ({ connection, database, prefix, specs }: DocumentsPlace): Promise<Opened> => {
  check(specs);
  const { client, replicated } = connection;
  const db = client.db(database);
  const options = optionsOf(connection);
  const registry = registryIn(connection, { database, prefix });
  const checkpoints = checkpointsIn(connection, { database, prefix });
  // Before the first transaction, because not every server makes a collection within one.
  await db.createCollection(checkpoints.collectionName).catch(unlessItExists);
  const known = { registry, checkpoints };
  await dropUnnamed(db, known, { prefix, named: new Set(specs.map(({ name }) => name)) });
  const collections = new Map<string, OpenCollection>();
  for (const spec of specs) {
    await register(known, spec);
    const records = db.collection<StoredRecord>(prefix + spec.name, options);
    await makeCollection(db, records, spec);
    collections.set(spec.name, { ...spec, records });
  }
  return { client, collections, checkpoints, replicated };
};

/** The field that the entries of an index are in, which is where it has its own name too. */
export const entryField = (index: string): string => `_i.${index}`;

const isName = /^\w{1,100}$/;

const check = (specs: readonly CollectionSpec[]): void => {
  if (specs.length > collectionsMax) throw new Error(`at most ${collectionsMax.toString()} collections`);
  const wrong = specs.flatMap(({ name, indexes }) => [name, ...indexes]).find((name) => !isName.test(name));
  if (wrong !== undefined) throw new Error(`${wrong} is no name of a collection or an index`);
};

type Known = { readonly registry: Collection<SpecRecord>; readonly checkpoints: Collection<CheckpointRecord> };
type Named = { readonly prefix: string; readonly named: ReadonlySet<string> };

const dropUnnamed = async (db: Db, { registry, checkpoints }: Known, { prefix, named }: Named): Promise<void> => {
  for (const { _id } of await registry.find().toArray()) {
    if (named.has(_id)) continue;
    await seal(checkpoints, _id);
    await db.collection(prefix + _id).drop();
    // Last, so that a drop that was cut short is done again.
    await registry.deleteOne({ _id });
  }
};

/** Above every fence that a lease comes with: a node of an older version must not go on where its documents are gone. */
const sealed = 2n ** 63n - 1n;

const seal = async (checkpoints: Collection<CheckpointRecord>, collection: string): Promise<void> => {
  for (const { _id } of await checkpoints.find().toArray()) {
    if (mentions(_id, collection)) await checkpoints.updateOne({ _id }, { $set: { _p: beforeAll, _f: sealed } });
  }
};

/** For a collection that is made anew: it is filled from the start of the log. */
const unseal = async (checkpoints: Collection<CheckpointRecord>, collection: string): Promise<void> => {
  for (const { _id } of await checkpoints.find({ _f: sealed }).toArray()) {
    if (mentions(_id, collection)) await checkpoints.updateOne({ _id, _f: sealed }, { $unset: { _f: true } });
  }
};

const register = async ({ registry, checkpoints }: Known, { name, indexes }: CollectionSpec): Promise<void> => {
  // First, so that what was cut short is done again.
  if ((await registry.findOne({ _id: name })) === null) await unseal(checkpoints, name);
  await registry.updateOne({ _id: name }, { $setOnInsert: { indexes } }, { upsert: true });
  const known = (await registry.findOne({ _id: name }))?.indexes ?? indexes;
  if (known.length !== indexes.length || !known.every((index) => indexes.includes(index))) {
    // Documents that are there already have no entries in a new index.
    throw new Error(`the indexes of ${name} have changed: raise the version of the document`);
  }
};

const makeCollection = async (
  db: Db,
  records: Collection<StoredRecord>,
  { indexes }: CollectionSpec,
): Promise<void> => {
  await db.createCollection(records.collectionName).catch(unlessItExists);
  const known = new Set<unknown>((await records.listIndexes().toArray()).map(({ name }: { name?: unknown }) => name));
  // One by one and only what is missing: FerretDB 1.24 drops the connection when it is given two indexes that it has, as
  // another node may have made them since.
  for (const name of indexes.filter((one) => !known.has(one))) {
    // Sparse: removed documents and those without a key take no room in it.
    await records.createIndexes([{ name, key: { [entryField(name)]: 1 }, sparse: true }]);
  }
};

const namespaceExists = 48;
const unlessItExists = (error: unknown): void => {
  if (!(error instanceof driver().MongoServerError && error.code === namespaceExists)) throw error;
};
