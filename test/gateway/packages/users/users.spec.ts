import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { memberStream } from '../../../../src/domain/members/events.js';
import { membershipsMax } from '../../../../src/gateway/packages/communities/membershipsLimit.js';
import { UserStatusStatus, type UserInit } from '../../../../src/gen/types.js';
import { isRejection } from '../../../../src/kernel/decider.js';
import type { Event } from '../../../../src/kernel/event.js';
import type { CommunityId, FileId, UserId } from '../../../../src/kernel/ids.js';
import { usualPermissions } from '../../../../src/kernel/permissions.js';
import { ada, bob, cleo, community, dm, dora, nobody } from '../../../support/house/cast.js';
import { house, type House } from '../../../support/house/house.js';
import type { Node } from '../../../support/house/node.js';

let here: House;
let node: Node;
beforeEach(async () => {
  here = await house();
  node = await here.node();
});
afterEach(() => here.close());

const online = { status: UserStatusStatus.ONLINE, activities: [] };
const streamOf = (user: UserId): string => `user-${user.toString()}`;
/** The name that the cast claimed for the user, as the user writes it. */
const carries = (user: UserId, username: string): Event => ({
  type: 'UsernameChanged',
  data: { user, username, usernameKey: `hash-of-${Buffer.from(`username:${username.toLowerCase()}`).toString('hex')}` },
});
const carry = (user: UserId, username: string): Promise<void> => here.happened(streamOf(user), carries(user, username));
const founded = (id: CommunityId): Promise<void> =>
  here.happened(`community-${id.toString()}`, {
    type: 'CommunityCreated',
    data: { community: id, owner: ada, defaultPermissions: usualPermissions, name: 'Another' },
  });
const came = (id: CommunityId, user: UserId): Promise<void> =>
  here.happened(`member-${id.toString()}.${user.toString()}`, {
    type: 'MemberJoined',
    data: { community: id, user, via: 'invite', joining: 1 },
  });
const went = (id: CommunityId, user: UserId): Promise<void> =>
  here.happened(`member-${id.toString()}.${user.toString()}`, { type: 'MemberLeft', data: { community: id, user } });
const ended = (id: CommunityId): Promise<void> =>
  here.happened(`community-${id.toString()}`, { type: 'CommunityDeleted', data: { community: id, by: ada } });
const refusal = (answer: object): unknown => (isRejection(answer) ? answer.rejected : undefined);

describe('LookupUsername', () => {
  const lookup = async (caller: UserId, username: string): Promise<UserInit | undefined> =>
    (await node.must(caller, 'usersLookupUsername', { username })).userDetails.user;
  const refused = async (username: string): Promise<unknown> =>
    refusal(await node.ask(ada, 'usersLookupUsername', { username }));

  it('finds a user by the username in any spelling', async () => {
    await carry(dora, 'User4');
    for (const spelling of ['User4', 'user4', 'USER4', '@user4', '＠ｕｓｅｒ４']) {
      const found = await lookup(ada, spelling);
      assert.deepEqual([found?.id, found?.name, found?.username], [dora, 'Dora', 'User4'], spelling);
    }
  });

  it('shows to everybody how the user looks', async () => {
    const icon = 7n as FileId;
    await carry(dora, 'user4');
    await here.happened(streamOf(dora), { type: 'IconChanged', data: { user: dora, icon } });
    await here.happened(streamOf(dora), { type: 'ColorChanged', data: { user: dora, color: 0x12_34_56 } });
    assert.deepEqual(await lookup(bob, 'user4'), {
      id: dora,
      name: 'Dora',
      username: 'user4',
      bot: false,
      icon,
      color: 0x12_34_56,
    });
  });

  it('is refused for a username that nobody carries', async () => {
    for (const username of ['unknown', '', '@', 'a b', 'x'.repeat(33), '@@user2']) {
      assert.equal(await refused(username), 'USER_NOT_FOUND', username);
    }
  });

  it('is refused for a username that is only claimed, or was given up', async () => {
    assert.equal(await refused('user2'), 'USER_NOT_FOUND');
    await carry(bob, 'user2');
    assert.equal((await lookup(ada, 'user2'))?.id, bob);
    await carry(bob, 'user2b');
    assert.equal(await refused('user2'), 'USER_NOT_FOUND');
  });

  it('is refused for a username that was erased', async () => {
    here.sealer.shred(bob.toString());
    await carry(bob, 'user2');
    assert.equal(await refused('user2'), 'USER_NOT_FOUND');
  });

  it('waits for the read models where they do not know of the username yet', async () => {
    node.atNextWait(() => carry(bob, 'user2'));
    assert.equal((await lookup(ada, 'user2'))?.id, bob);
  });

  describe('shows the status', () => {
    const statusFor = async (caller: UserId) => (await lookup(caller, 'user2'))?.status;
    beforeEach(async () => {
      await carry(bob, 'user2');
      await node.connect(bob);
    });

    it('to members of the same community', async () => {
      assert.deepEqual(await statusFor(ada), online);
    });

    it('to the user, also without any community', async () => {
      await carry(dora, 'user4');
      assert.deepEqual((await lookup(dora, 'user4'))?.status, online);
    });

    it('to nobody who has no community and no direct chat with the user', async () => {
      assert.equal(await statusFor(dora), undefined);
    });

    it('to the other side of a direct chat once both have written', async () => {
      await node.send(dora, { chatRef: dm(bob), message: 'hello' });
      assert.equal(await statusFor(dora), undefined);
      await node.send(bob, { chatRef: dm(dora), message: 'hello' });
      assert.deepEqual(await statusFor(dora), online);
    });

    it('no longer once one of the two has left the community', async () => {
      assert.deepEqual(await statusFor(cleo), online);
      await went(community, cleo);
      assert.equal(await statusFor(cleo), undefined);
      await went(community, bob);
      assert.equal(await statusFor(ada), undefined);
    });

    it('not to a caller who leaves while the status is fetched', async () => {
      let isFetched = (): unknown => undefined;
      const of: typeof here.presence.of = async (users) => {
        await isFetched();
        return here.presence.of(users);
      };
      const elsewhere = await here.node({ presence: { ...here.presence, of } });
      await elsewhere.connect(ada);
      isFetched = () => went(community, ada);
      const { userDetails } = await elsewhere.must(ada, 'usersLookupUsername', { username: 'user2' });
      assert.deepEqual([userDetails.user?.id, userDetails.user?.status], [bob, undefined]);
    });

    it('not to a caller of whose leaving the read models do not know yet', async () => {
      assert.deepEqual(await statusFor(ada), online);
      await here.unread(memberStream(community, ada), { type: 'MemberLeft', data: { community, user: ada } });
      const found = await lookup(ada, 'user2');
      assert.deepEqual([found?.id, found?.status], [bob, undefined]);
    });

    it('no longer once the community is deleted', async () => {
      assert.deepEqual(await statusFor(ada), online);
      await ended(community);
      assert.equal(await statusFor(ada), undefined);
    });
  });
});

