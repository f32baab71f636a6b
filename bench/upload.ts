import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { benchmark, progress, type Bench, type Measured } from './support/benchmark.js';
import type { BystanderCalls, Service } from './support/bystanderProcess.js';
import { disturbances } from './support/disturbances.js';
import { startHelper, type Calls, type Helper } from './support/helper.js';
import type { PlainFilesCalls } from './support/plainFiles.js';
import { checkOpenFiles, mainThreadSeconds, residentBytes } from './support/processes.js';
import { startServer } from './support/serverUnderTest.js';
import { bytesPerMebibyte, median, rounded } from './support/statistics.js';
import type { Transfer, UploaderCalls } from './support/uploaderProcess.js';

/**
 * How fast one client sends a file and loads it again. The limit is a plain WebSocket server in a process of its own, which
 * has each of the same parts on the disk in a file before it answers, and reads them from there. Then how much memory
 * crowds of clients take that send and load files at once, and how long the requests of others take meanwhile.
 */
const defaults = {
  /** The file of the one client, in MiB. */
  mebibytes: 64,
  /** Parts of each client that are on their way at a time. */
  underway: 4,
  rounds: 3,
  /** How many clients come at once, separated by commas. */
  crowds: '50,200',
  /** The file of each of them, in MiB. */
  each: 4,
  bystanders: 20,
  /** Requests of each bystander in a second. */
  rate: 4,
  /** How long the bystanders are measured by themselves first, in seconds. */
  quiet: 5,
};
const ratioMin = 0.5;
const grownMebibytesMax = 128;
const p99MillisMax = 30;

type Upload = Bench<typeof defaults>;
type Way = 'upload' | 'download';

const measure = async (bench: Upload): Promise<Measured> => {
  const { mebibytes, crowds } = bench.options;
  const sizes = crowds === '' ? [] : crowds.split(',').map(Number);
  checkOpenFiles(Math.max(0, ...sizes) + openFilesBesides);
  const rates = await oneClient(bench);
  progress(JSON.stringify(rates));
  const rows: Crowd[] = [];
  for (const clients of sizes) {
    rows.push(await crowd(bench, clients));
    progress(JSON.stringify(rows.at(-1)));
  }
  const ratios = { upload: ratioOf(rates.upload), download: ratioOf(rates.download) };
  return {
    figure: rates.upload.osmium,
    unit: `MiB/s (one client sends ${mebibytes.toString()} MiB)`,
    limit: rates.upload.plain,
    limitIs: 'a plain WebSocket server that has each part on the disk before it answers',
    aim:
      `both ways a ratio of ${ratioMin.toString()} at least; with crowds ${grownMebibytesMax.toString()} MiB above idle ` +
      `at most, and others with a p99 below ${p99MillisMax.toString()} ms, of whom none is refused, lost, closed or told late`,
    met: Math.min(...Object.values(ratios)) >= ratioMin && rows.every((row) => missedOf(row).length === 0),
    details: { rates, ratios, crowds: rows.map((row) => ({ ...row, missed: missedOf(row) })) },
  };
};

const missedOf = ({ grownMebibytes, during }: Crowd): readonly string[] => [
  ...(grownMebibytes > grownMebibytesMax ? ['memory'] : []),
  ...(during.p99 < p99MillisMax ? [] : ['p99 of others']),
  ...disturbances(during),
];

const openFilesBesides = 200;

type Rates = Readonly<Record<'osmium' | 'plain', number>>;

const ratioOf = ({ osmium, plain }: Rates): number => rounded(osmium / plain, 2);

