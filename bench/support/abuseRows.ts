import { request as httpRequest } from 'node:http';
import type { AttackerCalls } from './attackerProcess.js';
import type { Arrivals, BystanderCalls } from './bystanderProcess.js';
import type { Asked } from './editing.js';
import type { Helper } from './helper.js';
import type { Channel } from './rawClient.js';
import type { ServerUnderTest } from './serverUnderTest.js';
import { bytesPerMebibyte, rounded, spreadOf, type Spread } from './statistics.js';
import { newTally, type Tally } from './tally.js';

export type AbuseOptions = {
  readonly seconds: number;
  readonly hold: number;
  readonly markbytes: number;
  readonly edits: number;
  readonly nonreaders: number;
  readonly places: number;
  readonly halves: number;
  readonly halfbytes: number;
};

export type Scene = {
  readonly server: ServerUnderTest;
  readonly attacker: Helper<AttackerCalls>;
  readonly bystanders: Helper<BystanderCalls>;
  /** Where every second bystander writes. */
  readonly channel: Channel;
  readonly options: AbuseOptions;
};

export type Attacked = {
  readonly tally: Tally;
  /** Figures that only this attack has. */
  readonly more?: Readonly<Record<string, unknown>>;
  /** The same for the table, in words. */
  readonly note?: string;
};

export type Attack = {
  /** Before anything is measured. */
  readonly prepare?: (scene: Scene) => Promise<unknown>;
  readonly run: (scene: Scene) => Promise<Attacked>;
};

export const attackerAddress = '127.0.0.2';
const bystanderAddress = '127.0.0.1';

const oneGuest = ({ attacker }: Scene): Promise<void> => attacker.call('signUp', { count: 1 });

const edits: Attack = {
  prepare: async ({ server: { port }, attacker, bystanders, channel }) => {
    await attacker.call('signUp', { count: 2 });
    const token = await attacker.call('writeToEdit', channel);
    await bystanders.call('listen', { port, token });
  },
  run: async ({ attacker, bystanders, options }) => {
    const seconds = Math.max(options.seconds, editSecondsMin);
    const { tally, accepted } = await attacker.call('edit', { edits: options.edits, seconds });
    const more: Record<string, EditTimes> = {};
    for (const [label, asked] of Object.entries(accepted)) more[label] = await editTimes(bystanders, asked);
    return { tally, more, note: Object.entries(more).map(editNote).join('; ') };
  },
};

/** The limit on requests allows a thousand edits in 14 s. */
const editSecondsMin = 25;
const editsCompared = 100;

const editNote = ([label, { accepted, first, last }]: readonly [string, EditTimes]): string =>
  `${label}: ${accepted.toString()} edits, first p50 ${first.p50.toString()} ms, last ${last.p50.toString()}`;

type EditTimes = {
  readonly accepted: number;
  readonly neverCame: number;
  readonly first: Spread;
  readonly last: Spread;
};

/** From the request until the update came, of the first and of the last hundred edits that were accepted. */
const editTimes = async (bystanders: Helper<BystanderCalls>, accepted: readonly Asked[]): Promise<EditTimes> => {
  const arrivals = await bystanders.call('edits', { texts: accepted.map(({ text }) => text) });
  const taken = accepted.map(({ atMillis }, at) => (arrivals[at] ?? Number.NaN) - atMillis);
  const came = taken.filter((millis) => !Number.isNaN(millis));
  return {
    accepted: accepted.length,
    neverCame: accepted.length - came.length,
    first: spreadOf(came.slice(0, editsCompared)),
    last: spreadOf(came.slice(-editsCompared)),
  };
};

const guestsWhoDoNotRead = 4;
const historyMessages = 100;
const bufferedLookMillis = 500;

const nonReaders: Attack = {
  prepare: async ({ attacker }) => {
    await attacker.call('signUp', { count: guestsWhoDoNotRead });
    await attacker.call('fillHistory', { messages: historyMessages });
  },
  run: async ({ server, attacker, options }) => {
    const before = await figures(server);
    let bufferedMax = 0;
    let last = before;
    const looking = setInterval(() => {
      figures(server).then(
        (now) => {
          bufferedMax = Math.max(bufferedMax, now.buffered);
          last = now;
        },
        // The server has no time, or has ended. The bystanders notice that as well.
        () => undefined,
      );
    }, bufferedLookMillis);
    const tally = await attacker.call('nonReaders', { seconds: options.hold, count: options.nonreaders });
    clearInterval(looking);
    // A client that does not read does not notice a close either: the server's own figures are taken.
    const remaining = last.connections - before.connections;
    const cut = last.cuts - before.cuts;
    const note = `${rounded(bufferedMax / bytesPerMebibyte).toString()} MiB waited at most; ${cut.toString()} cut`;
    return {
      tally: { ...tally, remaining, closed: tally.opened - remaining },
      more: { bufferedBytesMax: bufferedMax, cut },
      note,
    };
  },
};