describe('GetProfile', () => {
  const profile = async (caller: UserId, userId: UserId, asked: { readonly includeMutuals?: boolean } = {}) =>
    (await node.must(caller, 'usersGetProfile', { ref: { userId }, ...asked })).profile;
  const mutual = async (caller: UserId, userId: UserId) =>
    (await profile(caller, userId, { includeMutuals: true })).mutualCommunities;
  const another = 200n as CommunityId;
  const third = 300n as CommunityId;

  it('has the text about the user, and neither name nor status', async () => {
    await here.happened(streamOf(dora), { type: 'BioChanged', data: { user: dora, bio: 'Counts.' } });
    assert.deepEqual(await profile(ada, dora), {
      ref: { userId: dora },
      bio: 'Counts.',
      mutualCommunities: [],
      mutualFriends: [],
    });
  });

  it('has no text where the user wrote none', async () => {
    assert.deepEqual(await profile(ada, dora), {
      ref: { userId: dora },
      bio: '',
      mutualCommunities: [],
      mutualFriends: [],
    });
  });

  it('has no text where it was erased', async () => {
    here.sealer.shred(dora.toString());
    await here.happened(streamOf(dora), { type: 'BioChanged', data: { user: dora, bio: 'Counts.' } });
    assert.equal((await profile(ada, dora)).bio, '');
  });

  it('lists mutual communities only when asked, in the order in which the caller joined', async () => {
    for (const id of [third, another]) await founded(id);
    for (const id of [third, another]) for (const user of [ada, bob]) await came(id, user);
    assert.deepEqual((await profile(ada, bob)).mutualCommunities, []);
    assert.deepEqual(await mutual(ada, bob), [community, third, another]);
    assert.deepEqual(await mutual(ada, dora), []);
  });

  it('lists no community that one of the two has left, never joined, or that is deleted', async () => {
    for (const id of [third, another]) await founded(id);
    await came(third, bob);
    for (const user of [ada, bob]) await came(another, user);
    assert.deepEqual(await mutual(ada, bob), [community, another]);
    await ended(another);
    assert.deepEqual(await mutual(ada, bob), [community]);
    await went(community, bob);
    assert.deepEqual(await mutual(ada, bob), []);
  });

  it('lists as many mutual communities as a user may be in', async () => {
    const ids = Array.from({ length: membershipsMax - 1 }, (_, index) => BigInt(1_000 + index) as CommunityId);
    for (const id of ids) {
      await founded(id);
      for (const user of [ada, bob]) await came(id, user);
    }
    assert.deepEqual(await mutual(ada, bob), [community, ...ids]);
  });

  it('waits for the read models where they do not know of the user yet', async () => {
    const registered = { type: 'UserRegistered', data: { user: nobody, name: 'Newcomer', bot: false } };
    node.atNextWait(() => here.happened(streamOf(nobody), registered));
    assert.deepEqual((await profile(ada, nobody)).ref, { userId: nobody });
  });

  it('is refused for nobody', async () => {
    const refused = async (request: object): Promise<unknown> =>
      refusal(await node.ask(ada, 'usersGetProfile', request));
    assert.equal(await refused({ ref: { userId: nobody } }), 'USER_NOT_FOUND');
    assert.equal(await refused({ ref: {} }), 'USER_NOT_FOUND');
    assert.equal(await refused({}), 'INVALID_ARGUMENT');
  });
});
