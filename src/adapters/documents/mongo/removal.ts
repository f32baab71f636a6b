import { removalsPerCommitMax } from '../../../kernel/ports/documentStore.js';
import { idsPerQueryMax, prefixFilter, type Reading } from './reads.js';
import { furtherRecord, type StoredRecord } from './records.js';
import type { OpenCollection } from './schema.js';

/**
 * Further records first: when this ends too soon, the document that says how many there are is still there, and the next
 * call finds them.
 */
export const removePrefix = async (
  { records }: OpenCollection,
  prefix: string,
  { maxTimeMS }: Reading,
): Promise<number> => {
  if (prefix === '') throw new Error('an empty prefix would remove the whole collection');
  const options = { sort: { _id: 1 }, limit: removalsPerCommitMax, projection: { _n: 1 }, maxTimeMS } as const;
  const found = await records.find(prefixFilter(prefix), options).toArray();
  const ids = found.map(({ _id }) => _id);
  for (const some of inSteps([...found.flatMap(furtherIds), ...ids])) {
    await records.deleteMany({ _id: { $in: some } }, { maxTimeMS });
  }
  return found.length;
};

export const forget = async (
  { records }: OpenCollection,
  keys: readonly string[],
  { maxTimeMS }: Reading,
): Promise<void> => {
  for (const some of inSteps(keys)) {
    await records.deleteMany({ _id: { $in: some }, d: { $exists: false } }, { maxTimeMS });
  }
};

type Ids = readonly StoredRecord['_id'][];

const furtherIds = ({ _id, _n = {} }: StoredRecord): Ids => {
  const place = { key: _id.toString(), position: 0n };
  return Object.entries(_n).flatMap(([index, count]) =>
    Array.from({ length: count - 1 }, (_, at) => furtherRecord(place, { index, slot: at + 1, entry: undefined })._id),
  );
};

function* inSteps(ids: Ids): Generator<Ids> {
  for (let at = 0; at < ids.length; at += idsPerQueryMax) yield ids.slice(at, at + idsPerQueryMax);
}
