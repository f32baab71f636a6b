import { randomUUID } from 'node:crypto';
import type { Collection, MongoClient } from 'mongodb';
import type { Millis } from '../../kernel/ids.js';
import type { IdMark, Leases, Timers } from '../../kernel/ports/leases.js';
import { connectMongo, databaseIn, isDuplicateKey } from '../mongo/connection.js';
import { recordedLeases, type LeaseRecord, type LeaseRecords } from './recorded.js';

export type MongoLeasesOptions = {
  /** `mongodb://…` or `mongodb+srv://…`. Its path names the database; without one it is `osmium`. */
  readonly url: string;
  readonly timers: Pick<Timers, 'now'>;
  /** Stands before the name of the collection. */
  readonly prefix?: string;
};

/** How long the server is waited for: short enough that a renewal can be tried again before the lease is too old. */
export const operationMillisMax = 1_500;
const connectionsMax = 4;

type StoredLease = Omit<LeaseRecord, 'name'> & { readonly _id: string };
type StoredMark = { readonly _id: string; readonly millis: bigint };

/** The one record in the collection of marks. */
const markName = 'ids';

/** Leases in one small collection of MongoDB, and the mark of ids in another. Rejects when the server cannot be reached. */
export const mongoLeases = async ({ url, timers, prefix = '' }: MongoLeasesOptions): Promise<Leases> => {
  const { client, readConcern } = await connectMongo({
    url,
    appName: 'osmium leases',
    connectionsMax,
    operationMillisMax,
  });
  const [database, options] = [client.db(databaseIn(url)), { readConcern, useBigInt64: true }];
  const leases = database.collection<StoredLease>(`${prefix}osmium.leases`, options);
  const marks = database.collection<StoredMark>(`${prefix}osmium.marks`, options);
  const records = { ...recordsIn(client, leases), mark: markIn(marks) };
  return recordedLeases({ records, timers, holder: randomUUID() });
};

const markIn = (collection: Collection<StoredMark>): IdMark => {
  const raise = async (to: Millis): Promise<void> => {
    await collection.updateOne({ _id: markName }, { $max: { millis: BigInt(to) } }, { upsert: true });
  };
  return {
    read: async () => {
      const stored = await collection.findOne({ _id: markName });
      return stored === null ? undefined : (Number(stored.millis) as Millis);
    },
    // Two nodes that make the record at once: the second finds it the next time.
    raise: (to) =>
      raise(to).catch((error: unknown) => {
        if (isDuplicateKey(error)) return raise(to);
        throw error;
      }),
  };
};

const recordsIn = (client: MongoClient, collection: Collection<StoredLease>): Omit<LeaseRecords, 'mark'> => ({
  read: async (name) => recordOf(await collection.findOne({ _id: name })),
  begin: async ({ name, ...rest }) => {
    try {
      await collection.insertOne({ _id: name, ...rest });
      return true;
    } catch (error) {
      if (isDuplicateKey(error)) return false;
      throw error;
    }
  },
  change: async ({ name, fence, counter }, change) => {
    const filter = { _id: name, fence, ...(counter === undefined ? {} : { counter }) };
    const raised = { $inc: { counter: 1n } };
    // An empty `$set` is refused.
    const update = Object.keys(change).length === 0 ? raised : { ...raised, $set: change };
    return recordOf(await collection.findOneAndUpdate(filter, update, { returnDocument: 'after' }));
  },
  time: async () => {
    const { localTime } = await client.db('admin').command({ hello: 1 });
    if (!(localTime instanceof Date)) throw new Error('the store of leases does not say what time it is');
    return localTime.getTime() as Millis;
  },
  close: () => client.close(),
});

const recordOf = (stored: StoredLease | null): LeaseRecord | undefined => {
  if (stored === null) return undefined;
  const { _id: name, fence, counter, holder, note } = stored;
  return { name, fence, counter, holder, note };
};
