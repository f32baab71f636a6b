import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { testServer, type TestServer } from '../support/server.js';
import { savedMessages } from './places.js';
import { outcomeOf, signUp, type Seat } from './seat.js';

const take = async (seat: Seat, username: string) => outcomeOf(await seat.ask('settingsEditProfile', { username }));

const carriedBy = async (seat: Seat): Promise<string | undefined> => {
  const { users } = await seat.do('chatsGetChat', { chatRef: savedMessages });
  return users[0]?.username;
};

describe('a username', () => {
  let server: TestServer;
  before(async () => {
    server = await testServer();
  });
  after(() => server.remove());

  it('belongs to one user, in whatever case it is written', async () => {
    const ada = await signUp(server.url, 'Ada');
    const ben = await signUp(server.url, 'Ben');
    assert.equal(await take(ada, 'lovelace'), '()');
    assert.equal(await take(ben, 'LoveLace'), 409);
    assert.equal(await take(ada, 'LoveLace'), '()');
    assert.equal(await carriedBy(ada), 'LoveLace');
    assert.equal(await carriedBy(ben), undefined);
  });

  it('is free for others as soon as it is given up', async () => {
    const ada = await signUp(server.url, 'Ada');
    const ben = await signUp(server.url, 'Ben');
    await take(ada, 'countess');
    await take(ada, 'enchantress');
    assert.equal(await take(ben, 'countess'), '()');
    await take(ada, '');
    assert.equal(await carriedBy(ada), undefined);
    assert.equal(await take(ben, 'enchantress'), '()');
  });
});
