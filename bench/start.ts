import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { benchmark, progress, type Bench, type Measured } from './support/benchmark.js';
import { dataSetOf } from './support/dataSets.js';
import { startServer } from './support/serverUnderTest.js';
import { median, rounded } from './support/statistics.js';

/**
 * How long a server takes from the start of its process until it can serve, with many events in the log and read models
 * that are up to date. The limit is the same with few events: a start must not depend on how long the history is.
 */
const defaults = { events: 1_000_000, few: 10_000, rounds: 5, data: '' };
const millisMax = 2_000;

const measure = async (bench: Bench<typeof defaults>): Promise<Measured> => {
  const { events, few, rounds } = bench.options;
  const many = await upToDate(bench, events);
  const less = await upToDate(bench, few);
  const empty = join(bench.folder, 'empty');
  await started(empty, 'stop');
  const times = { many: [] as number[], less: [] as number[], empty: [] as number[], killed: [] as number[] };
  while (times.many.length < rounds) {
    times.many.push(await started(many, 'stop'));
    times.less.push(await started(less, 'stop'));
    times.empty.push(await started(empty, 'stop'));
    // The start after this one follows on a crash.
    await started(many, 'kill');
    times.killed.push(await started(many, 'stop'));
    progress(
      `${times.many.length.toString()}: ${rounded(times.many.at(-1) ?? 0).toString()} ms, with few ${rounded(times.less.at(-1) ?? 0).toString()} ms`,
    );
  }
  const figure = rounded(median(times.many));
  return {
    figure,
    unit: 'ms',
    limit: rounded(median(times.less)),
    limitIs: `the same with ${few.toString()} events`,
    aim: `at most ${millisMax.toString()} ms with both`,
    met: figure <= millisMax && median(times.less) <= millisMax,
    details: {
      events,
      emptyMillis: rounded(median(times.empty)),
      afterKillMillis: rounded(median(times.killed)),
      runs: times.many.map((time) => rounded(time)),
    },
  };
};

const started = async (dataDir: string, end: 'stop' | 'kill'): Promise<number> => {
  const server = await startServer({ dataDir });
  await server[end]();
  return server.readyMillis;
};

const lookMillis = 250;

/** A data folder whose read models have been made. */
const upToDate = async (bench: Bench<typeof defaults>, events: number): Promise<string> => {
  const dataDir = await dataSetOf(events, { ...bench.options, folder: bench.folder });
  const server = await startServer({ dataDir });
  bench.atEnd(server.kill);
  while ((await server.metric('osmium_lag_positions')) > 0) await pause(lookMillis);
  await server.stop();
  progress(`the read models of ${events.toString()} events are up to date`);
  return dataDir;
};

await benchmark('start', defaults, measure);
