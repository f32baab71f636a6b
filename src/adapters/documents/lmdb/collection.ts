import type { Database, RootDatabase } from 'lmdb';
import { beforeAll } from '../../../kernel/event.js';
import type {
  AbsentDocument,
  CollectionSpec,
  DocumentWrite,
  IndexRange,
  KeyScan,
  StoredDocument,
} from '../../../kernel/ports/documentStore.js';
import { boundsOf, type Bounds, type KeyWriter } from '../indexKeys.js';
import { mentions } from '../mentions.js';
import type { Meta } from './meta.js';
import {
  decoded,
  encoded,
  entryOf,
  headList,
  headsIn,
  keptKey,
  keyOf,
  keyOfEntry,
  nothing,
  numberOf,
  removed,
  removedBytes,
  type Encoding,
  type IndexNumbers,
} from './records.js';
import { shapedPacking, type LearntShapes, type Packing, type Writers } from './shapes.js';

/** The two tables of one type of document: see lmdbRecords.ts. */
export type Collection = {
  readonly read: (key: string) => StoredDocument | AbsentDocument;
  readonly range: (range: IndexRange) => readonly StoredDocument[];
  readonly count: (range: IndexRange) => number;
  readonly scan: (scan: KeyScan) => readonly StoredDocument[];
  /** Adds what the write takes to `operations`: nothing, when the stored document is as new. */
  readonly prepare: (write: DocumentWrite, writer: KeyWriter, operations: Operation[]) => void;
  /** Adds what it takes to remove the first `limit` keys that start with `prefix`; answers how many there are of these. */
  readonly prepareRemovals: (
    range: Pick<KeyScan, 'prefix' | 'limit'>,
    writer: KeyWriter,
    operations: Operation[],
  ) => number;
  /** Adds what it takes to remove the position of a removed document: nothing, when there is a document or none was. */
  readonly prepareForgetting: (key: string, writer: KeyWriter, operations: Operation[]) => void;
  readonly shapes: () => LearntShapes;
};

export type Table = Database<Buffer, Buffer>;
export type Operation = { readonly table: Table; readonly key: Buffer; readonly value?: Buffer };

const tablesOf = (environment: RootDatabase, name: string): { readonly documents: Table; readonly entries: Table } => ({
  documents: environment.openDB({ name: `documents ${name}`, encoding: 'binary', keyEncoding: 'binary' }),
  entries: environment.openDB({ name: `entries ${name}`, encoding: 'binary', keyEncoding: 'binary' }),
});

const checkpointPrefix = 'checkpoint ';

export const dropCollection = async (environment: RootDatabase, meta: Meta, name: string): Promise<void> => {
  const { documents, entries } = tablesOf(environment, name);
  await documents.drop();
  await entries.drop();
  await meta.remove(`shapes ${name}`);
  const projections = [...meta.getKeys({ start: checkpointPrefix, end: `${checkpointPrefix}\uffff` })].map((key) =>
    key.slice(checkpointPrefix.length),
  );
  for (const projection of projections) {
    if (mentions(projection, name)) await meta.remove(checkpointPrefix + projection);
  }
  // Last, so that a drop that was cut short is done again.
  await meta.remove(`collection ${name}`);
};

export type CollectionPlace = { readonly environment: RootDatabase; readonly meta: Meta; readonly writers: Writers };

export const openCollection = ({ environment, meta, writers }: CollectionPlace, spec: CollectionSpec): Collection => {
  const indexes = numberedIndexes(meta, spec);
  const tables = tablesOf(environment, spec.name);
  const packr = shapedPacking({ environment, meta, key: `shapes ${spec.name}` }, writers);
  const read = (key: string): StoredDocument | AbsentDocument => {
    const stored = tables.documents.getBinaryFast(keyOf(key));
    return stored === undefined ? { key, position: beforeAll } : decoded(packr, key, stored);
  };
  return {
    read,
    shapes: packr.learnt,
    range: (range) => rangeOf({ packr, ...tables }, range, boundsIn(indexes, range)),
    count: (range) => countOf(tables.entries, range.limit, boundsIn(indexes, range)),
    scan: (scan) => scanOf(tables.documents, packr, scan),
    prepare: (write, writer, operations) => {
      prepare({ indexes, packr, writer, operations, ...tables }, write);
    },
    prepareRemovals: (range, writer, operations) => prepareRemovals({ writer, operations, ...tables }, range),
    prepareForgetting: (key, writer, operations) => {
      const scratchKey = keyOf(key);
      if (tables.documents.getBinaryFast(scratchKey)?.length !== removedBytes) return;
      operations.push({ table: tables.documents, key: keptKey(writer, scratchKey) });
    },
  };
};

/** The number of an index is for ever, also when the order of the indexes changes. */
const numberedIndexes = (meta: Meta, { name, indexes }: CollectionSpec): IndexNumbers => {
  const known = meta.get(`collection ${name}`) as readonly string[] | undefined;
  if (known === undefined) meta.putSync(`collection ${name}`, indexes);
  else if (known.length !== indexes.length || !known.every((index) => indexes.includes(index))) {
    // The entries of a new index would only exist for documents that are written from now on.
    throw new Error(`the indexes of ${name} have changed: raise the version of the document`);
  }
  return new Map((known ?? indexes).map((index, number) => [index, number]));
};

