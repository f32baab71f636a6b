import { request as httpRequest } from 'node:http';
import type { AttackName } from '../../test/support/attacks/attackTable.js';
import type { AttackerCalls, FloodWay } from './attackerProcess.js';
import type { Arrivals, BystanderCalls } from './bystanderProcess.js';
import type { BurstName } from './crowds.js';
import type { Asked } from './editing.js';
import type { Helper } from './helper.js';
import type { ListName } from './hostileRequests.js';
import type { Channel } from './rawClient.js';
import type { ServerUnderTest } from './serverUnderTest.js';
import { bytesPerMebibyte, rounded, spreadOf, type Spread } from './statistics.js';
import { newTally, type Tally } from './tally.js';

export type AbuseOptions = {
  readonly seconds: number;
  readonly hold: number;
  readonly setup: number;
  readonly communities: number;
  readonly channels: number;
  readonly members: number;
  readonly online: number;
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
  /** Members of the attacker's community who do nothing. */
  readonly members: Helper<AttackerCalls>;
  /** Where every second bystander writes. */
  readonly channel: Channel;
  readonly options: AbuseOptions;
  /** Of the attacker. */
  readonly guests: number;
};

export type Attacked = {
  readonly tally: Tally;
  /** Figures that only this attack has. */
  readonly more?: Readonly<Record<string, unknown>>;
  /** The same for the table, in words. */
  readonly note?: string;
};

export type Attack = {
  /** `none` is without a session; the others are tried by one guest, and by ten at once. */
  readonly by: 'none' | 'guests';
  /** On the same server before limits are on. Gives what is worth knowing about it. */
  readonly setUp?: (scene: Omit<Scene, 'channel' | 'bystanders'>) => Promise<string>;
  /** Before anything is measured. */
  readonly prepare?: (scene: Scene) => Promise<unknown>;
  readonly run: (scene: Scene) => Promise<Attacked>;
};

export const attackerAddress = '127.0.0.2';
const bystanderAddress = '127.0.0.1';

/** Requests of one kind after the other, as fast as they are answered. */
const flood = (way: FloodWay, setUp?: Attack['setUp']): Attack => ({
  by: way.by === 'guests' ? 'guests' : 'none',
  ...(setUp === undefined ? {} : { setUp }),
  prepare: ({ attacker }) => attacker.call('load', way),
  run: ({ attacker, options: { seconds } }) => only(attacker.call('flood', { ...way, seconds })),
});

const usualWindow = 4;
const byGuests = (list: ListName, setUp?: Attack['setUp']): Attack =>
  flood({ list, window: usualWindow, by: 'guests' }, setUp);
/** Of frames that are so long that a window of them all would not fit into memory. */
const longByGuests = (list: ListName): Attack => flood({ list, window: 1, by: 'guests' }, foundCommunity);
const byAddresses = (list: ListName, addresses = 1): Attack => flood({ list, window: usualWindow, by: { addresses } });

const foundCommunities =
  (communities: number): NonNullable<Attack['setUp']> =>
  async ({ attacker, options }) => {
    const { channels, setup: seconds } = options;
    const most = Math.min(communities, options.communities);
    const founded = await attacker.call('found', { communities: most, channels, seconds });
    return `${founded.toString()} communities of ${channels.toString()} channels`;
  };

const foundCommunity: NonNullable<Attack['setUp']> = async ({ attacker, options: { setup: seconds } }) => {
  await attacker.call('found', { communities: 1, channels: 1, seconds });
  return '';
};

const foundCrowded: NonNullable<Attack['setUp']> = async (scene) => {
  const { attacker, members, options } = scene;
  const note = await foundCommunities(1)(scene);
  await attacker.call('letArrange', undefined);
  const code = await attacker.call('invite', undefined);
  await members.call('join', { code, count: options.members, stay: options.online });
  return `${note}, ${options.members.toString()} members, ${options.online.toString()} of them online`;
};

const fillHistory: NonNullable<Attack['setUp']> = async ({ attacker }) => {
  await attacker.call('fillHistory', { messages: historyMessages });
  return '';
};

const edits: Attack = {
  by: 'guests',
  prepare: async ({ server: { port }, attacker, bystanders, channel, guests }) => {
    if (guests < 2) await attacker.call('signUp', { count: 2 - guests });
    const token = await attacker.call('writeToEdit', channel);
    await bystanders.call('listen', { port, token });
  },
  run: async ({ attacker, bystanders, options }) => {
    const { tally, accepted } = await attacker.call('edit', { edits: options.edits, seconds: options.seconds });
    const more: Record<string, EditTimes> = {};
    for (const [label, asked] of Object.entries(accepted)) more[label] = await editTimes(bystanders, asked);
    return { tally, more, note: Object.entries(more).map(editNote).join('; ') };
  },
};

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

const historyMessages = 100;
const bufferedLookMillis = 500;

const nonReaders: Attack = {
  by: 'guests',
  setUp: fillHistory,
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
  by: 'none',
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
  by: 'none',
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

const burst = (name: BurstName): Attack => ({
  by: 'guests',
  run: ({ attacker, guests, options: { seconds } }) =>
    only(attacker.call('bursts', { name, seconds, count: guests * burstsOfGuest })),
});

const burstsOfGuest = 2;
const comingAtOnce = 8;
const fiftyAddresses = 50;
const manyUnderWay = 64;
const communitiesMax = 200;

const halves = (by: Attack['by']): Attack => ({
  by,
  run: ({ attacker, options: { hold: seconds, halves: count, halfbytes: bytes } }) =>
    only(attacker.call('halfMessages', { seconds, count, bytes, signedIn: by === 'guests' })),
});

const reconnecting = (by: Attack['by']): Attack => ({
  by,
  run: ({ attacker, options: { seconds } }) => only(attacker.call('reconnects', { seconds, count: comingAtOnce })),
});

/** Each way of taking the server from the others, by its name. */
export const attacks = {
  openTexts: flood({ list: 'openTexts', window: 1, by: { addresses: 1 } }),
  marks: longByGuests('marks'),
  hosts: longByGuests('hosts'),
  links: byGuests('links'),
  parsedLinks: byGuests('parsedLinks'),
  nonces: byGuests('nonces'),
  entities: byGuests('entities'),
  channels: byGuests('channels', foundCommunities(1)),
  communities: byGuests('communities', foundCommunities(communitiesMax)),
  history: byGuests('history', fillHistory),
  edits,
  underWay: flood({ list: 'everyKind', window: manyUnderWay, by: 'guests' }, foundCommunity),
  nonReaders,
  places,
  initialize: byAddresses('initialize'),
  unauthorized: byAddresses('unauthorized'),
  malformed: byGuests('malformed'),
  broken: byAddresses('broken'),
  unknown: byAddresses('unknown'),
  unknownSignedIn: byGuests('unknown'),
  authorize: byAddresses('authorize'),
  status: byGuests('status', foundCrowded),
  arranging: byGuests('arranging', foundCrowded),
  signIn: byAddresses('signIn'),
  signInWidely: byAddresses('signIn', fiftyAddresses),
  fragments: burst('fragments'),
  pings: burst('pings'),
  heartbeats: burst('heartbeats'),
  halfMessages: halves('none'),
  halfSignedIn: halves('guests'),
  reconnects: reconnecting('none'),
  reconnectsSignedIn: reconnecting('guests'),
  pages,
} as const satisfies Readonly<Record<AttackName, Attack>>;
