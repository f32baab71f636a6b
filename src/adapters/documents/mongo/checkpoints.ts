import type { AnyBulkWriteOperation, Collection } from 'mongodb';
import { Fenced, type Checkpoint } from '../../../kernel/ports/documentStore.js';
import { isDuplicateKey } from '../../mongo/connection.js';
import type { Reading } from './reads.js';
import { roundsMax, WrittenMeanwhile } from './rounds.js';
import type { CheckpointRecord } from './schema.js';

type Checkpoints = Collection<CheckpointRecord>;

/** Throws `Fenced`. */
export const checkFences = async (
  records: Checkpoints,
  checkpoints: readonly Checkpoint[],
  reading: Reading,
): Promise<void> => {
  const fenced = checkpoints.filter(({ fence }) => fence !== undefined);
  if (fenced.length === 0) return;
  const ids = fenced.map(({ projection }) => projection);
  const found = await records.find({ _id: { $in: ids } }, reading).toArray();
  const fences = new Map(found.map(({ _id, _f }) => [_id, _f]));
  for (const { projection, fence = 0n } of fenced) {
    if ((fences.get(projection) ?? 0n) > fence) throw new Fenced(projection);
  }
};

/** Neither a position nor a fence ever goes back: an older attempt may arrive late. Throws `Fenced`. */
export const writeCheckpoints = async (
  records: Checkpoints,
  checkpoints: readonly Checkpoint[],
  reading: Reading,
): Promise<void> => {
  if (checkpoints.length === 0) return;
  const { session } = reading;
  for (let round = 1; round <= roundsMax; round += 1) {
    try {
      await records.bulkWrite(checkpoints.map(mark), session === undefined ? {} : { session });
      return;
    } catch (error) {
      // A transaction is over after any error.
      if (session !== undefined || !isDuplicateKey(error)) throw error;
    }
    // The record was there and not found by its fence, or somebody else made it at the same moment.
    await checkFences(records, checkpoints, reading);
  }
  throw new WrittenMeanwhile('checkpoints');
};

const mark = ({ projection, position, fence }: Checkpoint): AnyBulkWriteOperation<CheckpointRecord> => {
  if (fence === undefined) {
    return { updateOne: { filter: { _id: projection }, update: { $max: { _p: position } }, upsert: true } };
  }
  // Under a higher fence nothing is found, and what would be made instead has an `_id` that is taken.
  const filter = { _id: projection, _f: { $not: { $gt: fence } } };
  return { updateOne: { filter, update: { $max: { _p: position, _f: fence } }, upsert: true } };
};