const boundsIn = (indexes: IndexNumbers, range: IndexRange): Bounds =>
  boundsOf({ prefix: Uint8Array.of(numberOf(indexes, range.collection, range.index)), ...range });

const rangeOf = (
  { entries, documents, packr }: { readonly entries: Table; readonly documents: Table; readonly packr: Packing },
  range: IndexRange,
  bounds: Bounds,
): readonly StoredDocument[] => {
  const { bytesMax = Number.POSITIVE_INFINITY } = range;
  const found: StoredDocument[] = [];
  let bytes = 0;
  for (const key of keysOf(entries, range, bounds)) {
    const value = documents.getBinaryFast(keyOf(key));
    const stored = value && decoded(packr, key, value);
    if (value === undefined || stored?.document === undefined) continue;
    bytes += value.length;
    found.push(stored);
    if (bytes > bytesMax) break;
  }
  return found;
};

const keysOf = (entries: Table, { order, limit }: IndexRange, { low, high }: Bounds): readonly string[] => {
  // Neither bound is a whole entry, so it does not matter which of them counts as inside.
  const bounds = order === 'ascending' ? { start: low, end: high } : { start: high, end: low, reverse: true };
  return Array.from(entries.getKeys({ limit, ...bounds }), keyOfEntry);
};

const countOf = (entries: Table, limit: number, { low, high }: Bounds): number => {
  if (limit <= 0) return 0;
  const bounds = { start: low, end: high };
  // LMDB counts to the end of the range: so first see whether that is near.
  if ([...entries.getKeys({ offset: limit - 1, limit: 1, ...bounds })].length > 0) return limit;
  return entries.getKeysCount(bounds);
};

const scanOf = (
  documents: Table,
  packr: Packing,
  { prefix, after, before, limit }: KeyScan,
): readonly StoredDocument[] => {
  const whole = prefixBounds(prefix);
  const past = after === undefined ? whole.start : Buffer.from(`${after}\0`);
  const end = before === undefined || before === '' ? whole.end : Buffer.from(before);
  const bounds = {
    start: Buffer.compare(past, whole.start) > 0 ? past : whole.start,
    end: Buffer.compare(end, whole.end) < 0 ? end : whole.end,
  };
  const found: StoredDocument[] = [];
  if (before === '' || Buffer.compare(bounds.start, bounds.end) >= 0) return found;
  for (const { key, value } of documents.getRange(bounds)) {
    if (found.length >= limit) break;
    const stored = decoded(packr, key.toString(), value);
    if (stored.document !== undefined) found.push(stored);
  }
  return found;
};

/** UTF-8 has no byte 0xff, and no key is empty. */
const prefixBounds = (prefix: string): { readonly start: Buffer; readonly end: Buffer } => ({
  start: prefix === '' ? Buffer.of(0) : Buffer.from(prefix),
  end: Buffer.concat([Buffer.from(prefix), Buffer.of(0xff)]),
});

type Preparing = Encoding & {
  readonly documents: Table;
  readonly entries: Table;
  readonly operations: Operation[];
};

const prepare = (preparing: Preparing, write: DocumentWrite): void => {
  const { documents, entries, writer, operations } = preparing;
  const key = keptKey(writer, keyOf(write.key));
  const stored = documents.getBinaryFast(key);
  if (stored !== undefined && write.position <= stored.readBigUInt64BE(0)) return;
  // A copy: its bytes are good until the next read, and to pack a document may read new shapes.
  const former = stored === undefined || stored.length === removedBytes ? nothing : Buffer.from(headsIn(stored));
  const value = write.document === undefined ? removed(writer, write) : encoded(preparing, write, write.document);
  operations.push({ table: documents, key, value });
  const heads = write.document === undefined ? nothing : headsIn(value);
  if (former.equals(heads)) return;
  if (former.length > 0) exchange(preparing, key, { former: headList(former), heads: headList(heads) });
  else {
    for (const head of headList(heads)) {
      operations.push({ table: entries, key: entryOf(writer, head, key), value: nothing });
    }
  }
};

const prepareRemovals = (
  { documents, entries, writer, operations }: Omit<Preparing, keyof Encoding> & Pick<Preparing, 'writer'>,
  { prefix, limit }: Pick<KeyScan, 'prefix' | 'limit'>,
): number => {
  let keys = 0;
  for (const { key: found, value } of documents.getRange({ limit, ...prefixBounds(prefix) })) {
    const key = keptKey(writer, found);
    const heads = value.length === removedBytes ? nothing : headsIn(value);
    for (const head of headList(heads)) operations.push({ table: entries, key: entryOf(writer, head, key) });
    operations.push({ table: documents, key });
    keys += 1;
  }
  return keys;
};

type Exchanged = { readonly former: readonly Buffer[]; readonly heads: readonly Buffer[] };

/** Takes out the entries that the document has no longer, puts in those that it did not have. */
const exchange = ({ entries, writer, operations }: Preparing, key: Buffer, { former, heads }: Exchanged): void => {
  const had = new Set(former.map(bytesAsText));
  const has = new Set(heads.map(bytesAsText));
  for (const head of former) {
    if (!has.has(bytesAsText(head))) operations.push({ table: entries, key: entryOf(writer, head, key) });
  }
  for (const head of heads) {
    if (!had.has(bytesAsText(head)))
      operations.push({ table: entries, key: entryOf(writer, head, key), value: nothing });
  }
};

const bytesAsText = (bytes: Buffer): string => bytes.toString('latin1');
