import type { Collection, Db } from 'mongodb';
import { generationLayout, NewerLayout, type Generation, type Generations } from '../../kernel/ports/generations.js';
import { mongoDocuments, operationMillisDefault } from './mongo.js';
import { connectMongo, databaseIn, isDuplicateKey } from '../mongo/connection.js';
import { generationNamed, inOrder, nameOf } from './generationNames.js';

export type MongoGenerationsOptions = {
  /** `mongodb://…` or `mongodb+srv://…`. Its path names the database; without one it is `osmium`. */
  readonly url: string;
  /** Stands in the names of all collections, so that generations of another kind can be in the same database. Default: none. */
  readonly kind?: string;
};

type GenerationRecord = { readonly _id: string; readonly types: readonly string[] };
type ServingRecord = { readonly _id: string; readonly generation: string; readonly before?: string };
type LayoutRecord = { readonly _id: string; readonly layout: string };

/**
 * Generations in one database, each behind a prefix of its own. Releases without generations drop the collections that
 * their own registry has and they do not name; nothing of a generation is in that registry. Connects for each call, since
 * they are made at the start and by the operator.
 */
export const mongoGenerations = (options: MongoGenerationsOptions): Generations => {
  const { url } = options;
  const within = <T>(work: (place: Place) => Promise<T>): Promise<T> => connected(options, work);
  const prefixOf = (name: string): string => `${kindPrefix(options)}generation.${name}.`;
  return {
    list: () => within(({ generations }) => listIn(generations)),
    begin: ({ name: set, types }, number) =>
      within(async (place) => {
        await layOut(place);
        const generation = { name: nameOf(set, number), set, number, types };
        return (await isEntered(place, generation)) ? generation : undefined;
      }),
    serving: (set) => within(async ({ serving }) => (await serving.findOne({ _id: set }))?.generation),
    serve: ({ set, name }, before) =>
      within(async (place) => {
        await layOut(place);
        const chosen = before === undefined ? { generation: name } : { generation: name, before };
        await place.serving.updateOne({ _id: set }, { $set: chosen }, { upsert: true });
      }),
    servedBefore: (set) => within(async ({ serving }) => (await serving.findOne({ _id: set }))?.before),
    documents: ({ name }) => mongoDocuments({ url, prefix: prefixOf(name) }),
    documentsOfThread: ({ name }) => mongoDocuments({ url, prefix: prefixOf(name) }),
    drop: ({ name }) =>
      within(async ({ database, generations }) => {
        await dropBehind(database, prefixOf(name));
        // Last, so that a drop that was cut short can be done again.
        await generations.deleteOne({ _id: name });
      }),
    former: {
      isThere: () => within(async ({ database }) => (await database.collection(formerRegistry).findOne()) !== null),
      documents: () => mongoDocuments({ url }),
      drop: () => within(({ database }) => dropFormer(database)),
    },
  };
};

const kindPrefix = ({ kind }: MongoGenerationsOptions): string => (kind === undefined ? '' : `${kind}.`);

/** The kinds that begin so and of which there are generations, without that beginning. */
export const mongoGenerationKinds = (
  { url }: Pick<MongoGenerationsOptions, 'url'>,
  begin: string,
): Promise<readonly string[]> =>
  connected({ url }, async ({ database }) => {
    const [head, end] = [`osmium.${begin}`, '.generations'];
    const found = await database.listCollections({}, { nameOnly: true }).toArray();
    const names = found.map(({ name }) => name).filter((name) => name.startsWith(head) && name.endsWith(end));
    return names.map((name) => name.slice(head.length, -end.length)).sort();
  });

type Place = {
  readonly database: Db;
  readonly generations: Collection<GenerationRecord>;
  readonly serving: Collection<ServingRecord>;
  readonly layouts: Collection<LayoutRecord>;
};

const connected = async <T>(options: MongoGenerationsOptions, work: (place: Place) => Promise<T>): Promise<T> => {
  const { url } = options;
  const registry = `osmium.${kindPrefix(options)}`;
  const { client, readConcern } = await connectMongo({
    url,
    appName: 'osmium generations',
    connectionsMax: 1,
    operationMillisMax: operationMillisDefault,
  });
  try {
    const [database, reading] = [client.db(databaseIn(url)), { readConcern }];
    const place: Place = {
      database,
      generations: database.collection<GenerationRecord>(`${registry}generations`, reading),
      serving: database.collection<ServingRecord>(`${registry}serving`, reading),
      layouts: database.collection<LayoutRecord>(`${registry}layout`, reading),
    };
    const layout = (await place.layouts.findOne({ _id: layoutId }))?.layout;
    if (layout !== undefined && layout !== generationLayout) throw new NewerLayout(place.layouts.namespace, layout);
    return await work(place);
  } finally {
    await client.close();
  }
};

const layoutId = 'generations';

const layOut = ({ layouts }: Place): Promise<unknown> =>
  unlessDuplicate(
    layouts.updateOne({ _id: layoutId }, { $setOnInsert: { layout: generationLayout } }, { upsert: true }),
  );

const isEntered = async ({ generations }: Place, { name, types }: Generation): Promise<boolean> =>
  (await unlessDuplicate(generations.insertOne({ _id: name, types }))) !== undefined;

const unlessDuplicate = async <T>(written: Promise<T>): Promise<T | undefined> => {
  try {
    return await written;
  } catch (error) {
    if (isDuplicateKey(error)) return undefined;
    throw error;
  }
};

const listIn = async (generations: Collection<GenerationRecord>): Promise<readonly Generation[]> =>
  inOrder(
    (await generations.find().toArray()).flatMap(({ _id, types }) => {
      const generation = generationNamed(_id, types);
      return generation === undefined ? [] : [generation];
    }),
  );

const checkpoints = 'osmium.checkpoints';

/** Checkpoints first: documents without them count as not there. */
const dropBehind = async (database: Db, prefix: string): Promise<void> => {
  const found = await database.listCollections({}, { nameOnly: true }).toArray();
  const names = found.map(({ name }) => name).filter((name) => name.startsWith(prefix));
  const first = names.filter((name) => name === `${prefix}${checkpoints}`);
  for (const name of [...first, ...names.filter((one) => !first.includes(one))]) {
    await database.collection(name).drop();
  }
};

const formerRegistry = 'osmium.collections';

/** The registry comes last, so that a drop that was cut short can be done again. */
const dropFormer = async (database: Db): Promise<void> => {
  const registered = await database.collection<{ readonly _id: string }>(formerRegistry).find().toArray();
  const there = new Set((await database.listCollections({}, { nameOnly: true }).toArray()).map(({ name }) => name));
  const names = [checkpoints, 'osmium.owner', ...registered.map(({ _id }) => _id), formerRegistry];
  for (const name of names) if (there.has(name)) await database.collection(name).drop();
};
