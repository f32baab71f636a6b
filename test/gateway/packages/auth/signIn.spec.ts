import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { localRateLimit } from '../../../../src/adapters/rateLimit/local.js';
import { memoryVault } from '../../../../src/adapters/vault/memory.js';
import { accounts } from '../../../../src/domain/accounts/decide.js';
import { uniqueNames } from '../../../../src/gateway/access/uniqueNames.js';
import type { OpenCall } from '../../../../src/gateway/contract/call.js';
import { verified } from '../../../../src/gateway/packages/auth/credentials.js';
import { passwordName } from '../../../../src/gateway/packages/auth/passwordName.js';
import { signInGuard } from '../../../../src/gateway/requests/signInGuard.js';
import { isRejection, type Rejection } from '../../../../src/kernel/decider.js';
import type { SessionId, UserId } from '../../../../src/kernel/ids.js';
import type { EventLog } from '../../../../src/kernel/ports/eventLog.js';
import type { HashingQueue, PasswordHasher } from '../../../../src/kernel/ports/system.js';
import { foldedStreams } from '../../../../src/kernel/foldedStreams.js';
import { quickHasher } from '../../../support/quickHasher.js';
import { kernelInMemory } from '../../../support/house/kernel.js';

const office = '198.51.100.7';
const device = { clientId: 0, deviceType: '', deviceVersion: '', appVersion: '' };

/** The log, with the kinds of the streams that were read. */
const watchedLog = (log: EventLog) => {
  const reads: string[] = [];
  const watched: EventLog = {
    ...log,
    readStream: (stream, read) => {
      reads.push(stream.replace(/-.*/, ''));
      return log.readStream(stream, read);
    },
  };
  return { reads, watched };
};

/** Keeps passwords as they are, and the queues that they waited in. */
const watchedHasher = () => {
  const queues: (HashingQueue | undefined)[] = [];
  const hashing = { before: (): Promise<void> => Promise.resolve() };
  const hasher: PasswordHasher = {
    hash: async (password, queue) => {
      queues.push(queue);
      await hashing.before();
      return quickHasher.hash(password);
    },
    verify: async (password, hash, queue) => {
      queues.push(queue);
      await hashing.before();
      return quickHasher.verify(password, hash);
    },
  };
  return { queues, hashing, hasher };
};

/** Sign-ins over the real budgets, accounts and log, by a clock of the test, with passwords that are not hashed. */
const signingIn = async () => {
  const { execute, codec, sealer, ids, log, now } = await kernelInMemory();
  const { reads, watched } = watchedLog(log);
  const streams = foldedStreams({ log: watched, codec, sealer });
  const names = uniqueNames({ streams, sealer });
  const vault = memoryVault();
  const clock = { millis: 0 };
  const { queues, hashing, hasher } = watchedHasher();
  const rateLimit = localRateLimit({ timers: { now: () => clock.millis } });
  const report = { noted: () => undefined, close: () => undefined };
  const guard = signInGuard({ rateLimit, hasher, sealer, report });
  const callFrom = (address: string) =>
    // Nothing else of a call is asked for here.
    ({
      now: now(),
      address,
      run: (decider, command) => execute(decider, command, { commandId: ids.commandId(), correlationId: 'test' }),
    }) as Pick<OpenCall, 'now' | 'address' | 'run'> as OpenCall;
  const session = (user: UserId, call: OpenCall) => ({
    user,
    session: ids.next() as SessionId,
    tokenHash: '',
    device,
    network: guard.networkKey(call, user),
    today: 0,
  });

  return {
    reads,
    queues,
    hashing,
    pass: (seconds: number) => (clock.millis += seconds * 1_000),
    account: async (address: string, email: string, password = 'correct horse') => {
      const [call, user, name] = [callFrom(address), ids.next() as UserId, names.nameOf('email', email)];
      await names.claim(call, name, user);
      await vault.put(passwordName(user), await quickHasher.hash(password));
      const data = { ...session(user, call), hasPassword: true, email: { address: email, key: name.key } };
      await call.run(accounts, { type: 'RegisterAccount', data }, { actor: user });
      return user;
    },
    signIn: async (address: string, email: string, password = 'correct horse'): Promise<UserId | Rejection> => {
      const call = callFrom(address);
      const holder = await verified({ names, vault, streams, guard }, call, { email, password });
      if (isRejection(holder)) return holder;
      await call.run(accounts, { type: 'OpenSession', data: session(holder.user, call) });
      return holder.user;
    },
  };
};

const emailOf = (index: number): string => `person${index.toString()}@example.org`;
const people = Array.from({ length: 300 }, (_, index) => index);
const reasonOf = (outcome: UserId | Rejection): string => (isRejection(outcome) ? outcome.rejected : 'in');

describe('three hundred people behind one address who sign in within a minute', () => {
  it('are all let in, one after the other, each with a wrong password first', async () => {
    const { account, signIn, pass } = await signingIn();
    for (const person of people) await account(`10.1.0.${person.toString()}`, emailOf(person));
    for (const person of people) {
      assert.equal(reasonOf(await signIn(office, emailOf(person), 'correct hrose')), 'INVALID_CREDENTIALS');
      assert.equal(reasonOf(await signIn(office, emailOf(person))), 'in');
      pass(0.2);
    }
  });
  it('are all let in, all at the same moment', async () => {
    const { account, signIn } = await signingIn();
    for (const person of people) await account(`10.1.0.${person.toString()}`, emailOf(person));
    const outcomes = await Promise.all(people.map((person) => signIn(office, emailOf(person))));
    assert.deepEqual(new Set(outcomes.map(reasonOf)), new Set(['in']));
  });
  it('are all let in again while somebody among them guesses passwords', async () => {
    const { account, signIn } = await signingIn();
    for (const person of people) await account(office, emailOf(person));
    for (let guess = 0; guess < 400; guess += 1) await signIn(office, `nobody${guess.toString()}@example.org`, 'guess');
    assert.equal(reasonOf(await signIn(office, 'nobody@example.org', 'guess')), 'RATE_LIMITED');
    for (const person of people) assert.equal(reasonOf(await signIn(office, emailOf(person))), 'in');
  });
});

