import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { argon2Hasher } from '../../src/adapters/system/argon2.js';
import type { ChannelId, CommunityId } from '../../src/kernel/ids.js';
import { formerFolder } from '../support/formerFolder.js';
import { testServer, type TestServer } from '../support/server.js';
import { savedMessages } from './places.js';
import { guest, outcomeOf, signIn, type Seat } from './seat.js';

/** All accounts of the folder, as they were typed at their sign-up. */
const people = {
  'an address with a host in its own script': ['Leser@BÜCHER.example', 'correct horse 1', 'Büchner'],
  'another spelling of that address': ['leser@xn--bcher-kva.example', 'correct horse 2', 'Puny'],
  'a full-width address': ['ｍｉｋａ＠ｅｘａｍｐｌｅ．ｊｐ', 'correct horse 3', 'ｍｉｋａ'],
  'a decomposed password': ['andre@example.org', 'mot de passe cafe\u0301', 'Andr\u00e9'],
  'a name that turns the text around it': ['turned@example.org', 'correct horse 5', 'a\u202egnp.exe'],
  'an address with something that nobody sees, and an empty name': ['u\u200b@example.org', 'correct horse 6', '\u2800'],
  'a soft hyphen in the address, and a name of two lines': ['zoe@ex\u00adample.net', 'correct horse 7', 'a\nb'],
  'two dots in the address and odd blanks in the password': [
    'a..b@example.org',
    'correct\u00a0horse\u30008',
    'a\u0000b',
  ],
  'brackets around the address and a joiner in the password': ['<u@example.org>', 'correct horse 9\u200d', 'a  b'],
  'a ligature in the address, and a private name': ['ﬁnn@example.org', 'ｃｏｒｒｅｃｔ １', '\ue000'],
} as const;
const turned = people['a name that turns the text around it'];
const communityId = 252948452915281920n as CommunityId;
const channelId = 252948452915281921n as ChannelId;

describe('an account of commit 9fea79f', () => {
  let server: TestServer;
  before(async () => {
    server = await testServer({ dataDir: await formerFolder(), hasher: argon2Hasher() });
  });
  after(() => server.remove());

  const nameOf = async (seat: Seat): Promise<string | undefined> => {
    const { users } = await seat.do('chatsGetChat', { chatRef: savedMessages });
    return users.find(({ id }) => id === seat.user)?.name;
  };
  const signUpWith = async (email: string): Promise<string | number> => {
    const connected = await guest(server.url);
    return outcomeOf(await connected.ask('authSignUp', { name: 'Mallory', email, password: 'correct horse' }));
  };

  it('keeps its address from others, in the form of then and in that of now', async () => {
    for (const email of [
      'leser@bu\u0308cher.example',
      'LESER@xn--bcher-kva.example',
      'mika@example.jp',
      'ｍika@example.jp',
    ]) {
      assert.equal(await signUpWith(email), 409, email);
    }
    assert.equal(await signUpWith('zoe@ex\u00adample.net'), 409);
    assert.equal(await signUpWith('a..b@example.org'), 400);
  });
  for (const [what, [email, password, name]] of Object.entries(people)) {
    it(`signs in, and has its name: ${what}`, async () => {
      const seats = [await signIn(server.url, { email, password }), await signIn(server.url, { email, password })];
      for (const seat of seats) assert.equal(await nameOf(seat), name);
      assert.equal(seats[0]?.user, seats[1]?.user);
    });
  }
  it('signs in by other spellings of its address and password after that', async () => {
    const others = [
      ['ａｎｄｒｅ@example.org', 'mot de passe caf\u00e9', 'Andr\u00e9'],
      ['leser@xn--bcher-kva.example', 'correct horse 1', 'B\u00fcchner'],
      ['mika@example.jp', 'correct horse 3', 'ｍｉｋａ'],
      ['zoe@example.net', 'correct horse 7', 'a\nb'],
      ['a..b@example.org', 'correct horse 8', 'a\u0000b'],
    ] as const;
    for (const [email, password, name] of others) {
      assert.equal(await nameOf(await signIn(server.url, { email, password })), name);
    }
  });
  it('has claimed the canonical form of its address with that', async () => {
    assert.equal(await signUpWith('zoe@example.net'), 409);
  });
  it('keeps its names, also when they are saved again', async () => {
    const [email, password, name] = turned;
    const seat = await signIn(server.url, { email, password });
    assert.equal(outcomeOf(await seat.ask('settingsEditProfile', { name, username: '__', bio: 'still here' })), '()');
    const { users } = await seat.do('chatsGetChat', { chatRef: savedMessages });
    assert.deepEqual([users[0]?.name, users[0]?.username], [name, '__']);

    const { communities } = await seat.do('communitiesGetCommunities', {});
    assert.deepEqual(
      communities.map((one) => one.name),
      ['a\nb'],
    );
    const channel = { communityId, channelId };
    assert.equal(
      outcomeOf(await seat.ask('communitiesEditChannel', { channel, name: 'g\u202en', explicit: true })),
      '()',
    );
    const { channels } = await seat.do('communitiesGetChannels', { communityId });
    assert.deepEqual(
      channels.map((one) => [one.name, one.flags]),
      [['g\u202en', 1n]],
    );
    const { roles } = await seat.do('communitiesGetRoles', { communityId });
    const [role] = roles;
    assert.equal(role?.name, 'r\u2066x');
    assert.equal(outcomeOf(await seat.ask('communitiesEditRole', { ...role, communityId, color: 5 })), '()');
    const nickname = 'n\u202ex';
    assert.equal(
      outcomeOf(await seat.ask('communitiesEditMember', { communityId, memberId: seat.user, nickname })),
      '()',
    );
    const { members } = await seat.do('communitiesGetMembers', { communityId, memberIds: [] });
    assert.equal(members[0]?.nickname, nickname);
  });
  it('takes no new name of the kind', async () => {
    const [email, password] = turned;
    const seat = await signIn(server.url, { email, password });
    for (const change of [{ name: 'b\u202ea' }, { username: '..' }, { username: '1234' }, { username: 'a__b' }]) {
      assert.equal(outcomeOf(await seat.ask('settingsEditProfile', change)), 400, JSON.stringify(change));
    }
    const { users } = await seat.do('chatsGetChat', { chatRef: savedMessages });
    assert.deepEqual([users[0]?.name, users[0]?.username], [turned[2], '__']);
  });
});
