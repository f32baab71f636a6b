import { beforeAll } from '../../kernel/event.js';
import {
  Fenced,
  removalsPerCommitMax,
  type AbsentDocument,
  type Checkpoint,
  type CollectionSpec,
  type DocumentsOwner,
  type DocumentStore,
  type DocumentWrite,
  type IndexKey,
  type IndexRange,
  type KeyScan,
  type Plain,
  type StoredDocument,
} from '../../kernel/ports/documentStore.js';
import { plainBytes } from '../../kernel/plainBytes.js';
import { mentions } from './mentions.js';
import { compareElements, compareKeys, compareText, inRange } from './order.js';

type Entry = { readonly indexKey: IndexKey; readonly key: string };
type Held = StoredDocument & { readonly indexKeys: DocumentWrite['indexKeys'] };
type Collection = {
  readonly indexes: readonly string[];
  readonly held: Map<string, Held | AbsentDocument>;
  /** The entries of each index in order; made anew on the first read after a write. */
  readonly sorted: Map<string, readonly Entry[]>;
};

/** The reference store: everything in memory, nothing kept. Documents are frozen: a fold that changes one in place throws. */
export const memoryDocuments = (): DocumentStore => {
  const collections = new Map<string, Collection>();
  const checkpoints = new Map<string, Mark>();
  const collectionOf = (name: string): Collection => {
    const collection = collections.get(name);
    if (collection === undefined) throw new Error(`the collection ${name} was not opened`);
    return collection;
  };
  const get = (name: string, key: string): StoredDocument | AbsentDocument =>
    storedOf(collectionOf(name).held.get(key)) ?? { key, position: beforeAll };
  let deployment: string | undefined;
  return {
    owner: () => settled(() => ownerOf(deployment, [...checkpoints.values()])),
    collections: () => settled(() => [...collections].map(([name, { indexes }]) => ({ name, indexes }))),
    belongTo: (name) =>
      settled(() => {
        deployment = name;
      }),
    open: (specs) => settled(() => reopen({ collections, checkpoints }, specs)),
    get: (name, key) => settled(() => get(name, key)),
    getMany: (name, keys) => settled(() => keys.map((key) => get(name, key))),
    range: (range) => settled(() => rangeOf(collectionOf(range.collection), range)),
    count: (range) => settled(() => entriesOf(collectionOf(range.collection), range).length),
    scan: (scan) => settled(() => scanOf(collectionOf(scan.collection), scan)),
    commit: (writes, marks) =>
      settled(() => {
        for (const write of writes) checkIndexes(collectionOf(write.collection), write);
        for (const checkpoint of marks) checkFence(checkpoints.get(checkpoint.projection), checkpoint);
        for (const write of writes) apply(collectionOf(write.collection), write);
        mark(checkpoints, marks);
      }),
    removePrefix: (name, prefix) => settled(() => removePrefix(collectionOf(name), prefix)),
    forget: (name, keys) =>
      settled(() => {
        const { held } = collectionOf(name);
        for (const key of keys) if (held.get(key)?.document === undefined) held.delete(key);
      }),
    checkpoint: (projection) => settled(() => checkpoints.get(projection)?.position ?? beforeAll),
    close: () => settled(() => undefined),
  };
};

const ownerOf = (deployment: string | undefined, marks: readonly Mark[]): DocumentsOwner => {
  if (deployment !== undefined) return { status: 'named', deployment };
  return { status: marks.some(({ position }) => position > beforeAll) ? 'unnamed' : 'empty' };
};

/** Never throws at once: the port's methods reject. */
const settled = <T>(work: () => T): Promise<T> =>
  new Promise((resolve) => {
    resolve(work());
  });

type Contents = { readonly collections: Map<string, Collection>; readonly checkpoints: Map<string, Mark> };

const reopen = ({ collections, checkpoints }: Contents, specs: readonly CollectionSpec[]): void => {
  const named = new Set(specs.map(({ name }) => name));
  for (const name of collections.keys()) {
    if (named.has(name)) continue;
    collections.delete(name);
    for (const projection of checkpoints.keys()) if (mentions(projection, name)) checkpoints.delete(projection);
  }
  for (const { name, indexes } of specs) {
    if (!collections.has(name)) collections.set(name, { indexes, held: new Map(), sorted: new Map() });
  }
};

const storedOf = (held: Held | AbsentDocument | undefined): StoredDocument | AbsentDocument | undefined =>
  held?.document === undefined ? held : { key: held.key, document: held.document, position: held.position };

