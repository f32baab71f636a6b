import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { attackerAddress, attacks, type Attack, type Attacked, type Scene } from './support/abuseRows.js';
import type { AttackerCalls } from './support/attackerProcess.js';
import { benchmark, progress, type Bench, type Measured } from './support/benchmark.js';
import type { BystanderCalls, Service } from './support/bystanderProcess.js';
import { disturbances } from './support/disturbances.js';
import { startHelper, type Calls, type Helper } from './support/helper.js';
import { checkOpenFiles, residentBytes } from './support/processes.js';
import type { Channel } from './support/rawClient.js';
import { startServer, type ServerUnderTest } from './support/serverUnderTest.js';
import type { SinkCalls } from './support/sinkProcess.js';
import { bytesPerMebibyte, rounded } from './support/statistics.js';
import type { Tally } from './support/tally.js';

/**
 * How bystanders fare while somebody attacks the server, whose limits are on. The bystanders send, read and are told at
 * an even pace that no limit minds; the attacker has one address and a process of its own, which stands back for all
 * others that want the processor. "Quiet" is the same bystanders on a server that nobody attacks, while the attacker
 * sends the same bytes at the same pace to a process that drops them. Each attack is a row, on a new server; those of
 * guests are rows for one and for ten of them. `--main FILE` measures another build's `main.js`.
 */
const defaults = {
  /** The rows, separated by commas. Empty for all. */
  rows: '',
  /** How many guests attack at once, separated by commas. */
  guests: '1,10',
  main: '',
  bystanders: 20,
  /** Requests of each bystander in a second. */
  rate: 4,
  seconds: 5,
  /** How long the bystanders have been there before the attack, in seconds, as they have been where nobody attacks. */
  before: 2,
  /** How long attackers stay that only hold connections, in seconds; some are to be closed after 30. */
  hold: 35,
  /** The longest that communities are founded for a row, in seconds. */
  setup: 45,
  communities: 200,
  channels: 500,
  members: 1_000,
  online: 100,
  edits: 5_000,
  nonreaders: 500,
  places: 3_000,
  halves: 200,
  halfbytes: 1_048_576,
};
const p99MillisMax = 50;
const p99QuietTimesMax = 3;
const grownBytesMax = 256 * bytesPerMebibyte;

type Abuse = Bench<typeof defaults>;
type Row = {
  readonly row: string;
  readonly quiet: Service;
  readonly attack: Service;
  readonly attacker: Tally;
  /** Bytes that the attacker sent in the first seconds, which the sink was sent as well. */
  readonly sentBytes: number;
  /** How far the server's memory has grown from before the attack to its highest. */
  readonly grownBytes: number;
  /** What the row misses of the aim. Empty when it is met. */
  readonly missed: readonly string[];
  readonly note: string;
} & Readonly<Record<string, unknown>>;

const measure = async (bench: Abuse): Promise<Measured> => {
  const { places, rows: names, main } = bench.options;
  checkOpenFiles(places + openFilesBesides);
  const calm = await calmScene(bench);
  const rows: Row[] = [];
  for (const turn of turnsOf(chosen(names), bench.options.guests)) {
    progress(turn.row);
    rows.push(await play(bench, calm, turn));
  }
  progress(tableOf(rows));
  const worst = rows.reduce((one, other) => (excess(other) > excess(one) ? other : one));
  return {
    figure: worst.attack.p99,
    unit: 'ms (p99 of bystanders under the worst attack)',
    limit: p99Max(worst.quiet),
    limitIs: 'the most that the aim allows in that row',
    aim:
      `in each row a p99 of ${p99MillisMax.toString()} ms or ${p99QuietTimesMax.toString()} times the quiet one, ` +
      `memory grown by ${(grownBytesMax / bytesPerMebibyte).toString()} MiB, no bystander refused, closed or told late`,
    met: rows.every(({ missed }) => missed.length === 0),
    details: {
      worst: worst.row,
      main,
      missed: rows.filter(({ missed }) => missed.length > 0).map(({ row }) => row),
      rows,
    },
  };
};

const openFilesBesides = 200;

const p99Max = (quiet: Service): number => Math.max(p99MillisMax, p99QuietTimesMax * quiet.p99);
const excess = ({ attack, quiet }: Row): number => attack.p99 / p99Max(quiet);

