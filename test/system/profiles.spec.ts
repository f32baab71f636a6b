import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { UserStatusStatus } from '../../src/gen/types.js';
import { onEachDeployment, type Deployment } from '../support/deployments.js';
import { found, join, say, withUser, type Town } from './places.js';
import { outcomeOf, signUp, type Seat } from './seat.js';

onEachDeployment('a user who is looked up', (start) => {
  let server: Deployment;
  let ada: Seat;
  let member: Seat;
  let friend: Seat;
  let stranger: Seat;
  /** Has written to Ada, and was not answered. */
  let admirer: Seat;
  let town: Town;
  before(async () => {
    server = await start();
    ada = await signUp(server.url, 'Ada');
    member = await signUp(server.url, 'Member');
    friend = await signUp(server.url, 'Friend');
    stranger = await signUp(server.url, 'Stranger');
    admirer = await signUp(server.url, 'Admirer');
    town = await found(ada, 'Town');
    await join(ada, town, member);
    await say(friend, withUser(ada), 'hello');
    await say(ada, withUser(friend), 'hello');
    await say(admirer, withUser(ada), 'hello');
  });
  after(() => server.remove());

  const lookedUp = async (seat: Seat, username = 'lovelace') =>
    (await seat.do('usersLookupUsername', { username })).user;
  const statusTo = async (seat: Seat): Promise<UserStatusStatus | undefined> => (await lookedUp(seat))?.status?.status;
  const isTold = (seat: Seat, status: UserStatusStatus) =>
    seat.update(({ userStatus }) => userStatus?.userId === ada.user && userStatus.status?.status === status);

  it('is found as soon as the username is taken, and no longer once it is given up', async () => {
    await ada.do('settingsEditProfile', { username: 'countess' });
    assert.equal((await lookedUp(stranger, 'Countess'))?.id, ada.user);
    await ada.do('settingsEditProfile', { username: 'lovelace' });
    assert.equal(outcomeOf(await stranger.ask('usersLookupUsername', { username: 'countess' })), 404);
    assert.equal((await lookedUp(stranger))?.username, 'lovelace');
  });

  it('shows a status to those who are told of it, and to nobody else', async () => {
    await ada.do('settingsChangeStatus', { status: UserStatusStatus.IDLE });
    await Promise.all([member, friend].map((seat) => isTold(seat, UserStatusStatus.IDLE)));
    const statuses = await Promise.all([member, friend, stranger, admirer].map(statusTo));
    assert.deepEqual(statuses, [UserStatusStatus.IDLE, UserStatusStatus.IDLE, undefined, undefined]);
    for (const seat of [stranger, admirer])
      assert.ok(seat.updates().every(({ userStatus }) => userStatus?.userId !== ada.user));
  });

  it('looks offline to everybody while invisible', async () => {
    await ada.do('settingsChangeStatus', { status: UserStatusStatus.INVISIBLE });
    assert.deepEqual(await Promise.all([ada, member, friend, stranger].map(statusTo)), Array(4).fill(undefined));
    await ada.do('settingsChangeStatus', { status: UserStatusStatus.ONLINE });
    assert.deepEqual(await statusTo(member), UserStatusStatus.ONLINE);
  });

  it('has a profile that shows at once what was written, and the communities in common', async () => {
    await ada.do('settingsEditProfile', { bio: 'Counts.' });
    const ref = { userId: ada.user };
    const own = await ada.do('usersGetProfile', { ref });
    assert.deepEqual([own.ref, own.bio, own.mutualCommunities], [ref, 'Counts.', []]);
    const toMember = await member.do('usersGetProfile', { ref, includeMutuals: true });
    assert.deepEqual([toMember.mutualCommunities, toMember.mutualFriends], [[town.community], []]);
    const toStranger = await stranger.do('usersGetProfile', { ref, includeMutuals: true });
    assert.deepEqual(toStranger.mutualCommunities, []);
  });
});
