import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { lmdbDocuments } from '../src/adapters/documents/lmdb.js';
import { systemClock } from '../src/adapters/system/clock.js';
import { configFrom, type Config } from '../src/config.js';
import { buildGeneration } from '../src/container/generations/build.js';
import { generationsOf, openDocuments } from '../src/engines.js';
import { beforeAll } from '../src/kernel/event.js';
import type { EventLog } from '../src/kernel/ports/eventLog.js';
import { collections, projections } from '../src/projections/registry.js';
import { startProjections } from '../src/projections/runner/runner.js';
import { digestOf } from '../test/support/digest.js';
import { benchmark, progress, type Bench, type Measured } from './support/benchmark.js';
import { copiedInto, openEngines, type Engines } from './support/dataSet.js';
import { dataSetOf } from './support/dataSets.js';
import { engineDefaults, engineVariables, withEngines } from './support/engines.js';
import { median, rounded } from './support/statistics.js';

/**
 * How many events a second all read models are rebuilt from, on an empty store. The limit is a bare scan of the same
 * log: every record read and checked against its checksum, and nothing done with it. On an EventStoreDB, which must be
 * empty, the events are copied there first. With `--workers` it is what `osmium projections build` does with so many threads, the
 * starting of them included, and the digest of all documents stands beside the figure; without, a server that is alone.
 */
const defaults = { events: 1_000_000, rounds: 3, data: '', workers: 0, ...engineDefaults };
const perSecondMin = 50_000;

const measure = async (asked: Bench<typeof defaults>): Promise<Measured> => {
  const bench = await withEngines(asked);
  const { events, rounds, workers } = bench.options;
  const dataDir = await dataSetOf(events, { ...bench.options, folder: bench.folder });
  const engines = await enginesOf(bench, dataDir);
  bench.atEnd(engines.close);
  // Once for nothing, so that the file is in memory both times.
  const count = (await scanned(engines.log)).events;
  const folds: number[] = [];
  const scans: number[] = [];
  const digests = new Set<string>();
  while (folds.length < rounds) {
    const { seconds, digest } =
      workers === 0
        ? { seconds: await rebuilt(engines, join(bench.folder, 'documents')), digest: undefined }
        : await builtByWorkers(configFrom({ ...engineVariables(bench), OSMIUM_DATA_DIR: dataDir }), workers);
    if (digest !== undefined) digests.add(digest);
    folds.push(count / seconds);
    const scan = await scanned(engines.log);
    scans.push(scan.events / scan.seconds);
    progress(
      `${folds.length.toString()}: ${rounded(count / seconds).toString()}/s, scan ${rounded(scans.at(-1) ?? 0).toString()}/s`,
    );
  }
  return {
    figure: rounded(median(folds)),
    unit: 'events/s',
    limit: rounded(median(scans)),
    limitIs: 'a bare scan of the log',
    aim: `at least ${perSecondMin.toString()} events/s`,
    met: median(folds) >= perSecondMin,
    details: {
      ...{ events: count, runs: folds.map((fold) => rounded(fold)) },
      ...(workers === 0 ? {} : { workers, digests: [...digests] }),
    },
  };
};

const enginesOf = async ({ options }: Bench<typeof defaults>, dataDir: string): Promise<Engines> => {
  const embedded = await openEngines(dataDir, () => systemClock.now());
  if (options['event-log'] === 'lmdb') return embedded;
  progress('copying the events');
  return copiedInto(embedded, options['event-log']);
};

const scanEvents = 512;

const scanned = async (log: EventLog): Promise<{ readonly events: number; readonly seconds: number }> => {
  const started = performance.now();
  let from = beforeAll;
  let events = 0;
  for (;;) {
    const batch = await log.readAll({ from, limit: scanEvents });
    const last = batch.at(-1);
    if (last === undefined) return { events, seconds: (performance.now() - started) / 1_000 };
    events += batch.length;
    from = last.position;
  }
};

const rebuilt = async ({ log, codec }: Engines, folder: string): Promise<number> => {
  await rm(folder, { recursive: true, force: true });
  const store = lmdbDocuments({ folder });
  await store.open(collections);
  const started = performance.now();
  let problem: unknown;
  const running = await startProjections({
    log,
    codec,
    store,
    projections,
    clock: systemClock,
    onAlarm: ({ error }) => (problem = error),
    onTrouble: ({ error }) => (problem = error),
  });
  await running.reached(await log.end());
  const seconds = (performance.now() - started) / 1_000;
  await running.close();
  await store.close();
  if (problem !== undefined) throw new Error('the rebuild did not go well', { cause: problem });
  return seconds;
};

/** A generation beside those that are there, which is dropped afterwards. */
const builtByWorkers = async (
  config: Config,
  workers: number,
): Promise<{ readonly seconds: number; readonly digest: string }> => {
  const started = performance.now();
  const { generation } = await buildGeneration(
    config,
    { follow: false, anew: true, share: 100, workers },
    { progress: () => undefined, signal: new AbortController().signal },
  );
  const seconds = (performance.now() - started) / 1_000;
  const generations = generationsOf(config);
  const built = (await generations.list()).find(({ name }) => name === generation);
  if (built === undefined) throw new Error(`${generation} is gone`);
  const store = await openDocuments(generations.documents(built), collections);
  const digest = await digestOf(store);
  await store.close();
  await generations.drop(built);
  return { seconds, digest };
};

await benchmark('replay', defaults, measure);
