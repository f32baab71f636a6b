import type { BoundName } from '../contract/bounds.js';
import { networkOf } from '../requests/rateLimits.js';

/** Connections of the process, with a session and without. */
export const connectionsMax = 50_000;

/** A new connection has this long for its first valid request. */
export const firstRequestMillisMax = 30_000;

/** A connection without a session may stay this long after its latest valid request: people type passwords. */
export const signedOutMillisMax = 600_000;

/** How often connections are looked for that have stayed too long, and how many are closed each time. */
export const expirySweepMillis = 250;
export const expiredPerSweepMax = 250;

/** A connection that is younger may still be on its way to its first request, over a slow line. */
export const newcomerMillisMax = 3_000;

/** While newcomers hold at most this share of the places, they are people who arrive, and not a flood. */
const newcomersShare = 1 / 10;

/** A connection that has no session. */
export interface SignedOutConnection {
  readonly address: string;
  /** Whether a request of it is not answered yet. Such a connection never gives way. */
  readonly isAwaiting: boolean;
  /** Closes with 1013, because a newer connection gets the place. */
  giveWay(bound: BoundName): void;
  /** Closes with 1001, because the connection has stayed too long without a session. */
  expire(): void;
}

/**
 * The places of connections that have no session. Anybody can take one, so a newcomer always gets one, unless all the
 * others wait for an answer of ours, and no user has more than one connection to give up: the place of a connection that never made a valid request, else that of the
 * connection whose latest valid request is the oldest.
 *
 * Among the first, chance decides. Were it the oldest, then in a flood nobody would stay for as long as a first request
 * takes to come. And while they are few and all younger than `newcomerMillisMax`, the second goes instead: otherwise
 * newcomers would push each other out, and a stranger who holds all other places by one request each would keep them.
 */
export interface Places {
  /** A new connection takes a place. `open` is the number of connections that the process has with it. */
  enter(this: void, connection: SignedOutConnection, open: number): void;
  /** The connection has made a valid request, or has lost its session. */
  renew(this: void, connection: SignedOutConnection): void;
  /** The connection has a session, or is closing. */
  leave(this: void, connection: SignedOutConnection): void;
  /** Closes connections that have stayed too long. To be called each `expirySweepMillis`. */
  sweep(this: void): void;
  count(this: void): number;
}

export type PlacesOptions = {
  /** Default: `connectionsMax`. */
  readonly connectionsMax?: number;
  /** Connections without a session that one address may have, or one /64 of IPv6 addresses. Default: any number. */
  readonly signedOutPerAddressMax?: number;
  /** Closes a connection with a session, when no other one without gives way. False when there is none to close. */
  readonly makeRoom?: () => boolean;
  /** Milliseconds of a clock that never goes back. Default: the monotonic clock. */
  readonly now?: () => number;
  /** From 0 to below 1. Default: `Math.random`. */
  readonly random?: () => number;
};

export const places = (options: PlacesOptions = {}): Places => {
  const { connectionsMax: openMax = connectionsMax, signedOutPerAddressMax = Number.POSITIVE_INFINITY } = options;
  const { now = () => performance.now(), random = Math.random, makeRoom = () => false } = options;
  const all = new GiveWayOrder();
  const byNetwork = new Map<string, GiveWayOrder>();

  const networkOrder = ({ address }: SignedOutConnection): GiveWayOrder => {
    const network = networkOf(address);
    const order = byNetwork.get(network) ?? new GiveWayOrder();
    byNetwork.set(network, order);
    return order;
  };

  const leave = (connection: SignedOutConnection): void => {
    if (!all.remove(connection)) return;
    const order = networkOrder(connection);
    order.remove(connection);
    if (order.size === 0) byNetwork.delete(networkOf(connection.address));
  };

  const next = (order: GiveWayOrder, newest: SignedOutConnection): SignedOutConnection | undefined =>
    order.nextToGiveWay(newest, { before: now() - newcomerMillisMax, chance: random() });

  const retire = (connection: SignedOutConnection, bound: BoundName): void => {
    leave(connection);
    connection.giveWay(bound);
  };

  return {
    leave,
    count: () => all.size,
    enter: (connection, open) => {
      const order = networkOrder(connection);
      for (const one of [all, order]) one.add(connection, now());
      if (order.size > signedOutPerAddressMax) retire(next(order, connection) ?? connection, 'signed_out_per_address');
      else if (open > openMax) {
        const other = next(all, connection);
        if (other !== undefined || !makeRoom()) retire(other ?? connection, 'connections');
      }
    },
    renew: (connection) => {
      for (const order of [all, networkOrder(connection)]) order.renew(connection, now());
    },
    sweep: () => {
      for (const connection of all.expired(now())) connection.expire();
    },
  };
};

