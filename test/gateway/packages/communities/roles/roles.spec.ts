import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { RoleId, UserId } from '../../../../../src/kernel/ids.js';
import { allPermissions, permission, usualPermissions } from '../../../../../src/kernel/permissions.js';
import {
  channelNamed,
  empowered,
  inviteTo,
  roleNamed,
  settledTown,
  type SettledTown,
} from '../../../../support/house/town.js';

const { viewChannel, modifyRoles, pinMessages, modifyChannel } = permission;
const content = { name: 'Helpers', permissions: 0n, priority: 1, color: 0, separated: false, public: true };
/** Bits beyond those that the protocol defines. */
const unheardOf = 1n << 40n;

/** The community as the user was told it is to them. */
const rightsHeard = (town: SettledTown, user: UserId): readonly unknown[] =>
  town.heard(user).flatMap(({ community }) => (community === undefined ? [] : [community.community?.permissions]));

describe('CreateRole', () => {
  it('is listed for every member, and hinted at by the community', async () => {
    const town = await settledTown();
    const { ada, bob, community: communityId } = town;
    await town.must(ada, 'communitiesCreateRole', { communityId, ...content, permissions: 64n | unheardOf });
    assert.deepEqual(rightsHeard(town, ada), [allPermissions]);
    assert.deepEqual(rightsHeard(town, bob), [usualPermissions]);
    const { communityRoles } = await town.must(bob, 'communitiesGetRoles', { communityId });
    const id = await roleNamed(town, 'Helpers');
    assert.deepEqual(communityRoles, {
      roles: [{ ...content, id, communityId, permissions: 64n }],
      defaultPermissions: usualPermissions,
    });
  });
  it('takes the permission, and a rank above the new role', async () => {
    const town = await settledTown();
    const { bob, cleo, community: communityId } = town;
    const request = { communityId, ...content };
    assert.equal(await town.refused(bob, 'communitiesCreateRole', request), 'MISSING_PERMISSION');
    assert.equal(await town.refused(cleo, 'communitiesCreateRole', request), 'COMMUNITY_NOT_FOUND');
    assert.equal(await town.refused(cleo, 'communitiesGetRoles', { communityId }), 'COMMUNITY_NOT_FOUND');
    await empowered(town, modifyRoles, 5);
    assert.equal(await town.refused(bob, 'communitiesCreateRole', { ...request, priority: 5 }), 'OUTRANKED');
    await town.must(bob, 'communitiesCreateRole', request);
  });
});

describe('EditRole', () => {
  it('tells its holders what they may do now, and what they see', async () => {
    const town = await settledTown();
    const { ada, bob, community: communityId, general } = town;
    const id = await empowered(town, pinMessages);
    const override = { communityId, channelId: general, roleId: 0n as RoleId };
    const hidden = { ...override, permissions: { pos: 0n, neg: viewChannel } };
    await town.must(ada, 'communitiesCreateChannelOverride', hidden);
    town.heard(bob);
    const role = { id, communityId, ...content };
    await town.must(ada, 'communitiesEditRole', { ...role, permissions: permission.administrator });
    const [first, second, ...rest] = town.heard(bob);
    assert.equal(first?.community?.community?.permissions, allPermissions);
    assert.equal(second?.channel?.channel?.id, general);
    assert.deepEqual(rest, []);
    await town.must(ada, 'communitiesEditRole', { ...role, permissions: 0n });
    assert.deepEqual(town.heard(bob).slice(1), [{ channelDeleted: { channel: { communityId, channelId: general } } }]);
  });
  it('needs a role', async () => {
    const { ada, community: communityId, refused } = await settledTown();
    const role = { id: 5n as RoleId, communityId, ...content };
    assert.equal(await refused(ada, 'communitiesEditRole', role), 'ROLE_NOT_FOUND');
  });
});

describe('DeleteRole', () => {
  it('tells everybody of its former holders', async () => {
    const town = await settledTown();
    const { ada, bob, community: communityId } = town;
    const id = await empowered(town, pinMessages);
    await town.must(ada, 'communitiesDeleteRole', { id, communityId });
    const member = { id: bob, communityId, roleIds: [] };
    assert.deepEqual(town.heard(ada).at(-1), { communityMember: { communityId, memberId: bob, member } });
    assert.deepEqual(rightsHeard(town, bob), [usualPermissions]);
    assert.equal(await town.refused(ada, 'communitiesDeleteRole', { id, communityId }), 'ROLE_NOT_FOUND');
  });
});

describe('DeleteRole, of holders who are not connected', () => {
  it('tells everybody as well, and of everybody else nothing', async () => {
    const town = await settledTown();
    const { ada, bob, community: communityId } = town;
    const id = await empowered(town, pinMessages);
    const fresh = await town.node();
    await fresh.connect(ada);
    await fresh.must(ada, 'communitiesDeleteRole', { id, communityId });
    const member = { id: bob, communityId, roleIds: [] };
    assert.deepEqual(
      fresh.heard(ada).filter((update) => update.communityMember !== undefined),
      [{ communityMember: { communityId, memberId: bob, member } }],
    );
  });
});

describe('what is the same for many', () => {
  it('is told once, to all of them', async () => {
    const town = await settledTown();
    const { ada, bob, community: communityId, general } = town;
    const code = await inviteTo(town, ada, { communityId, channelId: general });
    const others: UserId[] = [];
    for (let index = 0; index < 20; index += 1) {
      const user = await town.person(`number ${index.toString()}`);
      await town.must(user, 'authUseInvite', { code });
      others.push(user);
    }
    town.told();
    await town.must(ada, 'communitiesCreateRole', { communityId, ...content });
    assert.deepEqual(
      town.told().map(({ audience }) => audience),
      [[ada], [bob, ...others]],
    );
    const silence = { communityId, channelId: general, roleId: 0n as RoleId, permissions: { pos: 0n, neg: 4n } };
    await town.must(ada, 'communitiesCreateChannelOverride', silence);
    assert.deepEqual(
      town.told().map(({ audience }) => audience),
      [[bob, ...others]],
    );
  });
});

describe('roles that see more', () => {
  it('are told of a channel before their rights in it', async () => {
    const town = await settledTown();
    const { ada, bob, community: communityId } = town;
    const id = await empowered(town, 0n);
    await town.must(ada, 'communitiesCreateChannel', { communityId, name: 'plans', type: 0 });
    const channelId = await channelNamed(town, ada, 'plans');
    const everybody = { communityId, channelId, roleId: 0n as RoleId };
    await town.must(ada, 'communitiesCreateChannelOverride', {
      ...everybody,
      permissions: { pos: 0n, neg: viewChannel },
    });
    town.heard(bob);
    const forThem = { ...everybody, roleId: id, permissions: { pos: viewChannel | modifyChannel, neg: 0n } };
    await town.must(ada, 'communitiesCreateChannelOverride', forThem);
    const heard = town.heard(bob);
    assert.deepEqual(
      heard.map((update) => Object.keys(update)[0]),
      ['channel', 'conversationPermissions'],
    );
    assert.deepEqual(heard[1]?.conversationPermissions?.permissions, { pos: modifyChannel, neg: 0n });
  });
});
