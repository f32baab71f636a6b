import { EventStoreDBClient } from '@eventstore/db-client';
import { clientInside } from './clientInside.js';

/** The client for one kind of work, and its replacement when it is in doubt. */
export interface EventStoreConnection {
  /** `done` must be called when the work with it is over. */
  use(): ConnectionUse;
  /** From now on a caller gets a new client with a connection of its own. Does nothing if that has happened already. */
  renew(doubtful: EventStoreDBClient): void;
  /** Once nobody uses it any more, the connection is closed. */
  close(): void;
}

export type ConnectionUse = { readonly client: EventStoreDBClient; readonly done: () => void };

export const connection = (connectionString: string): EventStoreConnection => {
  let current = usedClient(connectionString);
  return {
    use: () => current.use(),
    renew: (doubtful) => {
      if (current.client !== doubtful) return;
      const old = current;
      current = usedClient(connectionString);
      old.retire();
    },
    close: () => {
      current.retire();
    },
  };
};

const usedClient = (connectionString: string) => {
  const client = clientFor(withItsOwnConnection(connectionString));
  let users = 0;
  let retired = false;
  let wasUsed = false;
  const closeWhenUnused = (): void => {
    // Asked for a connection it never had, the client would first look for the leader.
    if (retired && users === 0 && wasUsed) clientInside(client).closeChannel();
  };
  return {
    client,
    use: (): ConnectionUse => {
      let over = false;
      users += 1;
      wasUsed = true;
      return {
        client,
        done: () => {
          if (!over) users -= 1;
          over = true;
          closeWhenUnused();
        },
      };
    },
    retire: () => {
      retired = true;
      closeWhenUnused();
    },
  };
};

/** The client warns of options that it does not know. Below the first line it prints the address, with its password. */
const clientFor = (connectionString: string): EventStoreDBClient => {
  const { warn } = console;
  console.warn = (text: unknown): void => {
    warn(String(text).split('\n', 1)[0]);
  };
  try {
    return EventStoreDBClient.connectionString(connectionString);
  } finally {
    console.warn = warn;
  }
};

const keepAliveMillisDefault = 10_000;
const keepAliveVariants = 5_000;
let clientsMade = 0;

/**
 * Clients with equal options share one connection, which carries 100 calls at a time and may be the very one that does
 * not answer any more. A keep-alive of its own gives each client a connection of its own. Without a keep-alive, a dead
 * connection would never be noticed: so it cannot be switched off.
 */
const withItsOwnConnection = (connectionString: string): string => {
  const given = /[?&]keep[-_]?alive[-_]?interval=(\d+)/i.exec(connectionString)?.[1];
  const millis = (given === undefined ? keepAliveMillisDefault : Number(given)) + (clientsMade % keepAliveVariants);
  clientsMade += 1;
  const trimmed = connectionString.trim().replace(/\/+$/, '');
  // Of a key that comes twice, the client takes the last.
  return `${trimmed}${trimmed.includes('?') ? '&' : '?'}keepAliveInterval=${millis.toString()}`;
};
