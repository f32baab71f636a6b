import { randomUUID } from 'node:crypto';
import type { Collection, MongoClient } from 'mongodb';
import type { Leases, Timers } from '../../kernel/ports/leases.js';
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

/** Leases in one small collection of MongoDB. Rejects when the server cannot be reached. */
export const mongoLeases = async ({ url, timers, prefix = '' }: MongoLeasesOptions): Promise<Leases> => {
  const { client, readConcern } = await connectMongo({
    url,
    appName: 'osmium leases',
    connectionsMax,
    operationMillisMax,
  });
  const collection = client
    .db(databaseIn(url))
    .collection<StoredLease>(`${prefix}osmium.leases`, { readConcern, useBigInt64: true });
  return recordedLeases({ records: recordsIn(client, collection), timers, holder: randomUUID() });
};

const recordsIn = (client: MongoClient, collection: Collection<StoredLease>): LeaseRecords => ({
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
  close: () => client.close(),
});

const recordOf = (stored: StoredLease | null): LeaseRecord | undefined => {
  if (stored === null) return undefined;
  const { _id: name, fence, counter, holder, note } = stored;
  return { name, fence, counter, holder, note };
};
