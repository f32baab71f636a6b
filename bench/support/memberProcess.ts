import { authorized, inParallel, signedUp, type RawClient } from './rawClient.js';
import { openRawSocket, type RawSocket } from './rawSocket.js';
import { serveCalls, tellNews } from './helper.js';
import { sharedMillis } from './sharedClock.js';

/** Which sockets are meant: those at the server under test, or those at the plain one that sets the limit. */
export type Side = 'osmium' | 'plain';

/** What the sockets of one side have received since `watch`. */
export type Received = {
  /** Messages that every one of the sockets has. */
  readonly everywhere: number;
  /** Over all sockets. */
  readonly messages: number;
  readonly payloadBytes: number;
  readonly reads: number;
  /** On the clock that all processes of the machine share. */
  readonly atMillis: number;
};

const openedAtOnce = 25;
const clients: RawClient[] = [];
const sockets: Record<Side, RawSocket[]> = { osmium: [], plain: [] };
let watching: NodeJS.Timeout | undefined;

const keep = (opened: readonly RawClient[]): void => {
  clients.push(...opened);
  sockets.osmium.push(...opened.map(({ socket }) => socket));
};

const names = (count: number): readonly string[] => Array.from({ length: count }, (_, at) => `Member ${at.toString()}`);

const receivedBy = (side: readonly RawSocket[]): Received => {
  const received = { everywhere: Number.POSITIVE_INFINITY, messages: 0, payloadBytes: 0, reads: 0 };
  for (const { frames, payloadBytes, reads } of side) {
    if (frames < received.everywhere) received.everywhere = frames;
    received.messages += frames;
    received.payloadBytes += payloadBytes;
    received.reads += reads;
  }
  return { ...received, atMillis: sharedMillis() };
};

/** Looks at the counters so often, and says when they have changed. */
const newsMillis = 2;

const watch = (side: readonly RawSocket[], payloadBytesMin: number): void => {
  clearInterval(watching);
  for (const socket of side) {
    Object.assign(socket, { frames: 0, payloadBytes: 0, reads: 0, payloadBytesMin, onFrame: undefined });
  }
  let before = 0;
  watching = setInterval(() => {
    const received = receivedBy(side);
    if (received.everywhere !== before) tellNews(received);
    before = received.everywhere;
  }, newsMillis);
};

/** When each message came to each socket, socket by socket. */
let arrivals = new Float64Array();

const record = (side: readonly RawSocket[], messages: number, payloadBytesMin: number): void => {
  clearInterval(watching);
  arrivals = new Float64Array(side.length * messages);
  const times = arrivals;
  for (const [place, socket] of side.entries()) {
    let at = place * messages;
    const end = at + messages;
    Object.assign(socket, { payloadBytesMin });
    socket.onFrame = () => {
      if (at < end) times[at] = sharedMillis();
      at += 1;
    };
  }
};

const calls = {
  /** Signs new users up. Gives their tokens. */
  signUp: async ({ port, count }: { readonly port: number; readonly count: number }): Promise<readonly string[]> => {
    const opened = await inParallel(names(count), openedAtOnce, (name) => signedUp({ port }, name));
    keep(opened.map(({ client }) => client));
    return opened.map(({ token }) => token);
  },
  authorize: async ({ port, tokens }: { readonly port: number; readonly tokens: readonly string[] }): Promise<void> => {
    keep(await inParallel(tokens, openedAtOnce, (token) => authorized({ port }, token)));
  },
  join: async ({ code }: { readonly code: string }): Promise<void> => {
    await inParallel(clients, openedAtOnce, (client) => client.callPatiently('authUseInvite', { code }));
    // From here on they listen.
    for (const client of clients) client.onlyCount();
  },
  connectPlain: async ({ port, count }: { readonly port: number; readonly count: number }): Promise<void> => {
    sockets.plain.push(...(await inParallel(names(count), openedAtOnce, () => openRawSocket(port))));
  },
  /** Counts from 0 again, messages of at least this size only. */
  watch: ({ side, payloadBytesMin }: { readonly side: Side; readonly payloadBytesMin: number }): void => {
    watch(sockets[side], payloadBytesMin);
  },
  received: ({ side }: { readonly side: Side }): Received => receivedBy(sockets[side]),
  record: (what: { readonly side: Side; readonly messages: number; readonly payloadBytesMin: number }): void => {
    record(sockets[what.side], what.messages, what.payloadBytesMin);
  },
  recorded: (): Float64Array => arrivals,
  close: ({ side }: { readonly side: Side }): void => {
    clearInterval(watching);
    for (const socket of sockets[side].splice(0)) socket.close();
    if (side === 'osmium') clients.length = 0;
  },
};

export type MemberCalls = typeof calls;

serveCalls(calls);
