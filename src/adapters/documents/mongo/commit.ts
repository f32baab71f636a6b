import type { AnyBulkWriteOperation } from 'mongodb';
import type { Checkpoint, DocumentWrite } from '../../../kernel/ports/documentStore.js';
import { isDuplicateKey } from '../../mongo/connection.js';
import { driver } from '../../mongo/driver.js';
import { beforeAll } from '../../../kernel/event.js';
import { pause } from '../../../kernel/timing.js';
import { checkFences, writeCheckpoints } from './checkpoints.js';
import { recordsOf, type Reading } from './reads.js';
import { draftOf, furtherRecord, idText, type RecordDraft, type StoredRecord } from './records.js';
import { roundsMax, WrittenMeanwhile } from './rounds.js';
import type { OpenCollection, Opened } from './schema.js';

/** The writes of a commit, collection by collection; every one of them can be stored. */
export type Prepared = {
  readonly drafts: ReadonlyMap<OpenCollection, readonly RecordDraft[]>;
  readonly checkpoints: readonly Checkpoint[];
};

/** Throws when something of it cannot be stored; nothing is written then. */
export const prepared = (
  { collections }: Opened,
  writes: readonly DocumentWrite[],
  checkpoints: readonly Checkpoint[],
): Prepared => {
  const newest = new Map<OpenCollection, Map<string, DocumentWrite>>();
  for (const write of writes) {
    const collection = collections.get(write.collection);
    if (collection === undefined) throw new Error(`the collection ${write.collection} was not opened`);
    checkIndexes(collection, write);
    let byKey = newest.get(collection);
    if (byKey === undefined) newest.set(collection, (byKey = new Map<string, DocumentWrite>()));
    const other = byKey.get(write.key);
    if (other === undefined || write.position > other.position) byKey.set(write.key, write);
  }
  const drafts = new Map([...newest].map(([collection, byKey]) => [collection, [...byKey.values()].map(draftOf)]));
  return { drafts, checkpoints };
};

/**
 * With transactions a commit is all or nothing. Without them documents come first and checkpoints last, so a write that
 * a crash leaves undone is done when its event comes again, and a write that was done is left out by its position.
 */
export const commit = async (opened: Opened, work: Prepared, reading: Reading): Promise<void> => {
  const isOneWrite = work.drafts.size === 0 && work.checkpoints.length <= 1;
  if (isOneWrite || !opened.replicated) {
    await writeAll(opened, work, reading);
    return;
  }
  for (let round = 1; ; round += 1) {
    try {
      await commitAtOnce(opened, work, reading);
      return;
    } catch (error) {
      // A retry is right whether the commit came to pass or not, because a write that was done is left out by its
      // position.
      if (round >= transactionRoundsMax || !canBeDoneAgain(error)) throw error;
    }
    await pause(Math.random() * pauseMillisMax);
  }
};

/** The second of two commits is refused at once, while the first still waits for its majority. */
const transactionRoundsMax = 8;
const pauseMillisMax = 100;

const commitAtOnce = (opened: Opened, work: Prepared, reading: Reading): Promise<void> =>
  opened.client.withSession(async (session) => {
    session.startTransaction({ readConcern: { level: 'snapshot' }, maxCommitTimeMS: reading.maxTimeMS });
    try {
      await writeAll(opened, work, { ...reading, session });
      await session.commitTransaction();
    } catch (error) {
      if (session.inTransaction()) await session.abortTransaction();
      throw error;
    }
  });

/** A duplicate key is of a record that somebody else has made since the transaction began. */
const canBeDoneAgain = (error: unknown): boolean => {
  const { MongoError, MongoErrorLabel } = driver();
  if (isDuplicateKey(error)) return true;
  if (!(error instanceof MongoError)) return false;
  const labels = [MongoErrorLabel.TransientTransactionError, MongoErrorLabel.UnknownTransactionCommitResult];
  return labels.some((label) => error.hasErrorLabel(label));
};

const writeAll = async (opened: Opened, { drafts, checkpoints }: Prepared, reading: Reading): Promise<void> => {
  await checkFences(opened.checkpoints, checkpoints, reading);
  for (const [collection, some] of drafts) await writeDrafts({ collection, reading, limits: limitsOf(opened) }, some);
  await writeCheckpoints(opened.checkpoints, checkpoints, reading);
};

const writesPerCommandMax = 1_000;
/**
 * A server on its own may be one that keeps a reader open for each update of a command until its end, and stands still
 * when it has no more of them (FerretDB 1.24: 100).
 */
const writesPerCommandAloneMax = 20;

type Limits = { readonly writesPerCommand: number };
const limitsOf = ({ replicated }: Opened): Limits => ({
  writesPerCommand: replicated ? writesPerCommandMax : writesPerCommandAloneMax,
});

type Writing = { readonly collection: OpenCollection; readonly reading: Reading; readonly limits: Limits };

/** Until every draft is stored, or found to be stored already. */
const writeDrafts = async (writing: Writing, drafts: readonly RecordDraft[]): Promise<void> => {
  const { collection, reading } = writing;
  let rest = drafts;
  for (let round = 1; round <= roundsMax; round += 1) {
    const known = await recordsOf(
      collection,
      rest.map(({ key }) => key),
      { ...reading, fields: headFields },
    );
    rest = rest.filter(({ key, position }) => isNewer(known.get(idText(key)), position));
    if (rest.length === 0) return;
    const announced = await announcedHeads(writing, { drafts: rest, known });
    if (announced === undefined) continue;
    const further = await changedFurther(writing, { drafts: rest, known });
    const documents = { records: rest.map(({ record }) => record), known: announced };
    if ((await written(writing, further)) && (await written(writing, documents))) return;
  }
  throw new WrittenMeanwhile(collection.name);
};

