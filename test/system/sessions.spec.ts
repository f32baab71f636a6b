import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Update } from '../../src/gen/updates.js';
import { onEachDeployment, type Deployment } from '../support/deployments.js';
import { HasherBusy } from '../../src/kernel/ports/system.js';
import { quickHasher } from '../support/quickHasher.js';
import { testServer, type TestServer } from '../support/server.js';
import { initialize, rawClient } from '../gateway/rig/rawClient.js';
import { savedMessages, say, withUser } from './places.js';
import { guest, outcomeOf, resume, signIn, signUp, signUpWith, type Seat } from './seat.js';

let logins = 0;
const newLogin = () => {
  logins += 1;
  return { email: `ada${logins.toString()}@example.org`, password: 'correct horse' };
};

const isText =
  (wanted: string) =>
  ({ messageCreated }: Update): boolean =>
    messageCreated?.message?.message === wanted;

const timesHeard = (seat: Seat, wanted: string): number => seat.updates().filter(isText(wanted)).length;

onEachDeployment('sessions', (start) => {
  let server: Deployment;
  before(async () => {
    server = await start();
  });
  after(() => server.remove());

  const refuses = async (token: string): Promise<void> => {
    const nobody = await guest(server.url);
    assert.equal(outcomeOf(await nobody.ask('authAuthorize', { token })), 403);
    assert.equal(await nobody.raw.closed, 1008);
  };
  /** Two sessions of one user, and two connections of the second. */
  const several = async () => {
    const login = newLogin();
    const first = await signUpWith(server.url, 'Ada', login);
    const second = await signIn(server.url, login);
    return { login, first, second, alsoSecond: await resume(server.url, second.token) };
  };

  it('that are revoked are told so, then closed, and their tokens are dead', async () => {
    const { first, second, alsoSecond } = await several();
    await first.do('authRevokeSessions', { sessionIds: [second.session] });
    for (const victim of [second, alsoSecond]) {
      assert.equal(await victim.raw.closed, 1008);
      assert.deepEqual(victim.raw.received.at(-1)?.update, { sessionDeleted: { sessionId: second.session } });
    }
    await first.update(({ sessionDeleted }) => sessionDeleted?.sessionId === second.session);
    await refuses(second.token);
    const { sessions, current } = await first.do('authGetSessions', {});
    assert.deepEqual(
      sessions.map(({ id }) => id),
      [first.session],
    );
    assert.equal(current, first.session);
  });

  it('may revoke themselves', async () => {
    const { login, first, second } = await several();
    assert.equal(outcomeOf(await second.ask('authRevokeSessions', { sessionIds: [second.session] })), '()');
    assert.equal(await second.raw.closed, 1008);
    await refuses(second.token);
    await first.do('chatsGetChats', {});
    await signIn(server.url, login);
  });

  it('of others cannot be revoked', async () => {
    const { first } = await several();
    const mallory = await signUp(server.url, 'Mallory');
    await mallory.do('authRevokeSessions', { sessionIds: [first.session] });
    await first.do('chatsGetChats', {});
    await resume(server.url, first.token);
    assert.deepEqual(
      first.updates().filter(({ sessionDeleted }) => sessionDeleted !== undefined),
      [],
    );
  });

  it('that do not subscribe are revoked all the same, without being told', async () => {
    const login = newLogin();
    const first = await signUpWith(server.url, 'Ada', login);
    const deaf = await signIn(server.url, login, { noSubscribe: true });
    await first.do('authRevokeSessions', { sessionIds: [deaf.session] });
    assert.equal(await deaf.raw.closed, 1008);
    assert.deepEqual(deaf.updates(), []);
    await refuses(deaf.token);
  });

  it('hear each update once for each of their connections', async () => {
    const { first, second, alsoSecond } = await several();
    const ben = await signUp(server.url, 'Ben');
    await say(ben, withUser(first), 'once');
    await say(ben, withUser(first), 'the end');
    for (const seat of [first, second, alsoSecond]) {
      await seat.update(isText('the end'));
      assert.equal(timesHeard(seat, 'once'), 1);
    }
  });

  it('hear nothing on connections that do not subscribe, which do everything else', async () => {
    const { first, second } = await several();
    const deaf = await resume(server.url, second.token, { noSubscribe: true });
    await say(deaf, savedMessages, 'from the deaf one');
    await first.update(isText('from the deaf one'));
    await second.update(isText('from the deaf one'));
    const { messages } = await deaf.do('messagesGetHistory', { chatRef: savedMessages });
    assert.equal(messages.length, 1);
    assert.deepEqual(deaf.updates(), []);
  });

  it('read what they wrote on another of their connections', async () => {
    // Of one node: what is written on one connection while another is open on another node is told to that one.
    const { url } = server;
    const second = await signUp(url, 'Ada');
    const alsoSecond = await resume(url, second.token);
    await second.do('communitiesCreateCommunity', { name: 'Town' });
    const { communities } = await alsoSecond.do('communitiesGetCommunities', {});
    assert.deepEqual(
      communities.map(({ name }) => name),
      ['Town'],
    );
  });

  it('show the device that each was opened on', async () => {
    const { first, second } = await several();
    const { sessions } = await first.do('authGetSessions', {});
    assert.deepEqual(sessions.map(({ id }) => id).sort(), [first.session, second.session].sort());
    for (const { clientId, deviceType, lastActive } of sessions) {
      assert.deepEqual([clientId, deviceType], [1, 'test']);
      assert.ok(lastActive > 1_700_000_000_000n);
    }
  });

  it('end with a second authorization on the same connection, for that connection only', async () => {
    const { first, second } = await several();
    const other = await signUp(server.url, 'Other');
    assert.equal(outcomeOf(await second.ask('authAuthorize', { token: other.token })), 'authorization');
    await say(first, savedMessages, 'not for the other one');
    await say(other, savedMessages, 'for the other one');
    await second.update(isText('for the other one'));
    assert.equal(timesHeard(second, 'not for the other one'), 0);
  });

  it('of one address are opened by its password only', async () => {
    const { login } = await several();
    const nobody = await guest(server.url);
    const wrong = { email: login.email, password: 'something else' };
    const unknown = { email: 'nobody@example.org', password: login.password };
    const refusals = [await nobody.ask('authLegacySignIn', wrong), await nobody.ask('authLegacySignIn', unknown)];
    assert.deepEqual(refusals.map(outcomeOf), [403, 403]);
    assert.equal(refusals[0]?.error?.errorMessage, refusals[1]?.error?.errorMessage);
    assert.equal(outcomeOf(await nobody.ask('authSignUp', { name: 'Eve', ...login })), 409);
  });
});

