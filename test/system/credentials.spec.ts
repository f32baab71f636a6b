import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { testServer, type TestServer } from '../support/server.js';
import { guest, outcomeOf, signIn, signUpWith } from './seat.js';

describe('signing in and up', () => {
  let server: TestServer;
  before(async () => {
    server = await testServer();
  });
  after(() => server.remove());

  const signUp = async (email: string, password = 'correct horse') => {
    const connected = await guest(server.url);
    return outcomeOf(await connected.ask('authSignUp', { name: 'Ada', email, password }));
  };

  it('takes the password composed, decomposed and with any blank', async () => {
    const spellings = ['caf\u00e9 \ud55c', 'cafe\u0301 \u1112\u1161\u11ab', 'cafe\u0301\u00a0\ud55c'].map(
      (text) => `${text} noir`,
    );
    for (const [index, password] of spellings.entries()) {
      const email = `ada${index.toString()}@example.org`;
      const { user } = await signUpWith(server.url, 'Ada', { email, password });
      for (const typed of spellings) {
        const seat = await signIn(server.url, { email, password: typed });
        assert.equal(seat.user, user);
      }
    }
  });
  it('leads to one account, however the address is spelt', async () => {
    const spellings = [
      'Eve@B\u00dcCHER.example',
      'eve@bu\u0308cher.example',
      'eve@xn--bcher-kva.example',
      'ｅｖｅ＠xn--bcher-kva.example',
    ];
    const { user } = await signUpWith(server.url, 'Eve', {
      email: 'eve@b\u00fccher.example',
      password: 'correct horse',
    });
    for (const email of spellings) {
      const seat = await signIn(server.url, { email, password: 'correct horse' });
      assert.deepEqual([seat.user, await signUp(email)], [user, 409], email);
    }
  });
  it('takes no text that is no address', async () => {
    for (const email of [
      'u\u200b@example.org',
      'u\u00ad@example.org',
      'u\u0000@example.org',
      'a..b@example.org',
      '<u@example.org>',
    ]) {
      assert.equal(await signUp(email), 400, JSON.stringify(email));
    }
  });
  it('takes no new password that another system would write otherwise', async () => {
    for (const password of ['correct\u0000horse', 'correct\u200bhorse', 'correct \uffff horse']) {
      assert.equal(await signUp('liv@example.org', password), 400, JSON.stringify(password));
    }
    assert.equal(await signUp('liv@example.org', 'e\u0301'.repeat(4)), 400);
  });
});