/** In MiB/s, the medians of rounds in which both servers take turns. */
const oneClient = async (bench: Upload) => {
  const { mebibytes, rounds, profile } = bench.options;
  const server = await startServer({ dataDir: join(bench.folder, 'one'), profile });
  bench.atEnd(server.stop);
  const plain = await helperOf<PlainFilesCalls>(bench, 'plainFiles');
  const uploader = await helperOf<UploaderCalls>(bench, 'uploaderProcess');
  await uploader.call('signUp', { port: server.port, count: 1 });
  await uploader.call('connectPlain', { port: await plain.call('listen', { folder: join(bench.folder, 'plain') }) });
  const transfer = transferOf(bench, mebibytes);
  const works = { upload: ['upload', 'plainUpload'], download: ['download', 'plainDownload'] } as const;
  const taken: Record<Way, { osmium: number[]; plain: number[] }> = {
    upload: { osmium: [], plain: [] },
    download: { osmium: [], plain: [] },
  };
  const cpu = mainThreadSeconds(server.pid) ?? Number.NaN;
  for (let round = 0; round < rounds; round += 1) {
    for (const way of ['upload', 'download'] as const) {
      const [own, others] = works[way];
      taken[way].osmium.push(mebibytes / (await uploader.call(own, transfer)));
      taken[way].plain.push(mebibytes / (await uploader.call(others, transfer)));
    }
  }
  const mainMillis = ((mainThreadSeconds(server.pid) ?? Number.NaN) - cpu) * 1_000;
  await Promise.all([server.stop(), plain.stop(), uploader.stop()]);
  const rates = (way: Way): Rates => ({
    osmium: rounded(median(taken[way].osmium), 1),
    plain: rounded(median(taken[way].plain), 1),
  });
  const mainMillisPerMebibyte = rounded(mainMillis / (2 * rounds * mebibytes), 2);
  return { upload: rates('upload'), download: rates('download'), mainMillisPerMebibyte };
};

const transferOf = (bench: Upload, mebibytes: number): Transfer => ({
  fileBytes: mebibytes * bytesPerMebibyte,
  underWay: bench.options.underway,
});

type Crowd = {
  readonly clients: number;
  readonly idleMebibytes: number;
  readonly grownMebibytes: number;
  readonly uploadRate: number;
  readonly downloadRate: number;
  readonly quiet: Service;
  readonly during: Service;
};

/** On a server of their own, whose memory is looked at after others have used it for a while. */
const crowd = async (bench: Upload, clients: number): Promise<Crowd> => {
  const { each, bystanders: count, rate, quiet: quietSeconds, profile } = bench.options;
  const server = await startServer({ dataDir: join(bench.folder, `crowd-${clients.toString()}`), profile });
  bench.atEnd(server.stop);
  const bystanders = await helperOf<BystanderCalls>(bench, 'bystanderProcess');
  // It stands back: the processor that clients take is not what is measured.
  const uploader = await helperOf<UploaderCalls>(bench, 'uploaderProcess', niceMax);
  await bystanders.call('signUp', { port: server.port, count });
  await uploader.call('signUp', { port: server.port, count: clients });
  await bystanders.call('begin', { perSecond: rate });
  await pause(quietSeconds * 1_000);
  const quiet = await bystanders.call('end', undefined);
  const idle = residentBytes(server.pid) ?? Number.NaN;
  let highest = idle;
  const looking = setInterval(() => {
    highest = Math.max(highest, residentBytes(server.pid) ?? 0);
  }, memoryLookMillis);
  await bystanders.call('begin', { perSecond: rate });
  const transfer = transferOf(bench, each);
  const uploadSeconds = await uploader.call('upload', transfer);
  const downloadSeconds = await uploader.call('download', transfer);
  const during = await bystanders.call('end', undefined);
  clearInterval(looking);
  await Promise.all([uploader.stop(), bystanders.stop(), server.stop()]);
  return {
    clients,
    idleMebibytes: rounded(idle / bytesPerMebibyte),
    grownMebibytes: rounded((highest - idle) / bytesPerMebibyte),
    uploadRate: rounded((clients * each) / uploadSeconds, 1),
    downloadRate: rounded((clients * each) / downloadSeconds, 1),
    quiet,
    during,
  };
};

const memoryLookMillis = 20;
const niceMax = 19;

const helperOf = async <C extends Calls>(bench: Upload, name: string, nice = 0): Promise<Helper<C>> => {
  const helper = await startHelper<C>({ file: new URL(`./support/${name}.js`, import.meta.url), nice });
  bench.atEnd(helper.stop);
  return helper;
};

await benchmark('upload', defaults, measure);
