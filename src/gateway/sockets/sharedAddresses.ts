import { networkOf } from '../requests/rateLimits.js';

/** So many connections with a session from one address are worth a line: a household has fewer. */
export const sharedAddressSessionsMin = 100;

/** All addresses together get one line in this time, so that nobody can fill the log. */
export const sharedAddressMillisMin = 3_600_000;

/**
 * Counts the connections with a session of each address, and tells the operator where many share one: limits that count
 * by address then hold for all of them together, which is wrong if it is a proxy's.
 */
export interface SharedAddresses {
  joined(this: void, address: string): void;
  left(this: void, address: string): void;
}

export type SharedAddressesNeeds = {
  readonly warn: (details: object, message: string) => void;
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
};

export const sharedAddresses = ({ warn, now }: SharedAddressesNeeds): SharedAddresses => {
  const counts = new Map<string, number>();
  let warnedAt = Number.NEGATIVE_INFINITY;
  return {
    joined: (address) => {
      const network = networkOf(address);
      const sessions = (counts.get(network) ?? 0) + 1;
      counts.set(network, sessions);
      if (sessions < sharedAddressSessionsMin || now() - warnedAt < sharedAddressMillisMin) return;
      warnedAt = now();
      warn(
        { address: network, sessions },
        'many sessions share one address: if it is that of a proxy, put it into OSMIUM_TRUSTED_PROXIES',
      );
    },
    left: (address) => {
      const network = networkOf(address);
      const sessions = (counts.get(network) ?? 0) - 1;
      if (sessions > 0) counts.set(network, sessions);
      else counts.delete(network);
    },
  };
};