describe('after a restart', () => {
  it('tokens, passwords and revocations are as before', async (t) => {
    const login = newLogin();
    const before = await testServer();
    const first = await signUpWith(before.url, 'Ada', login);
    const second = await signIn(before.url, login);
    const third = await signIn(before.url, login);
    await first.do('authRevokeSessions', { sessionIds: [third.session] });
    const server = await before.restarted();
    t.after(() => server.remove());
    assert.equal(await first.raw.closed, 1012);
    assert.equal((await resume(server.url, first.token)).session, first.session);
    assert.equal((await resume(server.url, second.token)).user, first.user);
    await signIn(server.url, login);
    const nobody = await guest(server.url);
    assert.equal(outcomeOf(await nobody.ask('authAuthorize', { token: third.token })), 403);
  });
});

describe('a connection that initializes again', () => {
  let server: TestServer;
  let seat: Seat;
  let other: Seat;
  before(async () => {
    server = await testServer();
    seat = await signUp(server.url, 'Ada');
    other = await resume(server.url, seat.token);
  });
  after(() => server.remove());

  const hears = async (text: string): Promise<boolean> => {
    await say(other, savedMessages, text);
    await other.update(isText(text));
    // Both are told at once, and this is answered behind it.
    await seat.raw.settled();
    return timesHeard(seat, text) > 0;
  };
  const deviceType = async (): Promise<string | undefined> => {
    const { sessions } = await seat.do('authGetSessions', {});
    return sessions.find(({ id }) => id === seat.session)?.deviceType;
  };

  it('is told what happens, or not, as it says last', async () => {
    for (const [index, noSubscribe] of [false, true, true, false, false, true, false].entries()) {
      await seat.do('coreInitialize', { ...initialize, noSubscribe });
      assert.equal(await hears(`text ${index.toString()}`), !noSubscribe);
    }
  });

  it('is on the device that it names last', async () => {
    await seat.do('coreInitialize', { ...initialize, deviceType: 'phone' });
    assert.equal(await deviceType(), 'phone');
    await seat.do('coreInitialize', { ...initialize, deviceType: 'tablet' });
    assert.equal(await deviceType(), 'tablet');
  });

  it('or on the one that it was on, when it says nothing at all', async () => {
    await seat.do('coreInitialize', { ...initialize, deviceType: 'phone' });
    const silent = await rawClient(server.url);
    silent.ask(1, 'authAuthorize', { token: seat.token });
    assert.ok((await silent.result(1)).authorization);
    assert.equal(await deviceType(), 'phone');
  });

  it('is shown whole characters only, where the name of the device is cut short', async () => {
    await seat.do('coreInitialize', { ...initialize, deviceType: `${'x'.repeat(127)}😀` });
    assert.equal(await deviceType(), 'x'.repeat(127));
  });
});

describe('a sign-up', () => {
  it('needs a name in which there is something to see', async (t) => {
    const server = await testServer();
    t.after(() => server.remove());
    const nobody = await guest(server.url);
    for (const name of ['', ' ', '\u200b']) assert.equal(outcomeOf(await nobody.ask('authSignUp', { name })), 400);
  });
});

describe('a sign-up for which the server was too busy', () => {
  it('succeeds when it is sent again', async (t) => {
    const hashes = [() => Promise.reject(new HasherBusy(1)), () => Promise.resolve(Buffer.from('hash'))];
    const hasher = { ...quickHasher, hash: () => hashes.shift()?.() ?? Promise.reject(new Error('once too often')) };
    const server = await testServer({ hasher });
    t.after(() => server.remove());
    const nobody = await guest(server.url);
    const request = { name: 'Ada', ...newLogin() };
    assert.equal(outcomeOf(await nobody.ask('authSignUp', request)), 503);
    assert.equal(outcomeOf(await nobody.ask('authSignUp', request)), 'authorization');
  });
});
