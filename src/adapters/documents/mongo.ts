import { beforeAll } from '../../kernel/event.js';
import type { DocumentStore, IndexRange } from '../../kernel/ports/documentStore.js';
import { connectMongo, databaseIn, type MongoConnection } from '../mongo/connection.js';
import { commit, prepared } from './mongo/commit.js';
import { countOf, getMany, rangeOf, scanOf, type Reading } from './mongo/reads.js';
import { nameOwner, ownerIn } from './mongo/owner.js';
import { forget, removePrefix } from './mongo/removal.js';
import { checkpointsIn, collectionsIn, openCollections, type OpenCollection, type Opened } from './mongo/schema.js';

export type MongoDocumentsOptions = {
  /** `mongodb://…` or `mongodb+srv://…`. Its path names the database; without one it is `osmium`. */
  readonly url: string;
  /** Stands before the names of all collections, so that several stores can share a database. */
  readonly prefix?: string;
  /** How long the server is waited for: for one to write to, for a connection, for an answer. A lost answer is asked for once more. */
  readonly operationMillisMax?: number;
};

export const operationMillisDefault = 10_000;
export const connectionsMax = 100;

/**
 * Documents in MongoDB, one collection for each type. A commit resolves once a majority has it. On a replica set it is
 * one transaction, its checkpoints included; on a server on its own the checkpoints come last, and while a commit is
 * under way a document may be missing from some of its places in an index, and a count be off by as many.
 *
 * All methods reject when the server cannot be reached in time; `isTransient` tells such errors from those that would
 * come again. The connection is made again by itself.
 */
export const mongoDocuments = (options: MongoDocumentsOptions): DocumentStore => {
  const place = { database: databaseIn(options.url), prefix: options.prefix ?? '' };
  const reading: Reading = { maxTimeMS: options.operationMillisMax ?? operationMillisDefault };
  const { connection, disconnect } = lazyConnection(options);
  let opening: Promise<Opened> | undefined;
  // A commit looks at what is there before it writes, so one follows the other.
  let turn: Promise<unknown> = Promise.resolve();
  const opened = async (): Promise<Opened> => {
    if (opening === undefined) throw new Error('the document store is not open');
    return opening;
  };
  const within = async <T>(name: string, read: (collection: OpenCollection) => Promise<T>): Promise<T> =>
    read(collectionOf(await opened(), name));
  const commitNow = async (...[writes, checkpoints]: Parameters<DocumentStore['commit']>): Promise<void> => {
    const store = await opened();
    await commit(store, prepared(store, writes, checkpoints), reading);
  };
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const committed = turn.then(work, work);
    turn = committed.catch(() => undefined);
    return committed;
  };
  return {
    open: async (specs) => {
      if (opening !== undefined) throw new Error('the document store is open already');
      opening = connection().then((connected) => openCollections({ connection: connected, ...place, specs }));
      try {
        await opening;
      } catch (error) {
        // A store that did not open has nothing to close, so its connection must not keep the process alive.
        opening = undefined;
        await disconnect();
        throw error;
      }
    },
    owner: async () => ownerIn(await connection(), place, reading),
    collections: async () => collectionsIn(await connection(), place),
    belongTo: (deployment) => opened().then(async () => nameOwner(await connection(), place, deployment)),
    get: (name, key) =>
      within(name, async (collection) => {
        const [found] = await getMany(collection, [key], reading);
        return found ?? { key, position: beforeAll };
      }),
    getMany: (name, keys) => within(name, (collection) => getMany(collection, keys, reading)),
    range: (range) => within(range.collection, (collection) => rangeOf(checked(collection, range), range, reading)),
    count: (range) => within(range.collection, (collection) => countOf(checked(collection, range), range, reading)),
    scan: (scan) => within(scan.collection, (collection) => scanOf(collection, scan, reading)),
    commit: (writes, checkpoints) => inTurn(() => commitNow(writes, checkpoints)),
    removePrefix: (name, prefix) =>
      inTurn(() => within(name, (collection) => removePrefix(collection, prefix, reading))),
    forget: (name, keys) => inTurn(() => within(name, (collection) => forget(collection, keys, reading))),
    checkpoint: async (projection) =>
      (await checkpointsIn(await connection(), place).findOne({ _id: projection }, reading))?._p ?? beforeAll,
    close: async () => {
      await turn;
      await opening?.catch(() => undefined);
      opening = undefined;
      await disconnect();
    },
  };
};

/** Made when it is first needed, and again after `disconnect`. */
const lazyConnection = ({ url, operationMillisMax = operationMillisDefault }: MongoDocumentsOptions) => {
  let connecting: Promise<MongoConnection> | undefined;
  return {
    connection: (): Promise<MongoConnection> =>
      (connecting ??= connectMongo({ url, appName: 'osmium documents', connectionsMax, operationMillisMax })),
    disconnect: async (): Promise<void> => {
      const connected = await connecting?.catch(() => undefined);
      connecting = undefined;
      await connected?.client.close();
    },
  };
};

const collectionOf = ({ collections }: Opened, name: string): OpenCollection => {
  const collection = collections.get(name);
  if (collection === undefined) throw new Error(`the collection ${name} was not opened`);
  return collection;
};

const checked = (collection: OpenCollection, { index }: IndexRange): OpenCollection => {
  if (!collection.indexes.includes(index)) throw new Error(`the collection ${collection.name} has no index ${index}`);
  return collection;
};
