import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { benchmark, progress, type Bench, type Measured } from './support/benchmark.js';
import { startHelper } from './support/helper.js';
import { startMembers, type Members } from './support/members.js';
import type { PlainCalls } from './support/plainServer.js';
import { checkOpenFiles, residentBytes } from './support/processes.js';
import { startServer, type ServerUnderTest } from './support/serverUnderTest.js';
import { median, rounded } from './support/statistics.js';

/**
 * What an authorized connection that is silent costs the server in memory: the growth of its resident memory from a few
 * connections to many. The limit is the same for a plain `ws` server. When the heap grows, and by how much, differs from
 * run to run by one or two KB per connection, so each is measured several times, on a new server, and the median counts.
 */
const defaults = { connections: 5_000, processes: 2, settle: 10, rounds: 3 };
const bytesMax = 16 * 1_024;

/** Connected and closed again before anything is measured, so that what is loaded once is there. */
const warmUpMax = 500;

const measure = async (bench: Bench<typeof defaults>): Promise<Measured> => {
  const { connections, processes } = bench.options;
  checkOpenFiles(connections + 200);
  const dataDir = join(bench.folder, 'data');
  const members = await startMembers(connections, processes);
  bench.atEnd(members.stop);
  progress(`${connections.toString()} users sign up`);
  const tokens = await signedUp(dataDir, members);
  const rounds: Grown[] = [];
  const plains: number[] = [];
  while (rounds.length < bench.options.rounds) {
    const osmium = await osmiumBytes(bench, members, { dataDir, tokens });
    const plain = await plainBytes(bench, members);
    rounds.push(osmium);
    plains.push(plain);
    const { perConnection, heapPerConnection } = osmium;
    progress(
      `${perConnection.toString()} bytes each, of those ${heapPerConnection.toString()} on the heap; limit ${plain.toString()}`,
    );
  }
  const figure = median(rounds.map(({ perConnection }) => perConnection));
  return {
    figure,
    unit: 'bytes per connection',
    limit: median(plains),
    limitIs: 'resident memory of a plain ws server per connection',
    aim: `at most ${bytesMax.toString()} bytes`,
    met: figure <= bytesMax,
    details: { connections, rounds, limits: plains },
  };
};

/** By a server of its own, so that nothing of signing up is in the memory that is measured. */
const signedUp = async (dataDir: string, members: Members): Promise<readonly string[]> => {
  const server = await startServer({ dataDir });
  try {
    return await members.signUp(server.port);
  } finally {
    await members.close('osmium');
    await server.stop();
  }
};

/** By one connection, in bytes. */
type Grown = {
  readonly perConnection: number;
  readonly heapPerConnection: number;
  readonly externalPerConnection: number;
};

type Memory = { readonly resident: number; readonly heap: number; readonly external: number };

const osmiumBytes = async (
  bench: Bench<typeof defaults>,
  members: Members,
  { dataDir, tokens }: { readonly dataDir: string; readonly tokens: readonly string[] },
): Promise<Grown> => {
  const server = await startServer({ dataDir, profile: bench.options.profile });
  bench.atEnd(server.stop);
  const memory = (): Promise<Memory> => settled(bench, () => memoryOf(server));
  // The first of each share, as it were a small crowd: every process connects some.
  const few = await startMembers(Math.min(warmUpMax, tokens.length), 1);
  bench.atEnd(few.stop);
  await few.authorize(server.port, tokens);
  await few.stop();
  const before = await memory();
  await members.authorize(server.port, tokens);
  const after = await memory();
  if ((await server.metric('osmium_connections')) !== tokens.length) throw new Error('connections were lost');
  await members.close('osmium');
  await server.stop();
  const grown = (of: (one: Memory) => number): number => rounded((of(after) - of(before)) / tokens.length);
  return {
    perConnection: grown(({ resident }) => resident),
    heapPerConnection: grown(({ heap }) => heap),
    externalPerConnection: grown(({ external }) => external),
  };
};

const memoryOf = async (server: ServerUnderTest): Promise<Memory> => ({
  resident: residentBytes(server.pid) ?? (await server.metric('process_resident_memory_bytes')),
  heap: await server.metric('nodejs_heap_size_used_bytes'),
  external: await server.metric('nodejs_external_memory_bytes'),
});

const lookMillis = 500;

/** The lowest of what is seen within the time: garbage comes and goes, what is held stays. */
const settled = async ({ options }: Bench<typeof defaults>, look: () => Promise<Memory>): Promise<Memory> => {
  let lowest = await look();
  for (const end = performance.now() + options.settle * 1_000; performance.now() < end;) {
    await pause(lookMillis);
    const now = await look();
    lowest = {
      resident: Math.min(lowest.resident, now.resident),
      heap: Math.min(lowest.heap, now.heap),
      external: Math.min(lowest.external, now.external),
    };
  }
  return lowest;
};

const plainBytes = async (bench: Bench<typeof defaults>, members: Members): Promise<number> => {
  const plain = await startHelper<PlainCalls>({ file: new URL('./support/plainServer.js', import.meta.url) });
  bench.atEnd(plain.stop);
  const port = await plain.call('port', undefined);
  const memory = (): Promise<Memory> => settled(bench, () => plain.call('memory', undefined));
  const few = await startMembers(Math.min(warmUpMax, members.count), 1);
  bench.atEnd(few.stop);
  await few.connectPlain(port);
  await few.stop();
  const before = await memory();
  await members.connectPlain(port);
  const after = await memory();
  await members.close('plain');
  await plain.stop();
  return rounded((after.resident - before.resident) / members.count);
};

await benchmark('idle', defaults, measure);
