import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { attackerAddress, attacks, type Attack, type Attacked, type Scene } from './support/abuseRows.js';
import type { AttackerCalls } from './support/attackerProcess.js';
import { benchmark, progress, type Bench, type Measured } from './support/benchmark.js';
import type { BystanderCalls, Service } from './support/bystanderProcess.js';
import { startHelper } from './support/helper.js';
import { checkOpenFiles, residentBytes } from './support/processes.js';
import { startServer, type ServerUnderTest } from './support/serverUnderTest.js';
import { bytesPerMebibyte, rounded } from './support/statistics.js';
import type { Tally } from './support/tally.js';

/**
 * How long bystanders wait for the answers to their messages while somebody attacks the server, whose limits are on. The
 * bystanders send at an even pace that no limit minds; the attacker has an address and a process of its own, which
 * stands back for all others that want the processor. The limit is the same while nobody attacks. Each attack is a row,
 * on a new server. `--main FILE` measures another build's `main.js` by the same attackers and bystanders.
 */
const defaults = {
  /** The rows, separated by commas. Empty for all. */
  rows: '',
  main: '',
  bystanders: 8,
  rate: 5,
  quiet: 5,
  seconds: 10,
  /** How long attackers stay that only hold connections, in seconds. */
  hold: 40,
  markbytes: 65_536,
  edits: 1_000,
  nonreaders: 100,
  places: 3_000,
  halves: 200,
  halfbytes: 1_048_576,
};
const p99MillisMax = 100;

type Options = Bench<typeof defaults>['options'];
type Row = {
  readonly row: string;
  readonly quiet: Service;
  readonly attack: Service;
  readonly attacker: Tally;
  /** How far the server's memory has grown from before the attack to its highest. */
  readonly grownBytes: number;
  readonly note: string;
} & Readonly<Record<string, unknown>>;

const measure = async (bench: Bench<typeof defaults>): Promise<Measured> => {
  const { places, rows: names } = bench.options;
  checkOpenFiles(places + openFilesBesides);
  const rows: Row[] = [];
  for (const [name, attack] of chosen(names)) {
    progress(name);
    rows.push(await play(bench, name, attack));
  }
  progress(tableOf(rows));
  const worst = rows.reduce((one, other) => (other.attack.p99 > one.attack.p99 ? other : one));
  return {
    figure: worst.attack.p99,
    unit: 'ms (p99 of bystanders under the worst attack)',
    limit: worst.quiet.p99,
    limitIs: 'the same bystanders before that attack',
    aim: `p99 below ${p99MillisMax.toString()} ms under each attack, and no request of a bystander refused or lost`,
    met: rows.every(({ attack: { p99, refused, lost } }) => p99 < p99MillisMax && refused + lost === 0),
    details: { worst: worst.row, main: bench.options.main, rows },
  };
};

const openFilesBesides = 200;

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

const play = async (bench: Bench<typeof defaults>, name: string, attack: Attack): Promise<Row> => {
  const scene = await sceneOf(bench, name);
  const { server, bystanders, attacker } = scene;
  await attack.prepare?.(scene);
  const quiet = await during(scene, bench.options, () => pause(bench.options.quiet * 1_000));
  const memory = watchMemory(server);
  const { result, service } = await during(scene, bench.options, () =>
    // An attack that is over at once would leave hardly a bystander to be measured.
    Promise.all([attack.run(scene), pause(attackMillisMin)]).then(([attacked]) => attacked),
  );
  const grownBytes = memory.grownBytes();
  await Promise.all([attacker.stop(), bystanders.stop()]);
  await server.kill();
  return rowOf(name, { quiet: quiet.service, attack: service, attacked: result, grownBytes });
};

const attackMillisMin = 2_000;

const sceneOf = async ({ options, folder, atEnd }: Bench<typeof defaults>, name: string): Promise<Scene> => {
  const { main, profile } = options;
  const server = await startServer({ dataDir: join(folder, name), main, profile, rateLimits: 'on' });
  atEnd(server.kill);
  const { port } = server;
  const bystanders = await startHelper<BystanderCalls>({
    file: new URL('./support/bystanderProcess.js', import.meta.url),
  });
  atEnd(bystanders.stop);
  const attacker = await startHelper<AttackerCalls>({
    file: new URL('./support/attackerProcess.js', import.meta.url),
    nice: niceMax,
  });
  atEnd(attacker.stop);
  const channel = await bystanders.call('signUp', { port, count: options.bystanders });
  await attacker.call('aim', { port, localAddress: attackerAddress });
  return { server, bystanders, attacker, channel, options };
};

const niceMax = 19;

/** How the bystanders fare while the work is done. */
const during = async <Result>(
  { bystanders }: Scene,
  { rate }: Options,
  work: () => Promise<Result>,
): Promise<{ readonly result: Result; readonly service: Service }> => {
  await bystanders.call('begin', { perSecond: rate });
  const result = await work();
  return { result, service: await bystanders.call('end', undefined) };
};

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
};

const rowOf = (row: string, { quiet, attack, attacked, grownBytes }: Outcome): Row => {
  const { tally, more, note = '' } = attacked;
  progress(`  p99 ${quiet.p99.toString()} ms, under attack ${attack.p99.toString()}`);
  return { row, quiet, attack, attacker: tally, grownBytes, ...more, note };
};

const columns: Readonly<Record<string, (row: Row) => string>> = {
  row: ({ row }) => row,
  'quiet p50/p99/max': ({ quiet }) => timesOf(quiet),
  'attack p50/p99/max': ({ attack }) => timesOf(attack),
  'refused, lost': ({ attack: { refused, lost, sent } }) =>
    `${refused.toString()}, ${lost.toString()} of ${sent.toString()}`,
  'attacker: ok, refused of sent': ({ attacker: { answered, refused, sent } }) =>
    `${answered.toString()}, ${refused.toString()} of ${sent.toString()}`,
  'open, closed of opened': ({ attacker: { remaining, closed, opened } }) =>
    `${remaining.toString()}, ${closed.toString()} of ${opened.toString()}`,
  'memory, MiB': ({ grownBytes }) => `+${rounded(grownBytes / bytesPerMebibyte).toString()}`,
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
