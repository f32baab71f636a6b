import assert from 'node:assert/strict';
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

/**
 * The same servers, with another database in the path. Whoever signs in does so where the address says, which is the
 * database in its path unless it names another. By hand, because an address of several servers is none to Node.
 */
export const inDatabase = (url: string, database: string): string => {
  const { server, path, options } = partsOf(url);
  const signsIn = server.includes('@') && !options.has('authSource');
  if (signsIn) options.set('authSource', path === '' ? 'admin' : path);
  return addressOf({ server, path: database, options });
};

/** By way of something that stands before one of the servers. */
export const throughAddress = (url: string, address: string): string => {
  const { server, path, options } = partsOf(url);
  const account = server.slice(0, server.lastIndexOf('@') + 1);
  return addressOf({ server: `${account}${address}`, path, options });
};

/** Host and port of the one that takes writes. */
export const primaryOf = (url: string): Promise<{ readonly host: string; readonly port: number }> =>
  withMongo(async (client) => {
    const { primary } = await client.db('admin').command({ hello: 1 });
    // A server on its own does not say where it is, and there is no other.
    const { hostname, port } = new URL(`mongodb://${typeof primary === 'string' ? primary : partsOf(url).server}`);
    return { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port === '' ? '27017' : port) };
  }, url);

type Parts = { readonly server: string; readonly path: string; readonly options: URLSearchParams };

const partsOf = (url: string): Parts => {
  const [, server = '', path = '', options = ''] = /^mongodb:\/\/([^/?]+)\/?([^?]*)\??(.*)$/.exec(url) ?? [];
  assert.ok(server !== '', 'MONGO_URL must begin with mongodb://');
  return { server, path, options: new URLSearchParams(options) };
};

const addressOf = ({ server, path, options }: Parts): string => `mongodb://${server}/${path}?${options.toString()}`;

export const withMongo = async <T>(work: (client: MongoClient) => Promise<T>, url = mongoUrl): Promise<T> => {
  const client = new MongoClient(url);
  try {
    return await work(client);
  } finally {
    await client.close();
  }
};