const headFields = { _p: 1, _n: 1 } as const;
const entryFields = { _p: 1, _i: 1 } as const;

const isNewer = (known: StoredRecord | undefined, position: bigint): boolean =>
  known === undefined || known._p < position;

type Pending = { readonly drafts: readonly RecordDraft[]; readonly known: ReadonlyMap<string, StoredRecord> };

/**
 * Without a transaction a commit may end between the further records and their document, and what is committed next may
 * be a newer version that has fewer of them. So a document says how many there may be before there are: that is what
 * the next version empties. Undefined when somebody else has made one of the documents meanwhile.
 */
const announcedHeads = async (
  { collection, limits, reading }: Writing,
  { drafts, known }: Pending,
): Promise<Pending['known'] | undefined> => {
  if (reading.session !== undefined) return known;
  const growing = drafts.filter((draft) => growth(draft, known.get(idText(draft.key))).length > 0);
  const heads = new Map(known);
  const operations = growing.map((draft): Operation => {
    const head = known.get(idText(draft.key));
    if (head !== undefined) return announcement(draft, growth(draft, head));
    const first: StoredRecord = { _id: draft.key, _p: beforeAll, _n: Object.fromEntries(growth(draft, undefined)) };
    heads.set(idText(draft.key), first);
    return insertion(first);
  });
  return (await inSteps({ collection, limits, reading }, operations)) ? heads : undefined;
};

/** The indexes in which a document gets more keys than it is known to have had, each with how many. */
const growth = ({ record }: RecordDraft, known: StoredRecord | undefined): readonly (readonly [string, number])[] =>
  Object.entries(record._n ?? {}).filter(([index, count]) => count > (known?._n?.[index] ?? 1));

/** Records to be written, and what there is under their ids. */
type Written = { readonly records: readonly StoredRecord[]; readonly known: ReadonlyMap<string, StoredRecord> };

/**
 * The further records that are not yet as they should be. A record that only a former version needed is emptied, not
 * removed, so that its position stays.
 */
const changedFurther = async ({ collection, reading }: Writing, { drafts, known }: Pending): Promise<Written> => {
  const wanted = drafts.flatMap((draft) => furtherOf(draft, known.get(idText(draft.key))));
  if (wanted.length === 0) return { records: [], known };
  const there = await recordsOf(
    collection,
    wanted.map(({ _id }) => _id),
    { ...reading, fields: entryFields },
  );
  const records = wanted.filter((record) => {
    const found = there.get(idText(record._id));
    return isNewer(found, record._p) && (found === undefined || !sameEntry(found, record));
  });
  return { records, known: there };
};

const furtherOf = (draft: RecordDraft, known: StoredRecord | undefined): readonly StoredRecord[] => {
  const indexes = new Set([...Object.keys(draft.further), ...Object.keys(known?._n ?? {})]);
  return [...indexes].flatMap((index) => {
    const entries = draft.further[index] ?? [];
    const slots = Math.max(entries.length, (known?._n?.[index] ?? 1) - 1);
    return Array.from({ length: slots }, (_, at) => furtherRecord(draft, { index, slot: at + 1, entry: entries[at] }));
  });
};

const sameEntry = (a: StoredRecord, b: StoredRecord): boolean => {
  const [index] = Object.keys(a._i ?? b._i ?? {});
  return index === undefined || a._i?.[index] === b._i?.[index];
};

/** False when somebody else has written, or removed, some of them since they were looked at. */
const written = (writing: Writing, { records, known }: Written): Promise<boolean> => {
  const added = records.filter(({ _id }) => !known.has(idText(_id)));
  const replaced = records.filter(({ _id }) => known.has(idText(_id)));
  return inSteps(writing, [...added.map(insertion), ...replaced.map(replacement)]);
};

const inSteps = async (writing: Writing, operations: readonly Operation[]): Promise<boolean> => {
  const size = writing.limits.writesPerCommand;
  for (let at = 0; at < operations.length; at += size) {
    if (!(await writtenSome(writing, operations.slice(at, at + size)))) return false;
  }
  return true;
};

type Operation = AnyBulkWriteOperation<StoredRecord>;

const insertion = (record: StoredRecord): Operation => ({ insertOne: { document: record } });

const replacement = ({ _id, ...record }: StoredRecord): Operation => ({
  replaceOne: { filter: { _id, _p: { $lt: record._p } }, replacement: record },
});

/** It changes neither the document nor its position. */
const announcement = ({ key, position }: RecordDraft, counts: readonly (readonly [string, number])[]): Operation => ({
  updateOne: {
    filter: { _id: key, _p: { $lt: position } },
    update: { $max: Object.fromEntries(counts.map(([index, count]) => [`_n.${index}`, count])) },
  },
});

const writtenSome = async (
  { collection, reading: { session } }: Writing,
  operations: readonly Operation[],
): Promise<boolean> => {
  try {
    const options = session === undefined ? {} : { session };
    const result = await collection.records.bulkWrite(operations, { ordered: true, ...options });
    return result.insertedCount + result.matchedCount === operations.length;
  } catch (error) {
    // A transaction is over after any error.
    if (session === undefined && isDuplicateKey(error)) return false;
    throw error;
  }
};

const checkIndexes = ({ name, indexes }: OpenCollection, { indexKeys }: DocumentWrite): void => {
  const unknown = Object.keys(indexKeys).find((index) => !indexes.includes(index));
  if (unknown !== undefined) throw new Error(`the collection ${name} has no index ${unknown}`);
};
