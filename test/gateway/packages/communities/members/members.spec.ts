import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { UserStatusStatus } from '../../../../../src/gen/types.js';
import type { RoleId, UserId } from '../../../../../src/kernel/ids.js';
import { permission, usualPermissions } from '../../../../../src/kernel/permissions.js';
import { empowered, inviteTo, settledTown } from '../../../../support/house/town.js';

const { modifyRoles, pinMessages, viewChannel } = permission;

describe('GetMembers', () => {
  it('gives those who are members, and is silent about others', async () => {
    const town = await settledTown();
    const { ada, bob, cleo, community: communityId } = town;
    const { members } = await town.must(bob, 'communitiesGetMembers', { communityId, memberIds: [cleo, ada, ada] });
    assert.deepEqual(members.members, [{ id: ada, communityId, roleIds: [] }]);
    assert.deepEqual(
      members.users.map(({ id, name, status }) => ({ id, name, status })),
      [{ id: ada, name: 'Ada', status: { status: UserStatusStatus.ONLINE, activities: [] } }],
    );
  });
  it('lists all when nobody is named', async () => {
    const { must, ada, bob, community: communityId } = await settledTown();
    const { members } = await must(bob, 'communitiesGetMembers', { communityId, memberIds: [] });
    assert.deepEqual(
      members.members.map(({ id }) => id),
      [ada, bob],
    );
    assert.deepEqual(
      members.users.map(({ name }) => name),
      ['Ada', 'Bob'],
    );
  });
  it('is for members', async () => {
    const { refused, cleo, community: communityId } = await settledTown();
    assert.equal(await refused(cleo, 'communitiesGetMembers', { communityId, memberIds: [] }), 'COMMUNITY_NOT_FOUND');
  });
  it('names who has no profile any more', async () => {
    const town = await settledTown();
    const { ada, community: communityId } = town;
    const ghost = 7n as UserId;
    await town.happened(`member-${communityId.toString()}.7`, {
      type: 'MemberJoined',
      data: { community: communityId, user: ghost, via: 'invite', joining: 1 },
    });
    const { members } = await town.must(ada, 'communitiesGetMembers', { communityId, memberIds: [ghost] });
    assert.deepEqual(members.users, [{ id: ghost, name: 'Deleted', bot: false }]);
  });
});

describe('EditMember', () => {
  it('tells all of the nickname', async () => {
    const town = await settledTown();
    const { ada, bob, community: communityId } = town;
    await town.must(bob, 'communitiesEditMember', { communityId, memberId: bob, nickname: ' Bobby ' });
    const member = { id: bob, communityId, roleIds: [], nickname: 'Bobby' };
    assert.deepEqual(town.heard(ada), [{ communityMember: { communityId, memberId: bob, member } }]);
    await town.must(ada, 'communitiesEditMember', { communityId, memberId: bob, nickname: '' });
    assert.equal(town.heard(bob).at(-1)?.communityMember?.member?.nickname, undefined);
  });
  it('tells of a member who is connected elsewhere, or not at all', async () => {
    const town = await settledTown();
    const { ada, bob, community: communityId } = town;
    const role = await empowered(town, pinMessages);
    const fresh = await town.node();
    await fresh.connect(ada);
    await fresh.must(ada, 'communitiesEditMember', { communityId, memberId: bob, nickname: 'Bobby' });
    const member = { id: bob, communityId, roleIds: [role], nickname: 'Bobby' };
    assert.deepEqual(fresh.heard(ada), [{ communityMember: { communityId, memberId: bob, member } }]);
    await town.must(bob, 'communitiesLeaveCommunity', { communityId });
    assert.deepEqual(fresh.heard(ada), [{ communityMemberDeleted: { communityId, memberId: bob } }]);
    await town.must(bob, 'authUseInvite', { code: town.code });
    const [joined] = fresh.heard(ada);
    assert.equal(joined?.communityMemberCreated?.user?.name, 'Bob');
    assert.deepEqual(joined.communityMemberCreated.member?.id, bob);
  });
  it('tells the member what new roles let them do and see', async () => {
    const town = await settledTown();
    const { ada, bob, community: communityId, general: channelId } = town;
    const role = await empowered(town, pinMessages);
    await town.must(ada, 'communitiesEditMember', { communityId, memberId: bob, roleIds: { roleIds: [] } });
    const about = { communityId, channelId };
    const hidden = { ...about, roleId: 0n as RoleId, permissions: { pos: 0n, neg: viewChannel } };
    await town.must(ada, 'communitiesCreateChannelOverride', hidden);
    const seen = { ...about, roleId: role, permissions: { pos: viewChannel, neg: 0n } };
    await town.must(ada, 'communitiesCreateChannelOverride', seen);
    town.heard(bob);
    await town.must(ada, 'communitiesEditMember', { communityId, memberId: bob, roleIds: { roleIds: [role] } });
    const [first, second, third, ...rest] = town.heard(bob);
    assert.deepEqual(first?.communityMember?.member?.roleIds, [role]);
    assert.equal(second?.community?.community?.permissions, usualPermissions | pinMessages);
    assert.equal(third?.channel?.channel?.id, channelId);
    assert.deepEqual(rest, []);
    await town.must(ada, 'communitiesEditMember', { communityId, memberId: bob, roleIds: { roleIds: [] } });
    assert.deepEqual(town.heard(bob).at(-1), { channelDeleted: { channel: about } });
  });
  it('keeps to the hierarchy', async () => {
    const town = await settledTown();
    const { ada, bob, cleo, community: communityId } = town;
    const edit = (memberId: UserId) => ({ communityId, memberId, nickname: 'x' });
    assert.equal(await town.refused(bob, 'communitiesEditMember', edit(ada)), 'MISSING_PERMISSION');
    assert.equal(await town.refused(bob, 'communitiesEditMember', edit(cleo)), 'MEMBER_NOT_FOUND');
    assert.equal(await town.refused(cleo, 'communitiesEditMember', edit(bob)), 'COMMUNITY_NOT_FOUND');
    const role = await empowered(town, modifyRoles);
    const promote = { communityId, memberId: bob, roleIds: { roleIds: [role] } };
    assert.equal(await town.refused(bob, 'communitiesEditMember', edit(ada)), 'OUTRANKED');
    assert.equal(await town.refused(bob, 'communitiesEditMember', promote), 'OUTRANKED');
    await town.must(cleo, 'authUseInvite', {
      code: await inviteTo(town, bob, { communityId, channelId: town.general }),
    });
    await town.must(bob, 'communitiesEditMember', edit(cleo));
  });
});