/** Connections in the order in which they give way. */
class GiveWayOrder {
  // A Map keeps its entries in the order in which they came, which is that of the times in it.
  private readonly unproven = new Map<SignedOutConnection, number>();
  private readonly proven = new Map<SignedOutConnection, number>();

  get size(): number {
    return this.unproven.size + this.proven.size;
  }

  add(connection: SignedOutConnection, now: number): void {
    this.unproven.set(connection, now);
  }

  renew(connection: SignedOutConnection, now: number): void {
    this.remove(connection);
    this.proven.set(connection, now);
  }

  /** False when it has no place here. */
  remove(connection: SignedOutConnection): boolean {
    return this.unproven.delete(connection) || this.proven.delete(connection);
  }

  /** Undefined when all the others wait for an answer. Newcomers are younger than `before`. */
  nextToGiveWay(newest: SignedOutConnection, { before, chance }: Chance): SignedOutConnection | undefined {
    const mayGo = (connection: SignedOutConnection): boolean => connection !== newest && !connection.isAwaiting;
    const isFlood = this.unproven.size - 1 > this.size * newcomersShare;
    const unproven = (): SignedOutConnection | undefined => someOf(this.unproven, mayGo, chance);
    const next = isFlood ? unproven() : firstOf(this.unproven, mayGo, before);
    return next ?? firstOf(this.proven, mayGo) ?? unproven();
  }

  /** At most `expiredPerSweepMax`, so that closing them holds nobody up. */
  expired(now: number): readonly SignedOutConnection[] {
    return [
      ...idleSince(this.proven, now - signedOutMillisMax),
      ...idleSince(this.unproven, now - firstRequestMillisMax),
    ].slice(0, expiredPerSweepMax);
  }
}

type Chance = { readonly before: number; readonly chance: number };
type Since = ReadonlyMap<SignedOutConnection, number>;
type Fits = (connection: SignedOutConnection) => boolean;

const firstOf = (since: Since, fits: Fits, before = Number.POSITIVE_INFINITY): SignedOutConnection | undefined => {
  for (const [connection, at] of since) {
    if (at > before) return undefined;
    if (fits(connection)) return connection;
  }
  return undefined;
};

/** Chance decides among so many of the oldest: of more, none comes to be one of the oldest within a round trip. */
const chancesMax = 1_024;

/** The last that fits up to a place that chance decides, or else the first behind it. */
const someOf = (since: Since, fits: Fits, chance: number): SignedOutConnection | undefined => {
  let left = Math.floor(chance * Math.min(since.size, chancesMax));
  let found: SignedOutConnection | undefined;
  for (const connection of since.keys()) {
    if (fits(connection)) found = connection;
    if (left <= 0 && found !== undefined) return found;
    left -= 1;
  }
  return found;
};

const idleSince = (since: Since, time: number): readonly SignedOutConnection[] => {
  const found: SignedOutConnection[] = [];
  for (const [connection, at] of since) {
    if (at > time || found.length === expiredPerSweepMax) break;
    if (!connection.isAwaiting) found.push(connection);
  }
  return found;
};
