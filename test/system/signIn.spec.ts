import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { pino } from 'pino';
import type { HashingQueue, PasswordHasher } from '../../src/kernel/ports/system.js';
import { HasherBusy } from '../../src/kernel/ports/system.js';
import { quickHasher } from '../support/quickHasher.js';
import { testServer } from '../support/server.js';
import { guest, outcomeOf, signIn, signUpWith } from './seat.js';

const login = { email: 'ada@example.org', password: 'correct horse' };

/** A server with its limits on. */
const limited = async (t: TestContext, hasher: Partial<PasswordHasher> = {}) => {
  const lines: Readonly<Record<string, unknown>>[] = [];
  const write = (line: string) => lines.push(JSON.parse(line) as (typeof lines)[0]);
  const server = await testServer({
    environment: { OSMIUM_RATE_LIMITS: 'on' },
    hasher: { ...quickHasher, ...hasher },
    logger: pino({ level: 'info' }, { write }),
  });
  t.after(() => server.remove());
  return { server, lines };
};

describe('a server with its limits on', () => {
  it('still takes a sign-up after twenty that were not in order', async (t) => {
    const { server } = await limited(t);
    const nobody = await guest(server.url);
    for (let index = 0; index < 20; index += 1) {
      assert.equal(outcomeOf(await nobody.ask('authSignUp', { name: '' })), 400);
    }
    for (let index = 0; index < 10; index += 1) {
      assert.equal(outcomeOf(await nobody.ask('authSignUp', { name: 'Ada' })), 'authorization');
    }
    const { error } = await nobody.ask('authSignUp', { name: 'Ada' });
    assert.match(error?.errorMessage ?? '', /^too many requests \(retry after \d+ s\)$/);
  });
  it('lets an account sign in where it signed in before, also after a restart and after many guesses', async (t) => {
    const queues: (HashingQueue | undefined)[] = [];
    const verify: PasswordHasher['verify'] = (password, hash, queue) => {
      queues.push(queue);
      return quickHasher.verify(password, hash);
    };
    const { server } = await limited(t, { verify });
    const { user } = await signUpWith(server.url, 'Ada', login);
    const again = await server.restarted();
    t.after(() => again.close());
    assert.equal((await signIn(again.url, login)).user, user);
    assert.deepEqual(queues, ['known']);
  });
  it('keeps no address of a network in its log, and tells the operator of those who failed', async (t) => {
    const { server, lines } = await limited(t);
    const nobody = await guest(server.url);
    for (let index = 0; index < 12; index += 1) {
      await nobody.ask('authLegacySignIn', { email: 'nobody@example.org', password: 'wrong horse' });
    }
    assert.equal(outcomeOf(await nobody.ask('authAuthorize', { token: 'none' })), 403);
    await server.close();
    const told = lines.filter(({ wrongPasswords }) => wrongPasswords !== undefined);
    assert.deepEqual(
      told.map(({ wrongPasswords, limited: refused, refusedTokens }) => [wrongPasswords, refused, refusedTokens]),
      [[10, 2, 1]],
    );
    assert.match(String(told[0]?.['network']), /^[0-9a-f]{16}$/);
  });
  it('says for how long it is too busy to compare a password', async (t) => {
    const { server } = await limited(t, { hash: () => Promise.reject(new HasherBusy(6.2)) });
    const nobody = await guest(server.url);
    const { error } = await nobody.ask('authLegacySignIn', login);
    const errorMessage =
      'the server cannot serve this right now: too many passwords are being checked (retry after 7 s)';
    assert.deepEqual(error, { errorCode: 503, errorMessage });
  });
});

describe('a new password', () => {
  it('is none of the commonest, whatever the case of its letters', async (t) => {
    const { server } = await limited(t);
    const nobody = await guest(server.url);
    for (const password of ['password', 'Password', '12345678']) {
      const { error } = await nobody.ask('authSignUp', { name: 'Ada', email: 'new@example.org', password });
      assert.equal(error?.errorCode, 400);
      assert.match(error.errorMessage, /one of the commonest/);
    }
  });
});
