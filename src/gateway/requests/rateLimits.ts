import type { Allowance } from '../../kernel/ports/rateLimit.js';
import type { SharedLimitName } from '../contract/rpcPolicy.js';

/**
 * A limit with the key by which it is counted. `caller`: the session, and the address while there is none, so that
 * signed-in people behind one address do not take each other's.
 */
type Rule = { readonly allowance: Allowance; readonly per: 'session' | 'address' | 'caller' };

const rule = (per: Rule['per'], allowance: Allowance): Rule => ({ per, allowance });

/**
 * The limits that all nodes share, for what is rare and dear, but those of `signInLimits`, which are counted where the
 * account is known. docs/operating.md has this table, made by `npm run docs`.
 */
export const limitTable = {
  recovery: rule('address', { name: 'recovery', burst: 5, perSecond: 1 / 60 }),
  /** Core.Initialize and Authorize. A token cannot be guessed, and a whole office comes back at once after a restart. */
  handshake: rule('caller', { name: 'handshake', burst: 4000, perSecond: 400 }),
  inviteLookup: rule('caller', { name: 'invite-lookup', burst: 60, perSecond: 1 }),
  /** Each keeps copies of several messages. */
  reports: rule('session', { name: 'reports', burst: 10, perSecond: 1 / 60 }),
  creation: rule('session', { name: 'creation', burst: 20, perSecond: 1 / 10 }),
} as const satisfies Readonly<Record<SharedLimitName, Rule>>;

/** An address as limits count it: one household or server has a whole /64 of IPv6 addresses. */
export const networkOf = (address: string): string => {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  if (!address.includes(':')) return address;
  const [head = '', tail] = address.split('::');
  const groups = head === '' ? [] : head.split(':');
  const tailGroups = tail === undefined || tail === '' ? [] : tail.split(':');
  while (tail !== undefined && groups.length + tailGroups.length < 8) groups.push('0');
  return `${[...groups, ...tailGroups].slice(0, 4).join(':')}::/64`;
};
