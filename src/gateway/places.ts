import { networkOf } from './limits.js';

/** Connections of the process, with a session and without. */
export const connectionsMax = 50_000;

/** A new connection has this long for its first valid request. */
export const firstRequestMillisMax = 30_000;

/** A connection without a session may stay this long after its latest valid request: people type passwords. */
export const signedOutMillisMax = 600_000;

/** How often connections are looked for that have stayed too long, as a share of the time they may stay. */
const looksPerStay = 20;

/** A connection that has no session. */
export interface SignedOut {
  readonly address: string;
  /** Whether a request of it is not answered yet. Such a connection never gives way. */
  readonly isAwaiting: boolean;
  /** Closes with 1013, because a newer connection gets the place. */
  giveWay(): void;
  /** Closes with 1001, because the connection has stayed too long without a session. */
  expire(): void;
}

/**
 * The places of connections that have no session. Anybody can take one, so a newcomer always gets one, unless all the
 * others wait for an answer of ours: the place of a connection that never made a valid request, the oldest such
 * connection first; then the place of the connection whose latest valid request is the oldest.
 */
export interface Places {
  /** A new connection takes a place. `open` is the number of connections that the process has with it. */
  enter(this: void, connection: SignedOut, open: number): void;
  /** The connection has made a valid request, or has lost its session. */
  renew(this: void, connection: SignedOut): void;
  /** The connection has a session, or is closing. */
  leave(this: void, connection: SignedOut): void;
  count(this: void): number;
  close(this: void): void;
}

export type PlacesOptions = {
  /** Default: `connectionsMax`. */
  readonly connections?: number;
  /** Connections without a session that one address may have, or one /64 of IPv6 addresses. Default: any number. */
  readonly perAddress?: number;
  /** Default: `firstRequestMillisMax`. */
  readonly firstRequestMillis?: number;
  /** Default: `signedOutMillisMax`. */
  readonly signedOutMillis?: number;
};

export const places = (options: PlacesOptions = {}): Places => {
  const { connections = connectionsMax, perAddress = Number.POSITIVE_INFINITY } = options;
  const { firstRequestMillis = firstRequestMillisMax, signedOutMillis = signedOutMillisMax } = options;
  const all = new Line();
  const byNetwork = new Map<string, Line>();

  const lineOf = ({ address }: SignedOut): Line => {
    const network = networkOf(address);
    const line = byNetwork.get(network) ?? new Line();
    byNetwork.set(network, line);
    return line;
  };

  const leave = (connection: SignedOut): void => {
    if (!all.remove(connection)) return;
    const line = lineOf(connection);
    line.remove(connection);
    if (line.size === 0) byNetwork.delete(networkOf(connection.address));
  };

  const makeRoom = (line: Line, newest: SignedOut): void => {
    const first = line.first(newest);
    leave(first);
    first.giveWay();
  };

  const expire = (): void => {
    const now = performance.now();
    for (const connection of all.unprovenBefore(now - firstRequestMillis)) connection.expire();
    for (const connection of all.provenBefore(now - signedOutMillis)) connection.expire();
  };
  const looking = setInterval(expire, Math.min(firstRequestMillis, signedOutMillis) / looksPerStay).unref();

  return {
    leave,
    count: () => all.size,
    enter: (connection, open) => {
      const line = lineOf(connection);
      all.add(connection);
      line.add(connection);
      if (line.size > perAddress) makeRoom(line, connection);
      else if (open > connections) makeRoom(all, connection);
    },
    renew: (connection) => {
      all.renew(connection);
      lineOf(connection).renew(connection);
    },
    close: () => {
      clearInterval(looking);
    },
  };
};

/** Connections in the order in which they give way. The times are those of the monotonic clock, in milliseconds. */
class Line {
  // A Map keeps its entries in the order in which they came.
  private readonly unproven = new Map<SignedOut, number>();
  private readonly proven = new Map<SignedOut, number>();

  get size(): number {
    return this.unproven.size + this.proven.size;
  }

  add(connection: SignedOut): void {
    this.unproven.set(connection, performance.now());
  }

  renew(connection: SignedOut): void {
    this.remove(connection);
    this.proven.set(connection, performance.now());
  }

  /** False when it is not in the line. */
  remove(connection: SignedOut): boolean {
    return this.unproven.delete(connection) || this.proven.delete(connection);
  }

  /** The newest itself only when all the others wait for an answer. */
  first(newest: SignedOut): SignedOut {
    for (const connection of this.inOrder()) {
      if (connection !== newest && !connection.isAwaiting) return connection;
    }
    return newest;
  }

  unprovenBefore(time: number): readonly SignedOut[] {
    return before(this.unproven, time);
  }

  provenBefore(time: number): readonly SignedOut[] {
    return before(this.proven, time);
  }

  private *inOrder(): Iterable<SignedOut> {
    yield* this.unproven.keys();
    yield* this.proven.keys();
  }
}

const before = (since: ReadonlyMap<SignedOut, number>, time: number): readonly SignedOut[] => {
  const found: SignedOut[] = [];
  for (const [connection, at] of since) {
    if (at > time) break;
    if (!connection.isAwaiting) found.push(connection);
  }
  return found;
};
