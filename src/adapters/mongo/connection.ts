import type { Db, MongoClient } from 'mongodb';
import { driver } from './driver.js';
import { letWritesEnd } from './driverInside.js';

export type MongoNeeds = {
  /** `mongodb://…` or `mongodb+srv://…`, with user, password, CA file and any other option of the driver. */
  readonly url: string;
  /** The name of the connections in the server's own lists. */
  readonly appName: string;
  readonly connectionsMax: number;
  /** How long the server is waited for: for one to write to, for a connection, for an answer. */
  readonly operationMillisMax: number;
};

export type MongoConnection = {
  readonly client: MongoClient;
  /**
   * Whether it is a replica set, or a router before several: there are transactions, a lost answer to a write can be
   * asked for again, and a majority. Otherwise it is a server on its own, or one that is not MongoDB.
   */
  readonly replicated: boolean;
  /**
   * A document that was read must not be rolled back when the primary changes. A server on its own has no majority to
   * ask.
   */
  readonly readConcern: { readonly level: 'majority' | 'local' };
};

/**
 * Reads and writes at the primary; a write is there once a majority has it on disk. Rejects when no server that can
 * be written to is found in time, and leaves no connection behind then. A lost connection is made again by itself.
 */
export const connectMongo = async (needs: MongoNeeds): Promise<MongoConnection> => {
  letWritesEnd();
  const client = clientOf(needs);
  try {
    await client.connect();
    const replicated = await isReplicated(client.db('admin'));
    return { client, replicated, readConcern: { level: replicated ? 'majority' : 'local' } };
  } catch (error) {
    await client.close();
    throw error;
  }
};

const clientOf = ({ url, appName, connectionsMax, operationMillisMax }: MongoNeeds): MongoClient =>
  new (driver().MongoClient)(url, {
    appName,
    maxPoolSize: connectionsMax,
    serverSelectionTimeoutMS: operationMillisMax,
    connectTimeoutMS: operationMillisMax,
    waitQueueTimeoutMS: operationMillisMax,
    socketTimeoutMS: operationMillisMax,
    readPreference: 'primary',
    retryReads: true,
    retryWrites: true,
    // The journal goes without saying on a replica set; a server on its own would answer before it is written.
    writeConcern: { w: 'majority', journal: true, wtimeoutMS: operationMillisMax },
  });

const isReplicated = async (admin: Db): Promise<boolean> => {
  const hello = await admin.command({ hello: 1 });
  return typeof hello['setName'] === 'string' || hello['msg'] === 'isdbgrid';
};

/** The database that the path of the URL names. By hand, because a URL with several hosts is none to Node. */
export const databaseIn = (url: string): string => {
  const name = /^mongodb(?:\+srv)?:\/\/[^/?]+\/([^?]+)/.exec(url)?.[1];
  return name === undefined ? 'osmium' : decodeURIComponent(name);
};

export const isDuplicateKey = (error: unknown): boolean =>
  error instanceof driver().MongoServerError && error.code === duplicateKey;
const duplicateKey = 11_000;
