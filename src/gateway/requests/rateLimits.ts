import type { RpcName } from '../../gen/rpcs.js';
import type { SessionId } from '../../kernel/ids.js';
import type { Allowance, RateLimit, Verdict } from '../../kernel/ports/rateLimit.js';
import { rpcPolicy, type LimitName } from '../contract/rpcPolicy.js';

/** A limit with the key it is counted by. Without a session everything counts for the address. */
type Rule = { readonly allowance: Allowance; readonly per: 'session' | 'address' };

const rule = (per: Rule['per'], allowance: Allowance): Rule => ({ per, allowance });

/**
 * Every limit there is. docs/operating.md is held to this table by a test. Heartbeats and pings are never limited:
 * clients start one more heartbeat timer with each reconnect.
 */
export const limitTable = {
  /** A password is guessed at the rate of the slowest door; each try costs the server a slow hash as well. */
  signIn: rule('address', { name: 'sign-in', burst: 10, perSecond: 1 / 6 }),
  signUp: rule('address', { name: 'sign-up', burst: 10, perSecond: 1 / 30 }),
  recovery: rule('address', { name: 'recovery', burst: 5, perSecond: 1 / 60 }),
  /** Core.Initialize and Authorize. A token cannot be guessed, and a whole office comes back at once after a restart. */
  handshake: rule('address', { name: 'handshake', burst: 4000, perSecond: 400 }),
  inviteLookup: rule('address', { name: 'invite-lookup', burst: 60, perSecond: 1 }),
  messages: rule('session', { name: 'messages', burst: 60, perSecond: 10 }),
  typing: rule('session', { name: 'typing', burst: 30, perSecond: 5 }),
  creation: rule('session', { name: 'creation', burst: 20, perSecond: 1 / 10 }),
  requests: rule('session', { name: 'requests', burst: 300, perSecond: 50 }),
} as const satisfies Readonly<Record<LimitName, Rule>>;

/** Whether this request may be served now. `of` says whose it is. */
export interface RateLimits {
  check(rpc: RpcName, of: { readonly address: string; readonly session?: SessionId }): Verdict | Promise<Verdict>;
}

const allowed: Verdict = { allowed: true };

export const noRateLimits: RateLimits = { check: () => allowed };

export const rateLimits = (rateLimit: RateLimit): RateLimits => ({
  check: (rpc, { address, session }) => {
    const { per, allowance } = limitTable[rpcPolicy[rpc].limit];
    const key = per === 'session' && session !== undefined ? session.toString() : networkOf(address);
    return rateLimit.take(allowance, key);
  },
});

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