const figures = async (server: ServerUnderTest) => {
  const [buffered, connections, cuts] = await Promise.all([
    server.metric('osmium_buffered_bytes'),
    server.metric('osmium_connections'),
    server.metric('osmium_cuts_total'),
  ]);
  return { buffered, connections, cuts };
};

const places: Attack = {
  run: async ({ server: { port }, attacker, bystanders, options }) => {
    await bystanders.call('newcomersBegin', { port, addresses: [bystanderAddress, attackerAddress] });
    const tally = await attacker.call('places', { seconds: options.hold, count: options.places });
    const [newcomers, neighbours] = await bystanders.call('newcomersEnd', undefined);
    const note = `anew: ${arrivalNote(newcomers)}; from the attacker's address: ${arrivalNote(neighbours)}`;
    return { tally, more: { newcomers, neighbours }, note };
  },
};

const arrivalNote = (arrivals: Arrivals | undefined): string => {
  if (arrivals === undefined) return 'none';
  const { tried, failed, p50, p99 } = arrivals;
  return `${(tried - failed).toString()} of ${tried.toString()}, p50 ${p50.toString()} ms, p99 ${p99.toString()}`;
};

const pages: Attack = {
  run: async ({ server: { port } }) => {
    const tally = newTally();
    const statusOf = async (headers: Readonly<Record<string, string>>): Promise<number> => {
      const status = await upgradeStatus(port, headers);
      tally.opened += Number(status === switchingProtocols);
      tally.unopened += Number(status !== switchingProtocols);
      return status;
    };
    const own = `127.0.0.1:${port.toString()}`;
    const more = {
      rebound: await statusOf({ Origin: 'https://evil.example', Host: 'rebound.evil.example' }),
      sameRebound: await statusOf({ Origin: 'http://rebound.evil.example', Host: 'rebound.evil.example' }),
      elsewhere: await statusOf({ Origin: 'https://evil.example', Host: own }),
      ownPage: await statusOf({ Origin: `http://${own}`, Host: own }),
    };
    const note = Object.entries(more).map(([page, status]) => `${page} ${status.toString()}`);
    return { tally, more, note: note.join(', ') };
  },
};

const switchingProtocols = 101;
const upgrade = {
  Connection: 'Upgrade',
  Upgrade: 'websocket',
  'Sec-WebSocket-Version': '13',
  'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
};

/** The HTTP status of an upgrade with these headers. */
const upgradeStatus = (port: number, headers: Readonly<Record<string, string>>): Promise<number> =>
  new Promise((resolve, reject) => {
    const asked = httpRequest({ host: bystanderAddress, port, headers: { ...upgrade, ...headers } });
    asked.on('error', reject);
    asked.on('upgrade', ({ statusCode = 0 }, socket) => {
      socket.destroy();
      resolve(statusCode);
    });
    asked.on('response', ({ statusCode = 0 }) => {
      asked.destroy();
      resolve(statusCode);
    });
    asked.end();
  });

const only = async (tally: Promise<Tally>): Promise<Attacked> => ({ tally: await tally });

/** Each way of taking the server from the others, by its name. */
export const attacks = {
  marks: {
    run: ({ attacker, options: { seconds, markbytes: bytes } }) => only(attacker.call('marks', { seconds, bytes })),
  },
  marksAfter: {
    prepare: async (scene) => {
      await oneGuest(scene);
      await scene.attacker.call('found', undefined);
    },
    run: ({ attacker, options: { seconds, markbytes: bytes } }) =>
      only(attacker.call('marksAfter', { seconds, bytes })),
  },
  links: {
    prepare: oneGuest,
    run: ({ attacker, options: { seconds } }) => only(attacker.call('links', { seconds })),
  },
  entities: {
    prepare: oneGuest,
    run: ({ attacker, options: { seconds } }) => only(attacker.call('entities', { seconds })),
  },
  edits,
  nonReaders,
  places,
  halfMessages: {
    run: ({ attacker, options: { hold: seconds, halves: count, halfbytes: bytes } }) =>
      only(attacker.call('halfMessages', { seconds, count, bytes })),
  },
  pages,
} as const satisfies Readonly<Record<string, Attack>>;
