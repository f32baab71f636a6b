import { closeCode } from './closeCodes.js';
import { Connection, type Accepted, type ConnectionNeeds } from './connection.js';

/** A connection from which nothing comes for this long is closed. Clients ping each 20 s or send heartbeats each 30 s. */
export const idleMillisMax = 300_000;

/** Further connections are told to come back later. */
export const connectionsMax = 50_000;

/** How long all connections together may take to close when the server stops. */
export const drainMillisMax = 4_000;

/** All connections of this node, authorized or not. */
export interface Sockets {
  accept(accepted: Accepted): void;
  count(this: void): number;
  /** Bytes that clients have not taken yet. */
  bufferedBytes(this: void): number;
  /** Takes no new requests, finishes those under way, closes everything with 1012. Resolves when all are gone. */
  close(): Promise<void>;
}

export type SocketsNeeds = ConnectionNeeds & {
  /** Default: `idleMillisMax`. */
  readonly idleMillis?: number;
};

export const sockets = (needs: SocketsNeeds): Sockets => {
  const all = new Set<Connection>();
  const idleMillis = needs.idleMillis ?? idleMillisMax;
  let stopping = false;
  let emptied = (): void => undefined;

  const own: ConnectionNeeds = {
    ...needs,
    closed: (connection) => {
      all.delete(connection);
      needs.closed(connection);
      if (all.size === 0) emptied();
    },
  };

  const sweep = setInterval(() => {
    const heardBefore = performance.now() - idleMillis;
    for (const connection of all) if (connection.heardAt < heardBefore) connection.closeSoon(closeCode.idle);
  }, idleMillis / 20);
  sweep.unref();

  return {
    count: () => all.size,
    bufferedBytes: () => {
      let bytes = 0;
      for (const { outbox } of all) bytes += outbox.bufferedBytes;
      return bytes;
    },
    accept: (accepted) => {
      const connection = new Connection(own, accepted);
      all.add(connection);
      if (stopping) connection.closeSoon(closeCode.restart);
      else if (all.size > connectionsMax) connection.closeSoon(closeCode.tryAgainLater);
    },
    close: async () => {
      stopping = true;
      clearInterval(sweep);
      if (all.size === 0) return;
      const gone = new Promise<void>((resolve) => {
        emptied = resolve;
      });
      for (const connection of all) connection.closeSoon(closeCode.restart);
      const late = setTimeout(() => {
        for (const connection of all) connection.terminate();
      }, drainMillisMax);
      await gone;
      clearTimeout(late);
    },
  };
};
