import { isRejection, reject, type Rejection } from '../../kernel/decider.js';
import type { Allowance, RateLimit, Verdict } from '../../kernel/ports/rateLimit.js';
import type { Sealer } from '../../kernel/ports/sealer.js';
import type { HashingQueue, PasswordHasher } from '../../kernel/ports/system.js';
import type { Hashing, SignInAttempt, SignInGuard } from '../contract/signInGuard.js';
import { networkOf } from './rateLimits.js';
import type { SignInReport } from './signInReport.js';

type Limit = { readonly allowance: Allowance; readonly per: 'account' | 'network' | 'account and network' };

const limit = (per: Limit['per'], allowance: Allowance): Limit => ({ per, allowance });

/**
 * The budgets of passwords and second factors. They are counted where the account and the outcome are known, not before
 * a request is read. docs/operating.md is held to this table by a test.
 */
export const signInLimits = {
  /** A whole office may come at once. A guesser gets on at one guess a second over all accounts. */
  network: limit('network', { name: 'sign-in-network', burst: 300, perSecond: 1 }),
  /** However many networks a guesser has. */
  account: limit('account', { name: 'sign-in-account', burst: 100, perSecond: 1 / 36 }),
  pair: limit('account and network', { name: 'sign-in', burst: 10, perSecond: 1 / 60 }),
  /** In place of the three above for an account in a network where it signed in before: strangers cannot empty it. */
  known: limit('account and network', { name: 'sign-in-known', burst: 10, perSecond: 1 / 60 }),
  signUp: limit('network', { name: 'sign-up', burst: 10, perSecond: 1 / 30 }),
  /** Of its own, so that requests which are not in order cannot keep others from signing up. */
  invalidSignUp: limit('network', { name: 'sign-up-invalid', burst: 60, perSecond: 1 }),
} as const satisfies Readonly<Record<string, Limit>>;

export type SignInGuardNeeds = {
  /** Absent: nothing is limited. */
  readonly rateLimit?: Pick<RateLimit, 'take' | 'giveBack'>;
  readonly hasher: PasswordHasher;
  readonly sealer: Pick<Sealer, 'lookupHash'>;
  readonly report: SignInReport;
};

export const signInGuard = ({ rateLimit, hasher, sealer, report }: SignInGuardNeeds): SignInGuard => {
  const spending = rateLimit === undefined ? unlimited : spendingFrom(rateLimit);

  const limited = (network: string, { retryAfterSeconds }: Refusal): Rejection => {
    report.noted('limited', network);
    return { ...reject('RATE_LIMITED'), retryAfterSeconds };
  };

  return {
    attempt: async (call, attempt, work) => {
      const network = networkOf(call.address);
      const budgets = budgetsOf(attempt, network);
      const refused = await spending.spend(budgets);
      if (refused !== undefined) return limited(network, refused);
      const outcome = await orGivenBack(
        () => work(hashingIn(hasher, attempt.isKnown ? 'known' : 'others', network)),
        () => spending.giveBack(budgets),
      );
      if (isRejection(outcome)) report.noted('wrongPasswords', network);
      else await spending.giveBack(budgets);
      return outcome;
    },
    signUp: async (call, work) => {
      const network = networkOf(call.address);
      const budgets = [{ ...signInLimits.signUp, of: network }];
      const refused = await spending.spend(budgets);
      if (refused !== undefined) return limited(network, refused);
      return orGivenBack(
        () => work(hashingIn(hasher, 'others', network)),
        () => spending.giveBack(budgets),
      );
    },
    invalidSignUp: async (call, invalid) => {
      const network = networkOf(call.address);
      const refused = await spending.spend([{ ...signInLimits.invalidSignUp, of: network }]);
      return refused === undefined ? invalid : limited(network, refused);
    },
    tokenRefused: (call) => {
      report.noted('refusedTokens', networkOf(call.address));
    },
    networkKey: (call, user) => sealer.lookupHash(`network:${user.toString()}:${networkOf(call.address)}`),
  };
};

type Budget = Limit & { readonly of: string };
type Refusal = Extract<Verdict, { readonly allowed: false }>;

/** That of the network first: a flood of made-up accounts then makes no buckets for them. */
const budgetsOf = ({ account, isKnown }: SignInAttempt, network: string): readonly Budget[] => {
  const pair = `${account} ${network}`;
  if (isKnown) return [{ ...signInLimits.known, of: pair }];
  return [
    { ...signInLimits.network, of: network },
    { ...signInLimits.account, of: account },
    { ...signInLimits.pair, of: pair },
  ];
};

/** Takes one of each budget, or of none. */
interface Spending {
  spend(budgets: readonly Budget[]): Promise<Refusal | undefined>;
  giveBack(budgets: readonly Budget[]): Promise<void>;
}

const unlimited: Spending = { spend: () => Promise.resolve(undefined), giveBack: () => Promise.resolve() };

const spendingFrom = (rateLimit: Pick<RateLimit, 'take' | 'giveBack'>): Spending => {
  const giveBack: Spending['giveBack'] = async (budgets) => {
    await Promise.all(budgets.map(async ({ allowance, of }) => rateLimit.giveBack(allowance, of)));
  };
  return {
    giveBack,
    spend: async (budgets) => {
      for (const [index, { allowance, of }] of budgets.entries()) {
        const verdict = await rateLimit.take(allowance, of);
        if (verdict.allowed) continue;
        await giveBack(budgets.slice(0, index));
        return verdict;
      }
      return undefined;
    },
  };
};

const orGivenBack = async <T>(work: () => Promise<T>, giveBack: () => Promise<void>): Promise<T> => {
  try {
    return await work();
  } catch (error) {
    await giveBack();
    throw error;
  }
};

const hashingIn = (hasher: PasswordHasher, queue: HashingQueue, network: string): Hashing => ({
  hash: (password) => hasher.hash(password, queue, network),
  verify: (password, hash) => hasher.verify(password, hash, queue, network),
});
