import { join } from 'node:path';
import { lmdbEventLog } from '../src/adapters/eventLog/lmdb.js';
import { systemClock } from '../src/adapters/system/clock.js';
import { foldersIn } from '../src/engines.js';
import { messageEvents } from '../src/domain/messages/events.js';
import { storedType } from '../src/kernel/codec.js';
import { beforeAll } from '../src/kernel/event.js';
import type { BareAppendCalls } from './support/bareAppends.js';
import { benchmark, progress, type Bench, type Measured } from './support/benchmark.js';
import { engineDefaults, engineNames, engineVariables } from './support/engines.js';
import { startHelper, type Helper } from './support/helper.js';
import { cpuSeconds } from './support/processes.js';
import type { SenderCalls } from './support/senderProcess.js';
import { startServer, type ServerUnderTest } from './support/serverUnderTest.js';
import { median, rounded, sum } from './support/statistics.js';

/**
 * How many messages a second many senders get stored, each of whom waits for the answer before the next one. The limit
 * is what as many appenders get stored in a bare LMDB file, a record of the same bytes each.
 */
const defaults = { senders: 64, channels: 64, seconds: 5, rounds: 5, bytes: 100, ...engineDefaults };
const ratioMin = 0.4;

type Round = { readonly sends: number; readonly appends: number; readonly cpuMicros: number };

const measure = async (bench: Bench<typeof defaults>): Promise<Measured> => {
  const { senders: count, channels, rounds: roundCount, profile } = bench.options;
  const senders = await startHelper<SenderCalls>({ file: new URL('./support/senderProcess.js', import.meta.url) });
  bench.atEnd(senders.stop);
  const bare = await startHelper<BareAppendCalls>({ file: new URL('./support/bareAppends.js', import.meta.url) });
  bench.atEnd(bare.stop);
  const recordBytes = await recordBytesOf(bench, senders);
  const variables = engineVariables(bench.options);
  const server = await startServer({ dataDir: join(bench.folder, 'data'), profile, variables });
  bench.atEnd(server.stop);
  bench.atEnd(() => senders.call('close', undefined));
  progress(`${count.toString()} senders sign up`);
  await senders.call('signUp', { port: server.port, count, channels });
  const rounds: Round[] = [];
  while (rounds.length < roundCount) {
    rounds.push(await round(bench, { senders, bare, server, recordBytes }));
    const { sends = 0, appends = 0 } = rounds.at(-1) ?? {};
    progress(`${rounds.length.toString()}: ${rounded(sends).toString()}/s, limit ${rounded(appends).toString()}/s`);
  }
  return resultOf(bench, rounds, recordBytes);
};

type Setting = {
  readonly senders: Helper<SenderCalls>;
  readonly bare: Helper<BareAppendCalls>;
  readonly server: ServerUnderTest;
  readonly recordBytes: number;
};

const round = async (
  bench: Bench<typeof defaults>,
  { senders, bare, server, recordBytes }: Setting,
): Promise<Round> => {
  const { senders: appenders, seconds, bytes } = bench.options;
  await senders.call('send', { seconds: 0.5, bytes });
  const cpuBefore = cpuSeconds(server.pid) ?? Number.NaN;
  const { sent, perSecond } = await senders.call('send', { seconds, bytes });
  const cpuMicros = (((cpuSeconds(server.pid) ?? Number.NaN) - cpuBefore) * 1e6) / sent;
  const appends = await bare.call('append', {
    folder: join(bench.folder, 'bare'),
    appenders,
    bytes: recordBytes,
    seconds,
  });
  return { sends: perSecond, appends, cpuMicros };
};

/** From an embedded server of its own, which has to let go of its log before one can look. */
const recordBytesOf = async (bench: Bench<typeof defaults>, senders: Helper<SenderCalls>): Promise<number> => {
  const dataDir = join(bench.folder, 'sample');
  const server = await startServer({ dataDir });
  bench.atEnd(server.kill);
  await senders.call('signUp', { port: server.port, count: 1, channels: 1 });
  await senders.call('send', { seconds: 0.2, bytes: bench.options.bytes });
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
  return {
    figure: rounded(median(rounds.map(({ sends }) => sends))),
    unit: 'messages/s',
    limit: rounded(median(rounds.map(({ appends }) => appends))),
    limitIs: 'bare LMDB appends of the same bytes, with as many appenders',
    aim: `ratio at least ${ratioMin.toString()}`,
    met: median(ratios) >= ratioMin,
    details: {
      engines: engineNames(bench.options),
      senders: bench.options.senders,
      channels: bench.options.channels,
      recordBytes,
      ratios: ratios.map((ratio) => rounded(ratio, 2)),
      cpuMicrosPerMessage: rounded(median(rounds.map(({ cpuMicros }) => cpuMicros))),
    },
  };
};

await benchmark('send', defaults, measure);
