import { closeCode } from '../contract/closeCodes.js';
import { ClientConnection, type Accepted, type ClientConnectionNeeds } from './connection.js';
import { expirySweepMillis, places, type PlacesOptions } from './places.js';
import { receivedBytes, type ReceivedBytesOptions } from './receivedBytes.js';
import { readUnitsPerRoundMax } from './paidReading.js';
import { ReadingLine } from './readingLine.js';
import { slowReaders, stallSweepMillis, type SlowReaders, type SlowReadersOptions } from './slowReaders.js';
import { unackedBytes } from './socketProgress.js';

/** A connection from which nothing comes for this long is closed. Clients ping each 20 s or send heartbeats each 30 s. */
export const idleMillisMax = 300_000;

/** How long all connections together may take to close when the server stops. */
export const drainMillisMax = 3_500;

/**
 * When the server stops, connections are closed some at a time, so that their clients do not come back all at once: in
 * so many ticks at most, and in each at least so many.
 */
export const closingTickMillis = 10;
const closingTicksMax = 300;
const closedPerTickMin = 20;

export const closedPerTick = (count: number): number => Math.max(closedPerTickMin, Math.ceil(count / closingTicksMax));

/** All connections of this node, authorized or not. */
export interface Connections {
  accept(accepted: Accepted): void;
  count(this: void): number;
  /** Connections without a session. */
  signedOut(this: void): number;
  /** Bytes that clients have not taken yet. */
  bufferedBytes(this: void): number;
  /** Bytes that were taken in and are not answered yet. */
  receivedBytes(this: void): number;
  /** Where answers over plain HTTP wait as well, within the same bounds. */
  readonly slowReaders: Pick<SlowReaders, 'fellBehind' | 'forget'>;
  /**
   * Closes everything with 1012, some at a time: each takes no new requests then, and finishes those under way. Resolves
   * when all are gone.
   */
  close(): Promise<void>;
}

/** Bounds on sockets that a setting gives, or a test. */
export type SocketBounds = PlacesOptions &
  SlowReadersOptions &
  ReceivedBytesOptions & {
    /** Default: `idleMillisMax`. */
    readonly idleMillis?: number;
    /** Default: `expirySweepMillis`. */
    readonly expirySweepMillis?: number;
    /** Default: `stallSweepMillis`. */
    readonly stallSweepMillis?: number;
  };

export type ConnectionsNeeds = Omit<ClientConnectionNeeds, 'places' | 'slowReaders' | 'received' | 'reading'> & {
  /** Closes a connection of the user who has the most. False when nobody has more than one. */
  readonly makeRoom: () => boolean;
  readonly bounds?: SocketBounds;
};

export const connections = (needs: ConnectionsNeeds): Connections => {
  const all = new Set<ClientConnection>();
  const { bounds = {}, reached, makeRoom } = needs;
  const signedOut = places({ makeRoom, ...bounds });
  const behind = slowReaders({ unackedBytes, reached, ...bounds });
  const taken = receivedBytes({ reached, timers: needs.timers, ...bounds });
  let stopping = false;
  let emptied = (): void => undefined;

  const own: ClientConnectionNeeds = {
    ...needs,
    places: signedOut,
    received: taken,
    reading: { users: new ReadingLine(readUnitsPerRoundMax), strangers: new ReadingLine(readUnitsPerRoundMax) },
    slowReaders: behind,
    closed: (connection) => {
      all.delete(connection);
      needs.closed(connection);
      if (all.size === 0) emptied();
    },
  };

  const closeIdle = (): void => {
    const heardBefore = performance.now() - (bounds.idleMillis ?? idleMillisMax);
    for (const connection of all) if (connection.heardAt < heardBefore) connection.closeSoon(closeCode.goingAway);
  };
  const stopSweeping = sweeping(bounds, { closeIdle, expire: signedOut.sweep, cutStalled: behind.sweep });

  return {
    count: () => all.size,
    signedOut: signedOut.count,
    receivedBytes: taken.count,
    slowReaders: behind,
    bufferedBytes: () => {
      let bytes = 0;
      for (const { outbox } of all) bytes += outbox.bufferedBytes;
      return bytes;
    },
    accept: (accepted) => {
      const connection = new ClientConnection(own, accepted);
      all.add(connection);
      if (stopping) connection.closeSoon(closeCode.restart);
      else signedOut.enter(connection, all.size);
    },
    close: async () => {
      stopping = true;
      stopSweeping();
      if (all.size === 0) return;
      const gone = new Promise<void>((resolve) => {
        emptied = resolve;
      });
      closeInTicks([...all]);
      const late = setTimeout(() => {
        for (const connection of all) connection.terminate();
      }, drainMillisMax);
      await gone;
      clearTimeout(late);
    },
  };
};

const closeInTicks = (waiting: ClientConnection[]): void => {
  const atOnce = closedPerTick(waiting.length);
  const tick = (): void => {
    for (const connection of waiting.splice(0, atOnce)) connection.closeSoon(closeCode.restart);
    if (waiting.length > 0) setTimeout(tick, closingTickMillis).unref();
  };
  tick();
};

type Sweeps = {
  readonly closeIdle: () => void;
  readonly expire: () => void;
  readonly cutStalled: () => Promise<void>;
};

const sweeping = (bounds: SocketBounds, { closeIdle, expire, cutStalled }: Sweeps): (() => void) => {
  // Messages that came while the process stood still are read before anything is held against their senders.
  const timers = [
    setInterval(() => setImmediate(closeIdle), (bounds.idleMillis ?? idleMillisMax) / 20),
    setInterval(() => setImmediate(expire), bounds.expirySweepMillis ?? expirySweepMillis),
    setInterval(oneAtATime(cutStalled), bounds.stallSweepMillis ?? stallSweepMillis),
  ];
  for (const timer of timers) timer.unref();
  return () => {
    for (const timer of timers) clearInterval(timer);
  };
};

/** Does nothing while the work of an earlier call is under way. */
const oneAtATime = (work: () => Promise<void>): (() => void) => {
  let isUnderWay = false;
  return () => {
    if (isUnderWay) return;
    isUnderWay = true;
    void work().finally(() => {
      isUnderWay = false;
    });
  };
};
