import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { localRateLimit } from '../../../src/adapters/rateLimit/local.js';
import type { OpenCall } from '../../../src/gateway/contract/call.js';
import { signInGuard } from '../../../src/gateway/requests/signInGuard.js';
import { isRejection, reject, type Rejection } from '../../../src/kernel/decider.js';
import type { UserId } from '../../../src/kernel/ids.js';
import type { HashingQueue } from '../../../src/kernel/ports/system.js';

const wrong = (): Promise<Rejection> => Promise.resolve(reject('INVALID_CREDENTIALS'));
const right = (): Promise<string> => Promise.resolve('in');

const guarded = () => {
  const time = { millis: 0 };
  const noted: string[] = [];
  const queues: (HashingQueue | undefined)[] = [];
  const guard = signInGuard({
    rateLimit: localRateLimit({ timers: { now: () => time.millis } }),
    hasher: {
      hash: (_, queue) => {
        queues.push(queue);
        return Promise.resolve(Buffer.from(''));
      },
      verify: () => Promise.resolve(true),
    },
    sealer: { lookupHash: (text) => `hash of ${text}` },
    report: { noted: (failure, network) => noted.push(`${failure} ${network}`), close: () => undefined },
  });
  // Nothing else of a call is asked for here.
  const from = (address: string) => ({ address }) as OpenCall;
  const attempting =
    (who: 'known' | 'stranger') =>
    async (address: string, account: string, work: () => Promise<unknown> = wrong): Promise<string> =>
      outcomeOf(await guard.attempt(from(address), { account, isKnown: who === 'known' }, work));
  return {
    guard,
    from,
    noted,
    queues,
    attempt: attempting('stranger'),
    attemptAsKnown: attempting('known'),
    pass: (seconds: number) => (time.millis += seconds * 1_000),
    /** How many of so many attempts were made, until one is refused. */
    tries: async (max: number, next: (index: number) => Promise<string>): Promise<number> => {
      for (let index = 0; index < max; index += 1) if ((await next(index)) === 'RATE_LIMITED') return index;
      return max;
    },
  };
};

const outcomeOf = (outcome: unknown): string => (isRejection(outcome) ? outcome.rejected : 'in');
const addressOf = (index: number): string => `10.0.${Math.floor(index / 200).toString()}.${(index % 200).toString()}`;

describe('wrong passwords', () => {
  it('are ten for an account from one network, then one a minute', async () => {
    const { tries, attempt, pass } = guarded();
    assert.equal(await tries(20, () => attempt('192.0.2.7', 'ada')), 10);
    pass(59);
    assert.equal(await attempt('192.0.2.7', 'ada'), 'RATE_LIMITED');
    pass(1);
    assert.equal(await tries(20, () => attempt('192.0.2.7', 'ada')), 1);
  });
  it('are a hundred for an account from all networks together, then a hundred an hour', async () => {
    const { tries, attempt, pass } = guarded();
    const fromAnywhere = () => tries(200, (index) => attempt(addressOf(index), 'ada'));
    assert.equal(await fromAnywhere(), 100);
    assert.equal(await attempt('192.0.2.9', 'ben'), 'INVALID_CREDENTIALS');
    pass(3_600);
    assert.equal(await fromAnywhere(), 100);
  });
  it('are three hundred from one network over all accounts, then one a second', async () => {
    const { tries, attempt, pass } = guarded();
    const anybody = (round: string) => tries(400, (index) => attempt('192.0.2.7', `${round} ${index.toString()}`));
    assert.equal(await anybody('first'), 300);
    assert.equal(await attempt('192.0.2.8', 'ada'), 'INVALID_CREDENTIALS');
    pass(5);
    assert.equal(await anybody('second'), 5);
  });
  it('are told with the seconds, and take nothing from the other budgets once refused', async () => {
    const { tries, attempt, guard, from } = guarded();
    await tries(10, () => attempt('192.0.2.7', 'ada'));
    for (let index = 0; index < 500; index += 1) await attempt('192.0.2.7', 'ada');
    const refused = await guard.attempt(from('192.0.2.7'), { account: 'ada', isKnown: false }, wrong);
    assert.deepEqual(refused, { rejected: 'RATE_LIMITED', retryAfterSeconds: 60 });
    assert.equal(await tries(400, (index) => attempt('192.0.2.7', index.toString())), 290);
    assert.equal(await tries(200, (index) => attempt(addressOf(index), 'ada')), 90);
  });
  it('are not even compared once refused', async () => {
    const { tries, attempt } = guarded();
    let compared = 0;
    const work = () => {
      compared += 1;
      return wrong();
    };
    await tries(10, () => attempt('192.0.2.7', 'ada'));
    await attempt('192.0.2.7', 'ada', work);
    assert.equal(compared, 0);
  });
});

