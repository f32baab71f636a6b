import { randomBytes } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startStandInProcess } from '../../test/support/eventStoreDb/process.js';
import type { Bench } from './benchmark.js';
import type { Options } from './options.js';

/** Which engines the measured server stands on: what an operator would configure, given as options. */
export const engineDefaults = { 'event-log': 'lmdb', documents: 'lmdb', pubsub: 'local' };

export type EngineOptions = Options<typeof engineDefaults>;

/**
 * The same bench with the addresses of engines that are started for it, each in a process of its own: `--event-log
 * stand-in` is that of EventStoreDB. A server of another address must be empty.
 */
export const withEngines = async <B extends Bench<typeof engineDefaults>>(bench: B): Promise<B> => {
  if (bench.options['event-log'] !== 'stand-in') return bench;
  const { connectionString, stop } = await startStandInProcess();
  bench.atEnd(stop);
  return { ...bench, options: { ...bench.options, 'event-log': connectionString } };
};

/**
 * The same as variables of the server's environment. Servers of one run have one master key and one folder of files,
 * without which read models on MongoDB are refused.
 */
export const engineVariables = ({
  options,
  folder,
}: Bench<typeof engineDefaults>): Readonly<Record<string, string>> => ({
  OSMIUM_EVENT_LOG: options['event-log'],
  OSMIUM_DOCUMENTS: options.documents,
  OSMIUM_PUBSUB: options.pubsub,
  ...(options.documents !== 'lmdb' && {
    OSMIUM_BLOBS: `file://${join(folder, 'files')}`,
    OSMIUM_MASTER_KEY_FILE: masterKeyFileIn(folder),
  }),
});

const masterKeyBytes = 32;

const masterKeyFileIn = (folder: string): string => {
  const file = join(folder, 'master.key');
  if (!existsSync(file)) writeFileSync(file, randomBytes(masterKeyBytes), { mode: 0o600 });
  return file;
};

/** For the record: addresses tell nobody anything, and may hold a password. */
export const engineNames = (options: EngineOptions): string =>
  [options['event-log'], options.documents, options.pubsub].map((engine) => engine.split(':', 1)[0]).join(', ');