describe('an account', () => {
  it('cannot be kept from its own network by guesses from all over the world', async () => {
    const { account, signIn } = await signingIn();
    const ada = await account(office, emailOf(1));
    for (let guess = 0; guess < 200; guess += 1) await signIn(`10.2.0.${guess.toString()}`, emailOf(1), 'guess');
    assert.equal(reasonOf(await signIn('203.0.113.9', emailOf(1))), 'RATE_LIMITED');
    assert.equal(await signIn(office, emailOf(1)), ada);
  });
  it('is known in a network from its first sign-in there, in any spelling of its address', async () => {
    const { account, signIn, queues } = await signingIn();
    await account(office, emailOf(1));
    for (const email of [emailOf(1), emailOf(1), 'Person1@EXAMPLE.org']) await signIn('203.0.113.9', email);
    assert.deepEqual(queues, ['others', 'known', 'known']);
  });
  it('signs in by a password that is among the commonest, because only new ones are judged', async () => {
    const { account, signIn } = await signingIn();
    const ada = await account(office, emailOf(1), 'password');
    assert.equal(await signIn(office, emailOf(1), 'password'), ada);
  });
  it('is not known where only its wrong password came from', async () => {
    const { account, signIn, queues } = await signingIn();
    await account(office, emailOf(1));
    for (let guess = 0; guess < 3; guess += 1) await signIn('203.0.113.9', emailOf(1), 'guess');
    assert.deepEqual(queues, ['others', 'others', 'others']);
  });
  it('is counted as one in all spellings of its address', async () => {
    const { account, signIn } = await signingIn();
    await account(office, emailOf(1));
    const spellings = [emailOf(1), 'PERSON1@example.org', 'ｐerson1@example.org'];
    const outcomes: string[] = [];
    for (let guess = 0; guess < 12; guess += 1) {
      outcomes.push(reasonOf(await signIn('203.0.113.9', spellings[guess % 3] ?? '', 'guess')));
    }
    assert.deepEqual(outcomes.slice(9), ['INVALID_CREDENTIALS', 'RATE_LIMITED', 'RATE_LIMITED']);
  });
});

describe('an account that does not exist', () => {
  it('is refused as one that does, at the same try, with the same seconds, after the same reads and hashes', async () => {
    const { account, signIn, reads, queues } = await signingIn();
    await account(office, emailOf(1));
    const guesses = async (email: string) => {
      const seen: unknown[] = [];
      for (let guess = 0; guess < 12; guess += 1) {
        [reads.length, queues.length] = [0, 0];
        seen.push([await signIn('203.0.113.9', email, 'guess'), [...reads].sort(), [...queues]]);
      }
      return seen;
    };
    const [known, unknown] = [await guesses(emailOf(1)), await guesses('nobody@example.org')];
    assert.deepEqual(unknown, known);
    assert.deepEqual(known.at(-1), [{ rejected: 'RATE_LIMITED', retryAfterSeconds: 60 }, ['account', 'email'], []]);
  });
  it('has a budget of its own for each text, also where that is no address', async () => {
    const { signIn } = await signingIn();
    for (let guess = 0; guess < 12; guess += 1) await signIn(office, 'no address', 'guess');
    assert.equal(reasonOf(await signIn(office, 'no address', 'guess')), 'RATE_LIMITED');
    assert.equal(reasonOf(await signIn(office, 'another that is none', 'guess')), 'INVALID_CREDENTIALS');
  });
});

describe('a flood of wrong passwords', () => {
  const guesses = async (addresses: number, emails: number): Promise<number> => {
    const { account, signIn, queues } = await signingIn();
    for (let index = 0; index < emails; index += 1) await account(office, emailOf(index));
    queues.length = 0;
    for (let guess = 0; guess < 1_000; guess += 1)
      await signIn(`10.2.0.${(guess % addresses).toString()}`, emailOf(guess % emails), 'guess');
    return queues.length;
  };

  it('for one account has ten of them hashed from one address', async () => {
    assert.equal(await guesses(1, 1), 10);
  });
  it('for one account has a hundred of them hashed from fifty addresses', async () => {
    assert.equal(await guesses(50, 1), 100);
  });
  it('for a thousand accounts has three hundred of them hashed from one address', async () => {
    assert.equal(await guesses(1, 1_000), 300);
  });
});

describe('a sign-in for which the server is too busy', () => {
  it('takes no try', async () => {
    const { account, signIn, hashing } = await signingIn();
    await account('203.0.113.9', emailOf(1));
    hashing.before = () => Promise.reject(new Error('too busy'));
    for (let index = 0; index < 20; index += 1) await assert.rejects(signIn(office, emailOf(1)), /too busy/);
    hashing.before = () => Promise.resolve();
    assert.equal(reasonOf(await signIn(office, emailOf(1))), 'in');
  });
});
