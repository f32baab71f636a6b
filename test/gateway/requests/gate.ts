import { localRateLimit } from '../../../src/adapters/rateLimit/local.js';
import { systemTimers } from '../../../src/adapters/system/timers.js';
import type { AskedName, Asker } from '../../../src/gateway/requests/accounts.js';
import {
  admission,
  type Admission,
  type AdmissionVerdict,
  type Limited,
} from '../../../src/gateway/requests/admission.js';
import type { Lines, Turns } from '../../../src/gateway/requests/turns.js';
import type { SessionId, UserId } from '../../../src/kernel/ids.js';
import type { RateLimit } from '../../../src/kernel/ports/rateLimit.js';

const freely: Pick<RateLimit, 'take'> = { take: () => ({ allowed: true }) };

/** It is everybody's turn at any time, so that budgets alone are seen. */
export const atOnce: Turns = { until: () => undefined, spend: () => undefined, underWay: () => undefined };
const anyTime: Lines = { light: atOnce, users: atOnce, strangers: atOnce };

/** An admission by a clock that the test moves, and all that it limited. */
export const gate = (shared = freely, clock = { at: 1_000_000 }, lines = anyTime) => {
  const limited: Limited[] = [];
  const made = admission({
    timers: { ...systemTimers, now: () => clock.at },
    shared,
    limited: (one) => limited.push(one),
    lines,
  });
  return { clock, limited, admit: admitterOf(made), delivered: made.delivered, refusedLater: made.refusedLater };
};

/** The same with the shared limits as they are, by the same clock. */
export const gateWithLimits = () => {
  const clock = { at: 1_000_000 };
  return gate(localRateLimit({ timers: { now: () => clock.at } }), clock);
};

/** The shared limits of these tests answer at once. */
const admitterOf =
  ({ admit }: Admission) =>
  (asker: Asker, name: AskedName, bytes = 40): AdmissionVerdict => {
    const verdict = admit(asker, { name, bytes });
    if (verdict instanceof Promise) throw new Error('a shared limit was waited for');
    return verdict;
  };

export const signedIn = (user: number, session = user): Asker => ({
  address: '192.0.2.7',
  session: { caller: { user: BigInt(user) as UserId, session: BigInt(session) as SessionId } },
  account: undefined,
});
export const signedInBot = (user: number): Asker => {
  const asker = signedIn(user);
  return { ...asker, session: asker.session && { caller: { ...asker.session.caller, bot: true } } };
};
export const stranger = (address = '192.0.2.7'): Asker => ({ address, session: undefined, account: undefined });

export const isRefused = ({ kind }: AdmissionVerdict): boolean => kind === 'refused';
export const waitOf = (verdict: AdmissionVerdict): number =>
  verdict.kind === 'admitted' ? verdict.afterMillis : Infinity;

export const handshake = ['coreInitialize', 'authAuthorize'] as const;
