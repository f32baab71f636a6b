import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { startStandInProcess } from './eventStoreDb/process.js';
import { dropDatabase, inDatabase, mongoUrl } from './mongoServer.js';
import { testServer } from './server.js';
import { folderFor, serverProcess, type Cleanup, type ServerProcess } from './serverProcess.js';

/** A whole server to be tested, however many nodes it is made of. */
export interface Deployment {
  /** Where the next client connects: with several nodes it is each time another one. */
  readonly url: string;
  /** Of each node. */
  readonly urls: readonly string[];
  remove(): Promise<void>;
}

/** Servers in processes of their own, on one log, one store of read models, one vault and one Redis. */
export interface Nodes extends Deployment {
  readonly nodes: readonly Node[];
  /** What tells each of them where that is. Another node with the same shares it as well. */
  readonly environment: Environment;
  /** As an operator does it. Throws unless each of them ended well, or was killed, and had nothing to complain of. */
  stop(): Promise<void>;
}
export type Node = { readonly url: string; readonly process: ServerProcess };
export type Environment = Readonly<Record<string, string>>;

export const redisUrl = process.env['REDIS_URL'] ?? '';
const skip =
  'needs MONGO_URL and REDIS_URL; test/engines/ferretdb/run.sh and `node test/engines/redis/run.mjs` start both';

/** The same tests on one node with everything embedded, and on two that share their engines. */
export const onEachDeployment = (name: string, tests: (start: () => Promise<Deployment>) => void): void => {
  describe(name, () => {
    tests(async () => {
      const { url, remove } = await testServer();
      return { url, urls: [url], remove };
    });
  });
  onNodes(`${name} (two nodes)`, () => {
    tests(() => startNodes(2));
  });
};

/** Tests of several nodes; skipped by this name where there is nothing that they could share. */
export const onNodes = (name: string, tests: () => void): void => {
  if (mongoUrl === '' || redisUrl === '') it(name, { skip });
  else describe(name, tests);
};

/** Starts them at once. Of what they share, that is made which the environment does not name. */
export const startNodes = async (count: number, given: Environment = {}): Promise<Nodes> => {
  const cleanups: (() => void | Promise<void>)[] = [];
  const cleanup: Cleanup = { after: (work) => cleanups.push(work) };
  const remove = async (): Promise<void> => {
    for (const work of cleanups.splice(0).reverse()) await work();
  };
  const environment = { ...(await sharedEngines(cleanup, given)), ...given };
  const folder = folderFor(cleanup);
  const processes = Array.from({ length: count }, (_, index) =>
    serverProcess(cleanup, { ...environment, OSMIUM_DATA_DIR: join(folder, index.toString()) }),
  );
  const stop = (): Promise<void> => stopped(processes);
  try {
    const nodes = await Promise.all(processes.map(async (process) => ({ url: await process.ready, process })));
    let turn = 0;
    return {
      nodes,
      urls: nodes.map(({ url }) => url),
      environment,
      stop,
      remove: () => stop().finally(remove),
      get url() {
        turn += 1;
        return nodes[turn % nodes.length]?.url ?? '';
      },
    };
  } catch (error) {
    await remove();
    throw error;
  }
};

const stopped = async (processes: readonly ServerProcess[]): Promise<void> => {
  for (const { kill } of processes) kill('SIGTERM');
  for (const { ended, errors } of processes) {
    // What nobody caught ends a process with 1, and so does what takes too long to close.
    assert.ok([0, 'SIGKILL'].includes((await ended) ?? ''), errors());
    assert.equal(errors(), '');
  }
};

/** A database that no other run has, for as long as the test goes on. */
export const freshDatabase = (cleanup: Cleanup, mongo = mongoUrl): string => {
  const database = `nodes${randomBytes(6).toString('hex')}`;
  cleanup.after(async () => {
    for (const name of [database, `${database}_vault`]) await dropDatabase(name);
  });
  return inDatabase(mongo, database);
};

/** What is kept in Redis is kept under a name that the vault gives out, which is with the documents. */
export const sharedEngines = async (
  cleanup: Cleanup,
  { OSMIUM_EVENT_LOG: eventLog }: Environment,
): Promise<Environment> => {
  const keyFile = join(folderFor(cleanup), 'master.key');
  writeFileSync(keyFile, randomBytes(32), { mode: 0o600 });
  return {
    OSMIUM_EVENT_LOG: eventLog ?? (await standIn(cleanup)),
    OSMIUM_DOCUMENTS: freshDatabase(cleanup),
    OSMIUM_PUBSUB: redisUrl,
    OSMIUM_MASTER_KEY_FILE: keyFile,
    OSMIUM_RATE_LIMITS: 'off',
    OSMIUM_BLOBS: `file://${folderFor(cleanup)}`,
  };
};

const standIn = async (cleanup: Cleanup): Promise<string> => {
  const log = await startStandInProcess();
  cleanup.after(() => log.stop());
  return log.connectionString;
};
