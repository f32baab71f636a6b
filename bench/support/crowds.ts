import { setTimeout as pause } from 'node:timers/promises';
import { encodeHeartbeat, encodeRequest } from '../../src/wire/envelope.js';
import { savedMessages } from './hostileRequests.js';
import { authorized, inParallel, type Introduction } from './rawClient.js';
import {
  finalContinuation,
  finalPing,
  maskedFrame,
  openBinary,
  openContinuation,
  openRawSocket,
  type RawSocket,
} from './rawSocket.js';
import { newTally, type Tally } from './tally.js';

/** Many connections that do little. `seconds` is how long they are there. */
export type Crowd = { readonly introduction: Introduction; readonly count: number; readonly seconds: number };

const openedAtOnce = 10;
const openEveryMillis = 1;
/** So seldom that the machine does not run out of local ports: each attempt uses one up for a minute. */
const pingMillis = 5_000;
const pagesPerConnection = 14;
const messagesPerPage = 100;

/** Clients that ask for much and do not read it. They do not notice that the server closes, so its own figures are taken. */
export const nonReaders = async (crowd: Crowd, tokens: readonly string[]): Promise<Tally> => {
  const tally = newTally();
  const until = performance.now() + crowd.seconds * 1_000;
  const places = Array.from({ length: crowd.count }, (_, at) => tokens[at % tokens.length] ?? '');
  const page = encodeRequest(1, 'messagesGetHistory', { chatRef: savedMessages, limit: messagesPerPage });
  const frame = maskedFrame(page);
  const sockets = await inParallel(places, openedAtOnce, async (token) => {
    const client =
      performance.now() < until ? await authorized(crowd.introduction, token).catch(() => undefined) : undefined;
    if (client === undefined) {
      tally.unopened += 1;
      return undefined;
    }
    tally.opened += 1;
    client.socket.stopReading();
    for (let sent = 0; sent < pagesPerConnection; sent += 1) client.socket.sendBytes(frame);
    tally.sent += pagesPerConnection;
    return client.socket;
  });
  await pause(Math.max(0, until - performance.now()));
  for (const socket of sockets) socket?.close();
  return tally;
};

/** Clients that say nothing but pings, and come again when the server closes. */
export const places = async ({ introduction, count, seconds }: Crowd): Promise<Tally> => {
  const tally = newTally();
  const until = performance.now() + seconds * 1_000;
  const keepPlace = async (at: number): Promise<void> => {
    await pause(at * openEveryMillis);
    while (performance.now() < until) {
      const socket = await openedBy(introduction, tally);
      if (socket !== undefined) await hold(socket, until, tally);
      await pause(Math.min(pingMillis, Math.max(0, until - performance.now())));
    }
  };
  await Promise.all(Array.from({ length: count }, (_, at) => keepPlace(at)));
  return tally;
};

export type Halves = Crowd & { readonly bytes: number };

/**
 * Clients that leave a message of these bytes unfinished: one half of them in one long frame, the others in fragments.
 * With these sessions, or without any.
 */
export const halfMessages = async (
  { introduction, count, seconds, bytes }: Halves,
  tokens: readonly string[],
): Promise<Tally> => {
  const tally = newTally();
  const until = performance.now() + seconds * 1_000;
  const payload = Buffer.alloc(bytes, 0x78);
  // Between the bytes of a frame there can be no ping, between fragments there can.
  const unfinished = [maskedFrame(payload).subarray(0, -1), maskedFrame(payload, openBinary)] as const;
  await inParallel(
    Array.from({ length: count }, (_, at) => at),
    count,
    async (at) => {
      await pause(at * openEveryMillis);
      const socket = await openedBy(introduction, tally, tokens[at % tokens.length]);
      if (socket === undefined) return;
      const isFragment = at % 2 === 1;
      tally.sent += 1;
      socket.sendBytes(isFragment ? unfinished[1] : unfinished[0]);
      await (isFragment ? hold(socket, until, tally) : holdSilently(socket, until, tally));
    },
  );
  return tally;
};

