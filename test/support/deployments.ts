import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { startStandInProcess } from './eventStoreDb/process.js';
import { testServer } from './server.js';
import { serverProcess, type Cleanup, type ServerProcess } from './serverProcess.js';

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
}
export type Node = { readonly url: string; readonly process: ServerProcess };

export const mongoUrl = process.env['MONGO_URL'] ?? '';
const redisUrl = process.env['REDIS_URL'] ?? '';
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

/** `mongo` is where MongoDB is reached, should that be another address than its own. */
export const startNodes = async (count: number, mongo = mongoUrl): Promise<Nodes> => {
  const cleanups: (() => void | Promise<void>)[] = [];
  const cleanup: Cleanup = { after: (work) => cleanups.push(work) };
  const remove = async (): Promise<void> => {
    for (const work of cleanups.splice(0).reverse()) await work();
  };
  const log = await startStandInProcess();
  cleanup.after(() => log.stop());
  const folder = mkdtempSync(join(tmpdir(), 'osmium-nodes-'));
  cleanup.after(() => {
    rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
  });
  const environment = sharedBy(folder, { eventLog: log.connectionString, mongo });
  const nodes: Node[] = [];
  const start = async (): Promise<Node> => {
    const dataDir = join(folder, nodes.length.toString());
    const started = serverProcess(cleanup, { ...environment, OSMIUM_DATA_DIR: dataDir });
    const node = { url: await started.ready, process: started };
    nodes.push(node);
    return node;
  };
  try {
    for (let index = 0; index < count; index += 1) await start();
  } catch (error) {
    await remove();
    throw error;
  }
  let turn = 0;
  return {
    nodes,
    urls: nodes.map(({ url }) => url),
    remove,
    get url() {
      turn += 1;
      return nodes[turn % nodes.length]?.url ?? '';
    },
  };
};

type Shared = { readonly eventLog: string; readonly mongo: string };

/** A database that no other run has. What is kept in Redis is kept under a name that the vault in it gives out. */
const sharedBy = (folder: string, { eventLog, mongo }: Shared): Readonly<Record<string, string>> => {
  const keyFile = join(folder, 'master.key');
  writeFileSync(keyFile, randomBytes(32), { mode: 0o600 });
  const documents = new URL(mongo);
  documents.pathname = `/nodes${randomBytes(6).toString('hex')}`;
  return {
    OSMIUM_EVENT_LOG: eventLog,
    OSMIUM_DOCUMENTS: documents.href,
    OSMIUM_PUBSUB: redisUrl,
    OSMIUM_MASTER_KEY_FILE: keyFile,
    OSMIUM_RATE_LIMITS: 'off',
  };
};
