import { randomBytes } from 'node:crypto';
import { MongoClient, type Db } from 'mongodb';
import { databaseIn } from '../../src/adapters/mongo/connection.js';

/** Of the MongoDB to test on; empty when none is given. */
export const mongoUrl = process.env['MONGO_URL'] ?? '';

/** For the tests that are skipped then: how to start one. */
export const needsMongo = 'needs MONGO_URL; test/engines/ferretdb/run.sh COMMAND gives it a server of its own';

/** For the names of whatever one run makes, so that runs can share a server. */
export const freshName = (): string => `test_${randomBytes(4).toString('hex')}_`;

export const dropDatabase = (name: string): Promise<void> =>
  withMongo(async (client) => {
    await client.db(name).dropDatabase();
  });

/** Those of the URL's own database whose names begin so. */
export const dropCollections = (prefix: string): Promise<void> =>
  withMongo(async (client) => {
    for (const collection of await ownDatabase(client).collections()) {
      if (collection.collectionName.startsWith(prefix)) await collection.drop();
    }
  });

export const ownDatabase = (client: MongoClient): Db => client.db(databaseIn(mongoUrl));

export const withMongo = async <T>(work: (client: MongoClient) => Promise<T>): Promise<T> => {
  const client = new MongoClient(mongoUrl);
  try {
    return await work(client);
  } finally {
    await client.close();
  }
};
