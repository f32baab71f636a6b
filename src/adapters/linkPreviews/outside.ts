import { Resolver } from 'node:dns/promises';
import { connect, isIP, type LookupFunction, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { Timers } from '../../kernel/ports/leases.js';

/** The ways out of the machine. Tests pass their own, so that none of them opens a connection to the outside. */
export type Outside = {
  /** All addresses of a name, of both families. Rejects when there are none. */
  readonly resolve: (name: string, signal: AbortSignal) => Promise<readonly string[]>;
  /** A connection to one of these addresses, all of which have been looked at. */
  readonly connect: (addresses: readonly string[], port: number) => Socket;
  /** The addresses of this machine, which are not for strangers to reach from within, public or not. */
  readonly own: () => readonly string[];
  /** Certificates that are trusted in the place of those that Node trusts. */
  readonly authorities?: readonly string[];
  readonly timers: Pick<Timers, 'now' | 'later'>;
};

const answerMillisMax = 2_000;
const triesMax = 2;

/**
 * Asks the name servers itself, over sockets: the system's own look-up would take a thread for as long as a name server
 * of somebody else is silent, and knows names of this machine alone.
 */
export const resolvedNames = async (name: string, signal: AbortSignal): Promise<readonly string[]> => {
  const resolver = new Resolver({ timeout: answerMillisMax, tries: triesMax });
  const cancel = (): void => {
    resolver.cancel();
  };
  signal.addEventListener('abort', cancel, { once: true });
  try {
    const answers = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)]);
    const addresses = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
    if (addresses.length === 0) throw new Error('the name has no address');
    return addresses;
  } finally {
    signal.removeEventListener('abort', cancel);
  }
};

/** Asked anew each time: a machine may be given addresses while the server runs. */
export const ownAddresses = (): readonly string[] =>
  Object.values(networkInterfaces()).flatMap((some = []) => some.map(({ address }) => address));

/** Node asks `lookup` for the addresses of a name, and so connects to none but those that it is given here. */
export const connectedTo = (addresses: readonly string[], port: number): Socket => {
  const known = addresses.map((address) => ({ address, family: isIP(address) }));
  const lookup: LookupFunction = (_, { all }, found) => {
    const [first] = known;
    if (all === true) found(null, known);
    else if (first === undefined) found(new Error('no address'), '');
    else found(null, first.address, first.family);
  };
  return connect({ host: 'looked-at.invalid', port, lookup, autoSelectFamily: true });
};
