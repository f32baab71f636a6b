import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { BoundReached } from '../contract/bounds.js';
import { networkOf } from '../requests/rateLimits.js';

/** Connections of a port that are no WebSockets: those that have asked for nothing yet, and those over HTTP. */
export const httpConnectionsMax = 5_000;

/** So many are looked at for one that may go, so that a flood does not make each newcomer look at all. */
const looksMax = 32;

/**
 * The connections of a port that are no WebSockets. Anybody can open one, ask for nothing, and open it again when its time
 * is over; each takes a descriptor of the process. So a newcomer beyond a bound takes the place of another one, which is
 * destroyed: chance decides, because in a flood the oldest would go before its first request comes. One whose request
 * is under way is spared as long as another one is found.
 */
export interface HttpConnections {
  /** A connection has come. */
  enter(this: void, connection: Socket): void;
  /** It counts for this address as well, that of its client and of no proxy. */
  from(this: void, connection: Socket, address: string): void;
  /** A request of it is under way, until the answer is closed. */
  asks(this: void, connection: Socket, answer: ServerResponse): void;
  /** It has become a WebSocket, or is closed. */
  leave(this: void, connection: Socket): void;
  count(this: void): number;
  /** Destroys all, and each that comes later: nobody else knows of those that still wait for the header of a proxy. */
  close(this: void): void;
}

export type HttpConnectionsOptions = {
  /** Default: `httpConnectionsMax`. */
  readonly httpConnectionsMax?: number;
  /** Those of one address, or of one /64 of IPv6 addresses. Default: any number. */
  readonly httpPerAddressMax?: number;
  readonly reached?: BoundReached;
  /** From 0 to below 1. Default: `Math.random`. */
  readonly random?: () => number;
};

export const httpConnections = (options: HttpConnectionsOptions = {}): HttpConnections => {
  const { httpPerAddressMax: perAddressMax = Number.POSITIVE_INFINITY, reached = () => undefined } = options;
  const { httpConnectionsMax: allMax = httpConnectionsMax, random = Math.random } = options;
  const all = new Crowd();
  const byNetwork = new Map<string, Crowd>();
  const networks = new WeakMap<Socket, string>();
  const answers = new WeakMap<Socket, ServerResponse>();
  let isClosed = false;

  const leave = (connection: Socket): void => {
    if (!all.remove(connection)) return;
    connection.off('close', left);
    const network = networks.get(connection);
    const crowd = network === undefined ? undefined : byNetwork.get(network);
    crowd?.remove(connection);
    if (network !== undefined && crowd?.size === 0) byNetwork.delete(network);
  };
  // One for all, so that a connection that is open for long does not keep one of its own.
  function left(this: Socket): void {
    leave(this);
  }
  const isIdle = (connection: Socket): boolean => !answers.has(connection);
  const makeRoom = (crowd: Crowd, newest: Socket): void => {
    reached('http');
    const other = crowd.some(newest, { fits: isIdle, random }) ?? newest;
    leave(other);
    other.destroy();
  };

  return {
    leave,
    count: () => all.size,
    enter: (connection) => {
      all.add(connection);
      connection.once('close', left);
      if (isClosed) connection.destroy();
      else if (all.size > allMax) makeRoom(all, connection);
    },
    from: (connection, address) => {
      // It may have given way while it said whose it is.
      if (!all.has(connection)) return;
      const network = networkOf(address);
      const crowd = byNetwork.get(network) ?? new Crowd();
      byNetwork.set(network, crowd);
      networks.set(connection, network);
      crowd.add(connection);
      if (crowd.size > perAddressMax) makeRoom(crowd, connection);
    },
    asks: (connection, answer) => {
      answers.set(connection, answer);
      answer.once('close', () => {
        // A client may ask again before it has its answer.
        if (answers.get(connection) === answer) answers.delete(connection);
      });
    },
    close: () => {
      isClosed = true;
      for (const connection of all.list()) connection.destroy();
    },
  };
};

type Choice = { readonly fits: (connection: Socket) => boolean; readonly random: () => number };

/** A set from which one can be taken by chance, in a time that does not depend on its size. */
class Crowd {
  private readonly connections: Socket[] = [];
  private readonly places = new Map<Socket, number>();

  get size(): number {
    return this.connections.length;
  }

  list(): readonly Socket[] {
    return [...this.connections];
  }

  has(connection: Socket): boolean {
    return this.places.has(connection);
  }

  add(connection: Socket): void {
    this.places.set(connection, this.connections.push(connection) - 1);
  }

  /** False when it is not in it. */
  remove(connection: Socket): boolean {
    const place = this.places.get(connection);
    if (place === undefined) return false;
    this.places.delete(connection);
    const last = this.connections.pop();
    if (last !== undefined && last !== connection) {
      this.connections[place] = last;
      this.places.set(last, place);
    }
    return true;
  }

  /** One that fits, else one that does not; undefined where none but `newest` was found. */
  some(newest: Socket, { fits, random }: Choice): Socket | undefined {
    let found: Socket | undefined;
    for (let look = 0; look < looksMax; look += 1) {
      const one = this.connections[Math.floor(random() * this.size)];
      if (one === undefined || one === newest) continue;
      if (fits(one)) return one;
      found = one;
    }
    return found;
  }
}
