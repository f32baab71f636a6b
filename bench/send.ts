import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { lmdbEventLog } from '../src/adapters/eventLog/lmdb.js';
import { systemClock } from '../src/adapters/system/clock.js';
import { foldersIn } from '../src/engines.js';
import { messageEvents } from '../src/domain/messages/events.js';
import { storedType } from '../src/kernel/codec.js';
import { beforeAll } from '../src/kernel/event.js';
import type { BareAppendCalls } from './support/bareAppends.js';
import type { BareLogAppendCalls } from './support/bareLogAppends.js';
import { benchmark, progress, type Bench, type Measured } from './support/benchmark.js';
import { engineDefaults, engineNames, engineVariables, withEngines } from './support/engines.js';
import { startHelper, type Helper } from './support/helper.js';
import { cpuSeconds, mainThreadSeconds } from './support/processes.js';
import type { SenderCalls } from './support/senderProcess.js';
import { startServer, type ServerOptions, type ServerUnderTest } from './support/serverUnderTest.js';
import { median, rounded, sum } from './support/statistics.js';

/**
 * How many messages a second many senders get stored, each of whom waits for the answer before the next one. The limit
 * is what as many appenders get stored, an event of the same bytes each: in a bare LMDB file, or by the multiplexed call of
 * the same EventStoreDB. With that, a second server on LMDB is measured in turn, for the processor time of a message.
 */
const defaults = {
  senders: 64,
  channels: 64,
  seconds: 5,
  rounds: 5,
  bytes: 100,
  /** `letters` or `words`. */
  text: 'letters',
  /** Another build's `main.js`, to be measured in the place of this one's. */
  main: '',
  ...engineDefaults,
};
const ratioMin = 0.4;
/** A message on EventStoreDB may cost the server so many times the processor time of one on LMDB. */
const cpuRatioMax = 1.6;

/** Microseconds of processor time for each message: of the server, of its main thread, and of the senders' process. */
type Sent = {
  readonly sends: number;
  readonly cpuMicros: number;
  readonly mainMicros: number;
  readonly senderMicros: number;
};
type Round = Sent & { readonly appends: number; readonly embedded: Sent | undefined };

const measure = async (asked: Bench<typeof defaults>): Promise<Measured> => {
  const bench = await withEngines(asked);
  const { rounds: roundCount, profile } = bench.options;
  const recordBytes = await recordBytesOf(bench, await startSenders(bench));
  const bare = await bareAppendsOf(bench, recordBytes);
  const measured = await sceneOf(bench, { name: 'data', profile, variables: engineVariables(bench) });
  const embedded = isEmbedded(bench)
    ? undefined
    : await sceneOf(bench, { name: 'embedded', profile: '', variables: {} });
  const rounds: Round[] = [];
  while (rounds.length < roundCount) {
    rounds.push(await round(bench, { measured, embedded, bare }));
    const { sends = 0, appends = 0 } = rounds.at(-1) ?? {};
    progress(`${rounds.length.toString()}: ${rounded(sends).toString()}/s, limit ${rounded(appends).toString()}/s`);
  }
  return resultOf(bench, rounds, recordBytes);
};

const isEmbedded = ({ options }: Bench<typeof defaults>): boolean => options['event-log'] === 'lmdb';

const startSenders = async (bench: Bench<typeof defaults>): Promise<Helper<SenderCalls>> => {
  const senders = await startHelper<SenderCalls>({ file: new URL('./support/senderProcess.js', import.meta.url) });
  bench.atEnd(senders.stop);
  return senders;
};

type BareAppends = () => Promise<number>;

const bareAppendsOf = async (bench: Bench<typeof defaults>, recordBytes: number): Promise<BareAppends> => {
  const { senders: appenders, seconds } = bench.options;
  const what = { appenders, bytes: recordBytes, seconds };
  if (isEmbedded(bench)) {
    const bare = await startHelper<BareAppendCalls>({ file: new URL('./support/bareAppends.js', import.meta.url) });
    bench.atEnd(bare.stop);
    return () => bare.call('append', { ...what, folder: join(bench.folder, 'bare') });
  }
  const bare = await startHelper<BareLogAppendCalls>({ file: new URL('./support/bareLogAppends.js', import.meta.url) });
  bench.atEnd(bare.stop);
  return () => bare.call('append', { ...what, connectionString: bench.options['event-log'] });
};

/** A server, and those who write on it. */
type Scene = { readonly senders: Helper<SenderCalls>; readonly server: ServerUnderTest };

type SceneWanted = Pick<ServerOptions, 'profile' | 'variables'> & { readonly name: string };