/** Throws when there is no such row. */
const chosen = (names: string): readonly (readonly [string, Attack])[] => {
  const all = Object.entries<Attack>(attacks);
  if (names === '') return all;
  return names.split(',').map((name) => {
    const found = all.find(([known]) => known === name);
    if (found === undefined) throw new Error(`no row ${name}; there are ${all.map(([known]) => known).join(', ')}`);
    return found;
  });
};

type Turn = { readonly row: string; readonly attack: Attack; readonly guests: number };

const turnsOf = (rows: readonly (readonly [string, Attack])[], guests: string): readonly Turn[] =>
  rows.flatMap(([name, attack]): readonly Turn[] => {
    if (attack.by === 'none') return [{ row: name, attack, guests: 0 }];
    return guests.split(',').map((count) => ({ row: `${name} ×${count}`, attack, guests: Number(count) }));
  });

/** A server that is never attacked, its bystanders, and where the attacker's bytes go meanwhile. */
type Calm = { readonly bystanders: Helper<BystanderCalls>; readonly sinkPort: number };

const calmScene = async (bench: Abuse): Promise<Calm> => {
  const server = await serverIn(bench, 'calm', 'on');
  const bystanders = await helperOf<BystanderCalls>(bench, 'bystanderProcess');
  await bystanders.call('signUp', { port: server.port, count: bench.options.bystanders });
  await goOnBefore(bench, bystanders);
  const sink = await helperOf<SinkCalls>(bench, 'sinkProcess');
  return { bystanders, sinkPort: await sink.call('listen', undefined) };
};

const play = async (bench: Abuse, calm: Calm, turn: Turn): Promise<Row> => {
  const { options } = bench;
  const scene = await sceneOf(bench, turn);
  const { server, bystanders, attacker, members, setUpNote } = scene;
  await turn.attack.prepare?.(scene);
  await goOnBefore(bench, bystanders);
  const memory = watchMemory(server);
  await attacker.call('recordBegin', { seconds: options.seconds });
  const { result: attacked, service: attack } = await during(bystanders, options.rate, () =>
    // An attack that is over at once would leave hardly a bystander to be measured.
    Promise.all([turn.attack.run(scene), pause(options.seconds * 1_000)]).then(([done]) => done),
  );
  const grownBytes = memory.grownBytes();
  const sentBytes = await attacker.call('recordEnd', undefined);
  await Promise.all([bystanders.stop(), members.stop()]);
  // A profile is written by a server that ends by itself.
  await (options.profile === '' ? server.kill() : server.stop());
  const { service: quiet } = await during(calm.bystanders, options.rate, () =>
    attacker.call('replay', { port: calm.sinkPort, seconds: options.seconds }),
  );
  await attacker.stop();
  return rowOf(turn.row, { quiet, attack, attacked, grownBytes, sentBytes, setUpNote });
};

type Played = Scene & { readonly setUpNote: string };

const sceneOf = async (bench: Abuse, { row, attack, guests }: Turn): Promise<Played> => {
  const { options } = bench;
  const attacker = await helperOf<AttackerCalls>(bench, 'attackerProcess', niceMax);
  const members = await helperOf<AttackerCalls>(bench, 'attackerProcess');
  let server = await serverIn(bench, row, attack.setUp === undefined ? 'on' : 'off');
  const aimed = async (): Promise<void> => {
    await attacker.call('aim', { port: server.port, localAddress: attackerAddress });
    await members.call('aim', { port: server.port, localAddress: membersAddress });
  };
  await aimed();
  await attacker.call('signUp', { count: guests });
  const setUpNote = (await attack.setUp?.({ server, attacker, members, options, guests })) ?? '';
  if (attack.setUp !== undefined) {
    await server.stop();
    server = await serverIn(bench, row, 'on');
    await aimed();
    await Promise.all([attacker.call('comeBack', undefined), members.call('comeBack', undefined)]);
  }
  const bystanders = await helperOf<BystanderCalls>(bench, 'bystanderProcess');
  const channel: Channel = await bystanders.call('signUp', { port: server.port, count: options.bystanders });
  return { server, bystanders, attacker, members, channel, options, guests, setUpNote };
};

const niceMax = 19;
const membersAddress = '127.2.0.1';

const serverIn = async (
  { options: { main, profile }, folder, atEnd }: Abuse,
  name: string,
  rateLimits: 'on' | 'off',
): Promise<ServerUnderTest> => {
  const server = await startServer({ dataDir: join(folder, name), main, profile, rateLimits });
  atEnd(server.kill);
  return server;
};