describe('an account in a network where it signed in before', () => {
  it('gets in although strangers have used up the budgets of the network, of the account and of both', async () => {
    const { tries, attempt, attemptAsKnown } = guarded();
    await tries(200, (index) => attempt(addressOf(index), 'ada'));
    await tries(400, (index) => attempt('192.0.2.7', index.toString()));
    assert.equal(await attempt('192.0.2.7', 'ada', right), 'RATE_LIMITED');
    assert.equal(await attemptAsKnown('192.0.2.7', 'ada', right), 'in');
  });
  it('has ten tries of its own, then one a minute', async () => {
    const { tries, attemptAsKnown, pass } = guarded();
    const known = () => tries(20, () => attemptAsKnown('192.0.2.7', 'ada'));
    assert.equal(await known(), 10);
    pass(60);
    assert.equal(await known(), 1);
  });
});

describe('a try', () => {
  it('is given back by a success, in all budgets', async () => {
    const { attempt, tries } = guarded();
    for (let index = 0; index < 1_000; index += 1) assert.equal(await attempt('192.0.2.7', 'ada', right), 'in');
    assert.equal(await tries(20, () => attempt('192.0.2.7', 'ada')), 10);
  });
  it('is given back when it came to no answer', async () => {
    const { attempt } = guarded();
    const away = () => Promise.reject(new Error('away'));
    for (let index = 0; index < 20; index += 1) await assert.rejects(attempt('192.0.2.7', 'ada', away), /away/);
    assert.equal(await attempt('192.0.2.7', 'ada'), 'INVALID_CREDENTIALS');
  });
  it('is hashed before those of others where the account is known, and sign-ups are with the others', async () => {
    const { guard, from, queues } = guarded();
    const hash = { account: 'ada', isKnown: true };
    await guard.attempt(from('192.0.2.7'), hash, (hashing) => hashing.hash('x'));
    await guard.attempt(from('192.0.2.7'), { ...hash, isKnown: false }, (hashing) => hashing.hash('x'));
    await guard.signUp(from('192.0.2.7'), (hashing) => hashing.hash('x'));
    assert.deepEqual(queues, ['known', 'others', 'others']);
  });
});

describe('signing up', () => {
  it('is possible ten times from one network, then each half minute, whatever came of it', async () => {
    const { guard, from, tries, pass } = guarded();
    const signUp = async () => outcomeOf(await guard.signUp(from('192.0.2.7'), right));
    assert.equal(await tries(20, signUp), 10);
    pass(30);
    assert.equal(await tries(20, signUp), 1);
  });
  it('is not used up by requests that are not in order, which have a bound of their own', async () => {
    const { guard, from, tries } = guarded();
    const invalid = async () => (await guard.invalidSignUp(from('192.0.2.7'), reject('INVALID_NAME'))).rejected;
    assert.equal(await invalid(), 'INVALID_NAME');
    assert.equal(await tries(100, invalid), 59);
    assert.equal(await tries(20, async () => outcomeOf(await guard.signUp(from('192.0.2.7'), right))), 10);
  });
});

describe('the guard', () => {
  it('tells of wrong passwords, refused tokens and refusals by network, and of nothing that went well', async () => {
    const { guard, from, noted, attempt, tries } = guarded();
    await attempt('192.0.2.7', 'ada', right);
    await tries(11, () => attempt('2001:db8:1:2::6', 'ada'));
    guard.tokenRefused(from('192.0.2.7'));
    const network = '2001:db8:1:2::/64';
    const wrongs = Array<string>(10).fill(`wrongPasswords ${network}`);
    assert.deepEqual(noted, [...wrongs, `limited ${network}`, 'refusedTokens 192.0.2.7']);
  });
  it('names a network by a keyed hash that is another one for each user', () => {
    const { guard, from } = guarded();
    const [ada, ben] = [1n, 2n].map((user) => guard.networkKey(from('2001:db8:1:2::6'), user as UserId));
    assert.deepEqual([ada, ben], ['hash of network:1:2001:db8:1:2::/64', 'hash of network:2:2001:db8:1:2::/64']);
  });
});
