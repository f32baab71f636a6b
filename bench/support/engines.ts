import { tmpdir } from 'node:os';
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

/** The same as variables of the server's environment. */
export const engineVariables = (options: EngineOptions): Readonly<Record<string, string>> => ({
  OSMIUM_EVENT_LOG: options['event-log'],
  OSMIUM_DOCUMENTS: options.documents,
  ...(options.documents !== 'lmdb' && { OSMIUM_BLOBS: `file://${join(tmpdir(), 'osmium-bench-files')}` }),
  OSMIUM_PUBSUB: options.pubsub,
});

/** For the record: addresses tell nobody anything, and may hold a password. */
export const engineNames = (options: EngineOptions): string =>
  [options['event-log'], options.documents, options.pubsub].map((engine) => engine.split(':', 1)[0]).join(', ');