const fragments = 380;
const pings = 500;
const pingBytes = 125;
const empty = Buffer.alloc(0);

/** Frames that are no requests, of which very many fit into few bytes. */
const burstTable = {
  /** Messages of one byte each in as many fragments as a message may have. */
  fragments: () =>
    Buffer.concat([
      maskedFrame(Buffer.of(0), openBinary),
      ...Array.from({ length: fragments - 2 }, () => maskedFrame(empty, openContinuation)),
      maskedFrame(empty, finalContinuation),
    ]),
  pings: () => Buffer.concat(Array.from({ length: pings }, () => maskedFrame(Buffer.alloc(pingBytes), finalPing))),
  /** What clients send to stay connected, and is not answered. */
  heartbeats: () => Buffer.concat(Array.from({ length: pings }, () => maskedFrame(encodeHeartbeat()))),
} as const satisfies Readonly<Record<string, () => Buffer>>;

export type BurstName = keyof typeof burstTable;

const unsentBytesMax = 131_072;
const burstPauseMillis = 2;

/** Each sends as fast as the system takes it, and comes again when the server closes. */
export const bursts = async (
  { introduction, count, seconds }: Crowd,
  tokens: readonly string[],
  name: BurstName,
): Promise<Tally> => {
  const tally = newTally();
  const until = performance.now() + seconds * 1_000;
  const burst = burstTable[name]();
  const keepBursting = async (at: number): Promise<void> => {
    while (performance.now() < until) {
      const socket = await openedBy(introduction, tally, tokens[at % tokens.length]);
      while (socket?.isOpen === true && performance.now() < until) {
        if (socket.unsentBytes < unsentBytesMax) {
          tally.sent += 1;
          socket.sendBytes(burst);
        }
        await pause(burstPauseMillis);
      }
      if (socket?.isOpen === false) tally.closed += 1;
      socket?.close();
      await pause(burstPauseMillis);
    }
  };
  await Promise.all(Array.from({ length: count }, (_, at) => keepBursting(at)));
  return tally;
};

/** So many at once connect, authorize and leave, without end. */
export const reconnects = async (
  { introduction, count, seconds }: Crowd,
  tokens: readonly string[],
): Promise<Tally> => {
  const tally = newTally();
  const until = performance.now() + seconds * 1_000;
  const keepComing = async (at: number): Promise<void> => {
    while (performance.now() < until) (await openedBy(introduction, tally, tokens[at % tokens.length]))?.close();
  };
  await Promise.all(Array.from({ length: count }, (_, at) => keepComing(at)));
  return tally;
};

/** Without a session where there is no token. */
const openedBy = async (introduction: Introduction, tally: Tally, token?: string): Promise<RawSocket | undefined> => {
  const { port, ...entrance } = introduction;
  const opening =
    token === undefined
      ? openRawSocket(port, entrance)
      : authorized(introduction, token).then((client) => {
          client.onlyCount();
          return client.socket;
        });
  const socket = await opening.catch(() => undefined);
  if (socket === undefined) tally.unopened += 1;
  else tally.opened += 1;
  return socket;
};

/** Until the server closes, or the time is over. */
const hold = async (socket: RawSocket, until: number, tally: Tally): Promise<void> => {
  const pings = setInterval(() => socket.ping(), pingMillis);
  await holdSilently(socket, until, tally);
  clearInterval(pings);
};

const holdSilently = async (socket: RawSocket, until: number, tally: Tally): Promise<void> => {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, Math.max(0, until - performance.now()));
    const closed = (): void => {
      clearTimeout(timer);
      resolve();
    };
    socket.onClosed = closed;
    // A server that is full says so in the same read in which the connection opened.
    if (!socket.isOpen) closed();
  });
  if (socket.isOpen) tally.remaining += 1;
  else tally.closed += 1;
  socket.close();
};
