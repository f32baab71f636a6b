import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { benchmark, progress, type Bench, type Measured } from './support/benchmark.js';
import { startHelper } from './support/helper.js';
import { startMembers, type Members } from './support/members.js';
import type { PlainCalls } from './support/plainServer.js';
import type { Look, Memory } from './support/memory.js';
import { checkOpenFiles } from './support/processes.js';
import { startServer } from './support/serverUnderTest.js';
import { median, rounded } from './support/statistics.js';

/**
 * What an authorized connection that is silent costs the server in memory: the growth of its resident memory from a few
 * connections to many, looked at when garbage was collected. The limit is the same for a plain `ws` server. Each is
 * measured several times, on a new server, and the median counts. `beforeCollection` tells how much more there was before, which
 * depends on when V8 has collected last.
 */
const defaults = {
  connections: 5_000,
  processes: 2,
  settle: 5,
  rounds: 3,
  /** Another build's `main.js`, to be measured in the place of this one's. */
  main: '',
};
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
  const plains: Grown[] = [];
  while (rounds.length < bench.options.rounds) {
    const osmium = await osmiumBytes(bench, members, { dataDir, tokens });
    const plain = await plainBytes(bench, members);
    rounds.push(osmium);
    plains.push(plain);
    const { perConnection, heapPerConnection, beforeCollection } = osmium;
    progress(
      `${perConnection.toString()} bytes each, of those ${heapPerConnection.toString()} on the heap; ` +
        `${beforeCollection.toString()} before collection; limit ${plain.perConnection.toString()}`,
    );
  }
  const figure = median(rounds.map(({ perConnection }) => perConnection));
  return {
    figure,
    unit: 'bytes per connection',
    limit: median(plains.map(({ perConnection }) => perConnection)),
    limitIs: 'resident memory of a plain ws server per connection, when garbage was collected',
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
  /** Of resident memory, before garbage was collected. */
  readonly beforeCollection: number;
};

/** At one moment: as it is first, because that is how it would stay. */
type Looks = Readonly<Record<Look, Memory>>;

const grown = (before: Looks, after: Looks, connections: number): Grown => {
  const by = (of: (looks: Looks) => number): number => rounded((of(after) - of(before)) / connections);
  return {
    perConnection: by(({ collected }) => collected.resident),
    heapPerConnection: by(({ collected }) => collected.heap),
    externalPerConnection: by(({ collected }) => collected.external),
    beforeCollection: by(({ asItIs }) => asItIs.resident),
  };
};

const osmiumBytes = async (
  bench: Bench<typeof defaults>,
  members: Members,
  { dataDir, tokens }: { readonly dataDir: string; readonly tokens: readonly string[] },
): Promise<Grown> => {
  const { profile, main } = bench.options;
  const server = await startServer({ dataDir, profile, main, probe: 'memory' });
  bench.atEnd(server.stop);
  const few = await startMembers(Math.min(warmUpMax, tokens.length), 1);
  bench.atEnd(few.stop);
  // The first of each share, as it were a small crowd: every process connects some.
  await few.authorize(server.port, tokens);
  await few.stop();
  const before = await looks(bench, server.memory);
  await members.authorize(server.port, tokens);
  const after = await looks(bench, server.memory);
  if ((await server.metric('osmium_connections')) !== tokens.length) throw new Error('connections were lost');
  await members.close('osmium');
  await server.stop();
  return grown(before, after, tokens.length);
};

const plainBytes = async (bench: Bench<typeof defaults>, members: Members): Promise<Grown> => {
  const plain = await startHelper<PlainCalls>({ file: new URL('./support/plainServer.js', import.meta.url) });
  bench.atEnd(plain.stop);
  const port = await plain.call('port', undefined);
  const memory = (look: Look): Promise<Memory> => plain.call('memory', look);
  const few = await startMembers(Math.min(warmUpMax, members.count), 1);
  bench.atEnd(few.stop);
  await few.connectPlain(port);
  await few.stop();
  const before = await looks(bench, memory);
  await members.connectPlain(port);
  const after = await looks(bench, memory);
  await members.close('plain');
  await plain.stop();
  return grown(before, after, members.count);
};

const looks = async (bench: Bench<typeof defaults>, memory: (look: Look) => Promise<Memory>): Promise<Looks> => ({
  asItIs: await settled(bench, () => memory('asItIs')),
  collected: await settled(bench, () => memory('collected')),
});

const lookMillis = 500;

/** The lowest of what is seen within the time: what is taken and given back meanwhile is not held. */
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

await benchmark('idle', defaults, measure);
