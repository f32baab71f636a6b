import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { RpcName, Rpcs } from '../src/gen/rpcs.js';
import { benchmark, progress, type Bench, type Measured } from './support/benchmark.js';
import { startMembers } from './support/members.js';
import { checkOpenFiles } from './support/processes.js';
import { foundedBy, signedUp } from './support/rawClient.js';
import { startServer } from './support/serverUnderTest.js';
import { percentile, rounded } from './support/statistics.js';

/**
 * Sends at an even pace, each followed by a read of the history, while another generation of read models is built, compared,
 * takes the place of the first one, gives it back and is dropped. The limit is the time before that.
 */
const defaults = { members: 200, rate: 100, seconds: 60, processes: 2 };

type Times = { readonly sends: number[]; readonly reads: number[]; errors: number };
type Phase = { readonly phase: string; readonly times: Times };

const measure = async (bench: Bench<typeof defaults>): Promise<Measured> => {
  const { members: count, rate, seconds, processes, profile } = bench.options;
  checkOpenFiles(count + 200);
  const dataDir = join(bench.folder, 'data');
  const server = await startServer({ dataDir, profile, variables: {} });
  bench.atEnd(server.stop);
  const members = await startMembers(count, Math.min(processes, count));
  bench.atEnd(members.stop);
  const { client } = await signedUp({ port: server.port, noSubscribe: true }, 'Sender');
  const { communityId, channelId, invite } = await foundedBy(client, 'Listeners');
  await members.signUp(server.port);
  await members.join(invite);
  const scene: Scene = { client, chatRef: { channel: { communityId, channelId } }, everyMillis: 1_000 / rate };
  const phases = await played(scene, commands(dataDir), (seconds * 1_000) / 3);
  client.socket.close();
  await members.close('osmium');
  return told(phases, count);
};

type Scene = {
  readonly client: Client;
  readonly chatRef: Rpcs['messagesSendMessage']['requestInit']['chatRef'];
  readonly everyMillis: number;
};

const played = async (
  scene: Scene,
  osmium: ReturnType<typeof commands>,
  thirdMillis: number,
): Promise<readonly Phase[]> => {
  const phases: Phase[] = [];
  const during = async (phase: string, work: () => Promise<void>): Promise<void> => {
    phases.push({ phase, times: await timesOf(scene, work) });
    progress(lineOf(phases.at(-1)));
  };
  let generation = '';
  await during('before', () => pause(thirdMillis));
  await during('build', async () => {
    generation = String((await osmium('build', '--anew', '--share', '50', '--json'))['generation']);
  });
  await during('verify', async () => {
    const { isEqual } = await osmium('verify', '--generation', generation, '--json');
    if (isEqual !== true) throw new Error('the generations differ');
  });
  await during('switch', async () => {
    await osmium('switch', '--generation', generation, '--json');
    await pause(thirdMillis / 2);
    await osmium('back', '--json');
    await pause(thirdMillis / 2);
  });
  await during('after', async () => {
    await osmium('drop', '--generation', generation);
    await pause(thirdMillis);
  });
  return phases;
};

const timesOf = async ({ client, chatRef, everyMillis }: Scene, work: () => Promise<void>): Promise<Times> => {
  const times: Times = { sends: [], reads: [], errors: 0 };
  const ask = async (): Promise<void> => {
    const began = performance.now();
    const isSent = await asked(client, 'messagesSendMessage', { chatRef, message: 'x'.repeat(200) });
    const sentAt = performance.now();
    const isRead = await asked(client, 'messagesGetHistory', { chatRef, limit: 20 });
    times.sends.push(sentAt - began);
    times.reads.push(performance.now() - sentAt);
    if (!isSent || !isRead) times.errors += 1;
  };
  let isOver = false;
  const sending = paced(everyMillis, () => isOver, ask);
  await work();
  isOver = true;
  await sending;
  return times;
};

const told = (phases: readonly Phase[], members: number): Measured => {
  const p99Of = (phase: string): number => {
    const times = phases.find((one) => one.phase === phase)?.times;
    return rounded(percentile(times?.reads ?? [], 99), 2);
  };
  const errors = phases.reduce((all, { times }) => all + times.errors, 0);
  return {
    figure: p99Of('switch'),
    unit: 'ms (p99 of reads during the switch)',
    limit: p99Of('before'),
    limitIs: 'the same before it',
    aim: 'no error',
    met: errors === 0,
    details: { members, errors, phases: phases.map(lineOf) },
  };
};

const lineOf = (told: Phase | undefined): string => {
  if (told === undefined) return '';
  const {
    phase,
    times: { sends, reads, errors },
  } = told;
  const of = (times: readonly number[]): string =>
    [50, 99, 100].map((share) => rounded(percentile(times, share), 1).toString()).join('/');
  return `${phase}: ${sends.length.toString()} sends ${of(sends)} ms, reads ${of(reads)} ms (p50/p99/max), ${errors.toString()} errors`;
};

type Client = Awaited<ReturnType<typeof signedUp>>['client'];

/** Whether it was carried out. */
const asked = <Name extends RpcName>(
  client: Client,
  name: Name,
  request: Rpcs[Name]['requestInit'],
): Promise<boolean> =>
  client.call(name, request).then(
    () => true,
    () => false,
  );

/** Each begins at its time, whether the one before has ended or not. */
const paced = async (everyMillis: number, isOver: () => boolean, work: () => Promise<void>): Promise<void> => {
  const started = performance.now();
  const working: Promise<void>[] = [];
  for (let count = 1; !isOver(); count += 1) {
    working.push(work());
    await pause(Math.max(0, started + count * everyMillis - performance.now()));
  }
  await Promise.all(working);
};

const program = fileURLToPath(new URL('../src/cli.js', import.meta.url));

/** Runs `osmium projections …` as an operator does. Throws when it fails. */
const commands =
  (dataDir: string) =>
  async (...args: readonly string[]): Promise<Readonly<Record<string, unknown>>> => {
    const began = performance.now();
    const child = spawn(process.execPath, [program, 'projections', ...args], {
      env: { PATH: process.env['PATH'], OSMIUM_DATA_DIR: dataDir },
    });
    let [output, errors] = ['', ''];
    child.stdout.on('data', (data: Buffer) => (output += data.toString()));
    child.stderr.on('data', (data: Buffer) => (errors += data.toString()));
    const [code] = (await once(child, 'close')) as [number | null];
    if (code !== 0) throw new Error(`projections ${args.join(' ')}: ${errors}`);
    progress(`projections ${args[0] ?? ''} took ${rounded(performance.now() - began).toString()} ms`);
    return args.includes('--json') ? (JSON.parse(output) as Readonly<Record<string, unknown>>) : {};
  };

await benchmark('switch', defaults, measure);