const helperOf = async <C extends Calls>({ atEnd }: Abuse, name: string, nice = 0): Promise<Helper<C>> => {
  const helper = await startHelper<C>({ file: new URL(`./support/${name}.js`, import.meta.url), nice });
  atEnd(helper.stop);
  return helper;
};

/** How the bystanders fare while the work is done. */
const during = async <Result>(
  bystanders: Helper<BystanderCalls>,
  perSecond: number,
  work: () => Promise<Result>,
): Promise<{ readonly result: Result; readonly service: Service }> => {
  await bystanders.call('begin', { perSecond });
  const result = await work();
  return { result, service: await bystanders.call('end', undefined) };
};

const goOnBefore = ({ options: { rate, before } }: Abuse, bystanders: Helper<BystanderCalls>): Promise<unknown> =>
  during(bystanders, rate, () => pause(before * 1_000));

const memoryLookMillis = 100;

const watchMemory = ({ pid }: ServerUnderTest): { readonly grownBytes: () => number } => {
  const before = residentBytes(pid) ?? Number.NaN;
  let highest = before;
  const looking = setInterval(() => {
    highest = Math.max(highest, residentBytes(pid) ?? 0);
  }, memoryLookMillis);
  return {
    grownBytes: () => {
      clearInterval(looking);
      return highest - before;
    },
  };
};

type Outcome = {
  readonly quiet: Service;
  readonly attack: Service;
  readonly attacked: Attacked;
  readonly grownBytes: number;
  readonly sentBytes: number;
  readonly setUpNote: string;
};

const rowOf = (row: string, { attacked, setUpNote, ...outcome }: Outcome): Row => {
  const { quiet, attack } = outcome;
  const { tally, more, note = '' } = attacked;
  const missed = missedOf(outcome);
  const aim = missed.length === 0 ? 'met' : `MISSED: ${missed.join(', ')}`;
  progress(`  p99 ${quiet.p99.toString()} ms, under attack ${attack.p99.toString()}; ${aim}`);
  const notes = [setUpNote, note].filter((text) => text !== '').join('; ');
  return { row, ...outcome, attacker: tally, missed, ...more, note: notes };
};

const missedOf = ({
  quiet,
  attack,
  grownBytes,
}: Pick<Outcome, 'quiet' | 'attack' | 'grownBytes'>): readonly string[] => [
  ...(attack.p99 > p99Max(quiet) ? [`p99 over ${rounded(p99Max(quiet)).toString()} ms`] : []),
  ...(grownBytes > grownBytesMax ? ['memory'] : []),
  ...disturbances(attack),
];

const columns: Readonly<Record<string, (row: Row) => string>> = {
  row: ({ row }) => row,
  'quiet p50/p99/max': ({ quiet }) => timesOf(quiet),
  'attack p50/p99/max': ({ attack }) => timesOf(attack),
  'told at most': ({ quiet, attack }) => `${quiet.toldMillisMax.toString()} → ${attack.toldMillisMax.toString()}`,
  requests: ({ attack: { sent } }) => sent.toString(),
  'memory, MiB': ({ grownBytes }) => `+${rounded(grownBytes / bytesPerMebibyte).toString()}`,
  aim: ({ missed }) => (missed.length === 0 ? 'met' : `MISSED: ${missed.join(', ')}`),
  'attacker: MiB': ({ sentBytes }) => rounded(sentBytes / bytesPerMebibyte, 1).toString(),
  'ok, refused of sent': ({ attacker: { answered, refused, sent } }) =>
    `${answered.toString()}, ${refused.toString()} of ${sent.toString()}`,
  'open, closed of opened': ({ attacker: { remaining, closed, opened } }) =>
    `${remaining.toString()}, ${closed.toString()} of ${opened.toString()}`,
  besides: ({ note }) => note,
};

const timesOf = ({ p50, p99, max }: Service): string =>
  [p50, p99, max].map((millis) => rounded(millis, 1).toString()).join(' / ');

const tableOf = (rows: readonly Row[]): string => {
  const lines = [Object.keys(columns), ...rows.map((row) => Object.values(columns).map((column) => column(row)))];
  const widths = Object.keys(columns).map((_, at) => Math.max(...lines.map((line) => line[at]?.length ?? 0)));
  return lines.map((line) => line.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join('  ')).join('\n');
};

await benchmark('abuse', defaults, measure);
