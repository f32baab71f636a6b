import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { lmdbDocuments } from '../src/adapters/documents/lmdb.js';
import { systemClock } from '../src/adapters/system/clock.js';
import { beforeAll } from '../src/kernel/event.js';
import type { EventLog } from '../src/kernel/ports/eventLog.js';
import { collections, projections } from '../src/projections/registry.js';
import { startProjections } from '../src/projections/runner/runner.js';
import { benchmark, progress, type Bench, type Measured } from './support/benchmark.js';
import { copiedInto, openEngines, type Engines } from './support/dataSet.js';
import { dataSetOf } from './support/dataSets.js';
import { engineDefaults, withEngines } from './support/engines.js';
import { median, rounded } from './support/statistics.js';

/**
 * How many events a second all read models are rebuilt from, on an empty store. The limit is a bare scan of the same
 * log: every record read and checked against its checksum, and nothing done with it. On an EventStoreDB, which must be
 * empty, the events are copied there first.
 */
const defaults = { events: 1_000_000, rounds: 3, data: '', ...engineDefaults };
const perSecondMin = 50_000;

const measure = async (asked: Bench<typeof defaults>): Promise<Measured> => {
  const bench = await withEngines(asked);
  const { events, rounds } = bench.options;
  const engines = await enginesOf(bench, await dataSetOf(events, { ...bench.options, folder: bench.folder }));
  bench.atEnd(engines.close);
  // Once for nothing, so that the file is in memory both times.
  const count = (await scanned(engines.log)).events;
  const folds: number[] = [];
  const scans: number[] = [];
  while (folds.length < rounds) {
    const seconds = await rebuilt(engines, join(bench.folder, 'documents'));
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
    details: { events: count, runs: folds.map((fold) => rounded(fold)) },
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

await benchmark('replay', defaults, measure);
