import type { Binary, ClientSession, Filter } from 'mongodb';
import type { AbsentDocument, IndexRange, KeyScan, StoredDocument } from '../../../kernel/ports/documentStore.js';
import { driver } from '../../mongo/driver.js';
import { documentOf, entryBounds, idText, pastPrefix, type StoredRecord } from './records.js';
import { entryField, type OpenCollection } from './schema.js';

/** How many records one query names at most. */
export const idsPerQueryMax = 1_000;

/** How a read is bounded in time on the server. */
export type Reading = { readonly maxTimeMS: number; readonly session?: ClientSession };

/** The records with these ids, in any order and under `idText` of their id; of each only `fields` when there are any. */
export const recordsOf = async (
  { records }: OpenCollection,
  ids: readonly (string | Binary)[],
  { fields, ...reading }: Reading & { readonly fields?: Readonly<Record<string, 1>> },
): Promise<ReadonlyMap<string, StoredRecord>> => {
  const found = new Map<string, StoredRecord>();
  const options = fields === undefined ? reading : { ...reading, projection: fields };
  for (let at = 0; at < ids.length; at += idsPerQueryMax) {
    const some = ids.slice(at, at + idsPerQueryMax);
    const [first] = some;
    const filter: Filter<StoredRecord> =
      some.length === 1 && first !== undefined ? { _id: first } : { _id: { $in: some } };
    for (const record of await records.find(filter, options).toArray()) found.set(idText(record._id), record);
  }
  return found;
};

export const getMany = async (
  collection: OpenCollection,
  keys: readonly string[],
  reading: Reading,
): Promise<readonly (StoredDocument | AbsentDocument)[]> => {
  const found = await recordsOf(collection, [...new Set(keys)], reading);
  return keys.map((key) => documentOf(key, found.get(idText(key))));
};

export const rangeOf = async (
  collection: OpenCollection,
  range: IndexRange,
  reading: Reading,
): Promise<readonly StoredDocument[]> => {
  const bounds = entryBounds(range);
  const found: StoredDocument[] = [];
  let past: string | undefined;
  while (found.length < range.limit) {
    const limit = range.limit - found.length;
    const page = await entriesIn(collection, { ...range, ...bounds, past, limit }, reading);
    found.push(...(await documentsOf(collection, { index: range.index, page }, reading)));
    past = page.at(-1)?._i?.[range.index];
    // A full page may have had records that belong to no document any more: then there is room for others.
    if (page.length < limit || past === undefined) break;
  }
  return found;
};

/** The filter that decides on the plan of a range; every kind of range is one interval of one index, in its order. */
export const rangeFilter = (index: string, { low, high, past, order }: Stretch): Filter<StoredRecord> => {
  const from = past === undefined || order === 'descending' ? { $gte: low } : { $gt: past };
  const to = past === undefined || order === 'ascending' ? { $lt: high } : { $lt: past };
  return { [entryField(index)]: { ...from, ...to } };
};

export const countOf = async (
  { records }: OpenCollection,
  range: IndexRange,
  { maxTimeMS }: Reading,
): Promise<number> => {
  if (range.limit <= 0) return 0;
  const filter = rangeFilter(range.index, { ...entryBounds(range), order: 'ascending' });
  return records.countDocuments(filter, { limit: range.limit, hint: range.index, maxTimeMS });
};

export const scanOf = async (
  { records }: OpenCollection,
  scan: KeyScan,
  { maxTimeMS }: Reading,
): Promise<readonly StoredDocument[]> => {
  if (scan.limit <= 0) return [];
  const found = await records.find(scanFilter(scan), { sort: { _id: 1 }, limit: scan.limit, maxTimeMS }).toArray();
  return found.map((record) => documentOf(keyOf(record), record)).filter(isPresent);
};

/** All documents with such keys, removed ones among them; no further records, whose ids are binary. */
export const prefixFilter = (prefix: string): Filter<StoredRecord> => {
  const past = pastPrefix(prefix);
  return past === undefined ? { _id: { $gte: prefix } } : { _id: { $gte: prefix, $lt: past } };
};

export const scanFilter = ({ prefix, after, before }: KeyScan): Filter<StoredRecord> => {
  const conditions: Filter<StoredRecord>[] = [prefixFilter(prefix), { d: { $exists: true } }];
  if (after !== undefined) conditions.push({ _id: { $gt: after } });
  if (before !== undefined) conditions.push({ _id: { $lt: before } });
  return { $and: conditions };
};

type Stretch = {
  readonly low: string;
  readonly high: string;
  /** Where the page before ended. */
  readonly past?: string | undefined;
  readonly order: IndexRange['order'];
};

const entriesIn = async (
  { records }: OpenCollection,
  { index, limit, bytesMax, ...stretch }: Stretch & Pick<IndexRange, 'index' | 'limit' | 'bytesMax'>,
  { maxTimeMS }: Reading,
): Promise<readonly StoredRecord[]> => {
  const sort = { [entryField(index)]: stretch.order === 'ascending' ? 1 : -1 } as const;
  const found = records.find(rangeFilter(index, stretch), { sort, limit, hint: index, maxTimeMS });
  if (bytesMax === undefined) return found.toArray();
  const page: StoredRecord[] = [];
  let bytes = 0;
  for await (const record of found) {
    page.push(record);
    bytes += driver().BSON.calculateObjectSize(record);
    if (bytes > bytesMax) break;
  }
  return page;
};

type Page = { readonly index: string; readonly page: readonly StoredRecord[] };

/** Further records are read again along with their documents: only then is it known that both belong together. */
const documentsOf = async (
  collection: OpenCollection,
  { index, page }: Page,
  reading: Reading,
): Promise<readonly StoredDocument[]> => {
  const ids = new Map<string, string | Binary>();
  for (const { _id, _of } of page) {
    if (_of !== undefined) ids.set(idText(_id), _id).set(idText(_of), _of);
  }
  const again = ids.size === 0 ? noRecords : await recordsOf(collection, [...ids.values()], reading);
  return page
    .map((record) => {
      if (record._of === undefined) return documentOf(keyOf(record), record);
      const owner = again.get(idText(record._of));
      return documentOf(
        record._of,
        belongs(again.get(idText(record._id)), record, { index, owner }) ? owner : undefined,
      );
    })
    .filter(isPresent);
};

const noRecords: ReadonlyMap<string, StoredRecord> = new Map();

/** Further records are written before their document, so they may be ahead of it, but never behind. */
const belongs = (
  now: StoredRecord | undefined,
  then: StoredRecord,
  { index, owner }: { readonly index: string; readonly owner: StoredRecord | undefined },
): boolean => now !== undefined && owner !== undefined && now._p <= owner._p && now._i?.[index] === then._i?.[index];

const keyOf = ({ _id, _of }: StoredRecord): string => (typeof _id === 'string' ? _id : (_of ?? ''));

const isPresent = (found: StoredDocument | AbsentDocument): found is StoredDocument => found.document !== undefined;