const sceneOf = async (bench: Bench<typeof defaults>, { name, ...wanted }: SceneWanted): Promise<Scene> => {
  const { senders: count, channels } = bench.options;
  const senders = await startSenders(bench);
  const server = await startServer({ dataDir: join(bench.folder, name), main: bench.options.main, ...wanted });
  bench.atEnd(server.stop);
  bench.atEnd(() => senders.call('close', undefined));
  progress(`${count.toString()} senders sign up`);
  await senders.call('signUp', { port: server.port, count, channels });
  return { senders, server };
};

type Setting = {
  readonly measured: Scene;
  /** On LMDB, where the measured one is not. */
  readonly embedded: Scene | undefined;
  readonly bare: BareAppends;
};

const round = async (bench: Bench<typeof defaults>, { measured, embedded, bare }: Setting): Promise<Round> => {
  const sent = await sentIn(bench, measured);
  const beside = embedded === undefined ? undefined : await sentIn(bench, embedded);
  return { ...sent, embedded: beside, appends: await bare() };
};

const sentIn = async ({ options }: Bench<typeof defaults>, { senders, server }: Scene): Promise<Sent> => {
  const { seconds, bytes, text } = options;
  await senders.call('send', { seconds: 0.5, bytes, text });
  const clocks = [() => cpuSeconds(server.pid), () => mainThreadSeconds(server.pid), () => cpuSeconds(senders.pid)];
  const before = clocks.map(read);
  const { sent, perSecond } = await senders.call('send', { seconds, bytes, text });
  // What follows the log stores and indexes the last of it now.
  await pause(settleMillis);
  const micros = (at: number): number => ((read(clocks[at]) - (before[at] ?? Number.NaN)) * 1e6) / sent;
  return { sends: perSecond, cpuMicros: micros(0), mainMicros: micros(1), senderMicros: micros(2) };
};

const read = (clock: (() => number | undefined) | undefined): number => clock?.() ?? Number.NaN;
const settleMillis = 1_000;

/** From an embedded server of its own, which has to let go of its log before one can look. */
const recordBytesOf = async (bench: Bench<typeof defaults>, senders: Helper<SenderCalls>): Promise<number> => {
  const dataDir = join(bench.folder, 'sample');
  const server = await startServer({ dataDir });
  bench.atEnd(server.kill);
  await senders.call('signUp', { port: server.port, count: 1, channels: 1 });
  await senders.call('send', { seconds: 0.2, bytes: bench.options.bytes, text: bench.options.text });
  await senders.call('close', undefined);
  await server.stop();
  return storedBytes(dataDir);
};

/** What one message takes in the log: its event, its metadata, and what the log puts around them. */
const storedBytes = async (dataDir: string): Promise<number> => {
  const log = await lmdbEventLog({ folder: foldersIn(dataDir).log, now: () => systemClock.now() });
  const end = await log.end();
  const newest = await log.readAll({ from: end > 500n ? end - 500n : beforeAll, limit: 500 });
  await log.close();
  const sizes = newest
    .filter(({ type }) => type === storedType(messageEvents.MessageSent))
    .map(
      ({ data, metadata, type, stream }) =>
        recordHeaderBytes + data.length + metadata.length + type.length + stream.length,
    );
  return Math.round(sum(sizes) / sizes.length);
};

const recordHeaderBytes = 60;

const resultOf = (bench: Bench<typeof defaults>, rounds: readonly Round[], recordBytes: number): Measured => {
  const ratios = rounds.map(({ sends, appends }) => sends / appends);
  const cpuRatios = rounds.flatMap(({ cpuMicros, embedded }) =>
    embedded === undefined ? [] : [cpuMicros / embedded.cpuMicros],
  );
  const isCheap = cpuRatios.length === 0 || median(cpuRatios) <= cpuRatioMax;
  return {
    figure: rounded(median(rounds.map(({ sends }) => sends))),
    unit: 'messages/s',
    limit: rounded(median(rounds.map(({ appends }) => appends))),
    limitIs: `bare ${isEmbedded(bench) ? 'LMDB' : 'multiplexed'} appends of the same bytes, with as many appenders`,
    aim:
      `ratio at least ${ratioMin.toString()}` +
      (isEmbedded(bench) ? '' : `, processor time at most ${cpuRatioMax.toString()} times that on LMDB`),
    met: median(ratios) >= ratioMin && isCheap,
    details: {
      engines: engineNames(bench.options),
      senders: bench.options.senders,
      channels: bench.options.channels,
      recordBytes,
      ratios: ratios.map((ratio) => rounded(ratio, 2)),
      cpuMicrosPerMessage: rounded(median(rounds.map(({ cpuMicros }) => cpuMicros))),
      ofMainThread: rounded(median(rounds.map(({ mainMicros }) => mainMicros))),
      besidesOfSenders: rounded(median(rounds.map(({ senderMicros }) => senderMicros))),
      ...(cpuRatios.length === 0 ? {} : { cpuRatiosToLmdb: cpuRatios.map((ratio) => rounded(ratio, 2)) }),
    },
  };
};

await benchmark('send', defaults, measure);