const checkIndexes = (collection: Collection, { collection: name, indexKeys }: DocumentWrite): void => {
  const unknown = Object.keys(indexKeys).find((index) => !collection.indexes.includes(index));
  if (unknown !== undefined) throw new Error(`the collection ${name} has no index ${unknown}`);
};

const apply = (collection: Collection, { key, document, position, indexKeys }: DocumentWrite): void => {
  const former = collection.held.get(key);
  if (former !== undefined && position <= former.position) return;
  collection.sorted.clear();
  collection.held.set(
    key,
    document === undefined
      ? { key, position }
      : { key, document: frozen(structuredClone(document)), position, indexKeys },
  );
};

const frozen = <T extends Plain | undefined>(value: T): T => {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
  for (const inner of Object.values(value)) frozen(inner);
  return Object.freeze(value);
};

const removePrefix = ({ held, sorted }: Collection, prefix: string): number => {
  if (prefix === '') throw new Error('an empty prefix would remove the whole collection');
  const keys = [...held.keys()].filter((key) => key.startsWith(prefix)).sort(compareText);
  const removed = keys.slice(0, removalsPerCommitMax);
  for (const key of removed) held.delete(key);
  sorted.clear();
  return removed.length;
};

type Mark = Pick<Checkpoint, 'position' | 'fence'>;

const checkFence = (former: Mark | undefined, { projection, fence }: Checkpoint): void => {
  if (fence !== undefined && former?.fence !== undefined && former.fence > fence) throw new Fenced(projection);
};

const mark = (checkpoints: Map<string, Mark>, marks: readonly Checkpoint[]): void => {
  for (const { projection, ...next } of marks) {
    const former = checkpoints.get(projection);
    const stays = next.fence !== undefined && former !== undefined && former.position > next.position;
    checkpoints.set(projection, { ...former, ...next, ...(stays ? { position: former.position } : {}) });
  }
};

const rangeOf = (collection: Collection, range: IndexRange): readonly StoredDocument[] =>
  withinBytes(allIn(collection, range), range.bytesMax);

const withinBytes = (
  found: readonly StoredDocument[],
  bytesMax = Number.POSITIVE_INFINITY,
): readonly StoredDocument[] => {
  let bytes = 0;
  const last = found.findIndex(({ document }) => (bytes += plainBytes(document)) > bytesMax);
  return last === -1 ? found : found.slice(0, last + 1);
};

const allIn = (collection: Collection, range: IndexRange): readonly StoredDocument[] =>
  entriesOf(collection, range).flatMap(({ key }) => {
    const stored = storedOf(collection.held.get(key));
    return stored?.document === undefined ? [] : [stored];
  });

const entriesOf = (collection: Collection, range: IndexRange): readonly Entry[] => {
  const entries = sortedEntries(collection, range).filter(({ indexKey }) => inRange(indexKey, range));
  return (range.order === 'ascending' ? entries : entries.reverse()).slice(0, range.limit);
};

const sortedEntries = (collection: Collection, { collection: name, index }: IndexRange): readonly Entry[] => {
  if (!collection.indexes.includes(index)) throw new Error(`the collection ${name} has no index ${index}`);
  const known = collection.sorted.get(index);
  if (known !== undefined) return known;
  const entries = [...collection.held.values()].flatMap((held) => {
    if (held.document === undefined) return [];
    const keys = [...(held.indexKeys[index] ?? [])].sort(compareKeys);
    const distinct = keys.filter((key, at) => at === 0 || compareKeys(key, keys[at - 1] ?? []) !== 0);
    return distinct.map((indexKey) => ({ indexKey, key: held.key }));
  });
  entries.sort((a, b) => compareKeys(a.indexKey, b.indexKey) || compareElements(a.key, b.key));
  collection.sorted.set(index, entries);
  return entries;
};

const scanOf = (collection: Collection, { prefix, after, before, limit }: KeyScan): readonly StoredDocument[] =>
  [...collection.held.keys()]
    .filter((key) => key.startsWith(prefix))
    .filter((key) => after === undefined || compareText(key, after) > 0)
    .filter((key) => before === undefined || compareText(key, before) < 0)
    .sort(compareText)
    .flatMap((key) => {
      const stored = storedOf(collection.held.get(key));
      return stored?.document === undefined ? [] : [stored];
    })
    .slice(0, limit);
