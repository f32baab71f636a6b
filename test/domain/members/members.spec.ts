import { describe, it } from 'node:test';
import type { MemberAsker, MemberCommand } from '../../../src/domain/members/commands.js';
import { members } from '../../../src/domain/members/decide.js';
import type { MemberEvent } from '../../../src/domain/members/events.js';
import type { CommunityId, Millis, RoleId, UserId } from '../../../src/kernel/ids.js';
import { allPermissions, permission, usualPermissions } from '../../../src/kernel/permissions.js';
import type { Bare } from '../../support/bare.js';
import { givenFor } from '../../support/given.js';

const given = givenFor(members);
const community = 100n as CommunityId;
const ada = 1n as UserId;
const bob = 2n as UserId;
const cleo = 3n as UserId;
const role = (id: bigint): RoleId => id as RoleId;

const low = { id: role(301n), priority: 1, permissions: 0n };
const mid = { id: role(302n), priority: 5, permissions: permission.pinMessages };
const high = { id: role(303n), priority: 9, permissions: 0n };
const communityRoles = [high, mid, low];

const owner: MemberAsker = { user: ada, owner: true, permissions: allPermissions, rank: Infinity };
const cleoWith = (bits: bigint, rank = 5): MemberAsker => ({
  user: cleo,
  owner: false,
  permissions: usualPermissions | bits,
  rank,
});
const { modifyRoles, modifyCommunity, pinMessages } = permission;

const joined = (joining = 1): Bare<MemberEvent> => ({
  type: 'MemberJoined',
  data: { community, user: bob, via: 'invite', invite: 'abc', joining },
});
const left: Bare<MemberEvent> = { type: 'MemberLeft', data: { community, user: bob } };
const has = (...roles: readonly RoleId[]): Bare<MemberEvent> => ({
  type: 'RolesSet',
  data: { community, user: bob, roles, by: ada },
});
const join = (joining = 1): MemberCommand => ({
  type: 'JoinCommunity',
  data: { community, user: bob, via: 'invite', invite: 'abc', joining },
});
const leave = ({ owner: owns } = { owner: false }): MemberCommand => ({
  type: 'LeaveCommunity',
  data: { community, user: bob, owner: owns },
});
type Edit = Extract<MemberCommand, { readonly type: 'EditMember' }>['data'];
const edit = (changes: Partial<Edit>): MemberCommand => ({
  type: 'EditMember',
  data: { community, user: bob, by: owner, rank: -1, at: 0 as Millis, communityRoles, ...changes },
});

describe('joining a community', () => {
  it('is a fact, once', () => {
    given().when(join()).thenOnce(joined());
  });
  it('as its founder names no invite', () => {
    given()
      .when({ type: 'JoinCommunity', data: { community, user: ada, via: 'founding', joining: 1 } })
      .then({ type: 'MemberJoined', data: { community, user: ada, via: 'founding', joining: 1 } });
  });
  it('that was left since does not happen again', () => {
    given(joined(), left).when(join(1)).then();
  });
  it('anew is another joining', () => {
    given(joined(), left).when(join(2)).thenOnce(joined(2));
  });
});

describe('leaving a community', () => {
  it('is a fact, once', () => {
    given(joined()).when(leave()).thenOnce(left);
  });
  it('is not for its owner', () => {
    given(joined())
      .when(leave({ owner: true }))
      .refuses('OWNER_CANNOT_LEAVE');
  });
  it('takes roles and nickname along', () => {
    given(joined(), has(low.id), left, joined(2))
      .when(edit({ roles: [], nickname: '' }))
      .then();
  });
});

describe('a nickname', () => {
  const named = (nickname: string, by = ada): Bare<MemberEvent> => ({
    type: 'NicknameSet',
    data: { community, user: bob, by, nickname },
  });

  it('is a fact, once', () => {
    given(joined())
      .when(edit({ nickname: 'Bobby' }))
      .thenOnce(named('Bobby'));
  });
  it('that is empty removes it, once', () => {
    given(joined(), named('Bobby'))
      .when(edit({ nickname: '' }))
      .thenOnce({ type: 'NicknameCleared', data: { community, user: bob, by: ada } });
  });
  it('of one’s own needs no permission', () => {
    given(joined())
      .when(edit({ by: { user: bob, owner: false, permissions: 0n, rank: -1 }, nickname: 'Bobby' }))
      .then(named('Bobby', bob));
  });
  it('of another takes either of two permissions', () => {
    given(joined())
      .when(edit({ by: cleoWith(0n), nickname: 'Bobby' }))
      .refuses('MISSING_PERMISSION');
    for (const bit of [modifyCommunity, modifyRoles]) {
      given(joined())
        .when(edit({ by: cleoWith(bit), nickname: 'Bobby' }))
        .then(named('Bobby', cleo));
    }
  });
  it('of another takes a higher rank', () => {
    given(joined())
      .when(edit({ by: cleoWith(modifyCommunity, 5), rank: 5, nickname: 'Bobby' }))
      .refuses('OUTRANKED');
  });
  it('has at most a hundred characters, and something to see', () => {
    for (const nickname of ['x'.repeat(101), '\u200b', 'a\nb', 'a\u2066b'])
      given(joined()).when(edit({ nickname })).refuses('INVALID_NAME');
  });
  it('is kept in its one form', () => {
    given(joined())
      .when(edit({ nickname: ' B  o\u0301b ' }))
      .thenOnce(named('B \u00f3b'));
  });
  it('from before stays when it is set again', () => {
    for (const nickname of ['a\u202eb', 'a  b']) given(joined(), named(nickname)).when(edit({ nickname })).then();
  });
  it('is for members', () => {
    given(joined(), left)
      .when(edit({ nickname: 'Bobby' }))
      .refuses('MEMBER_NOT_FOUND');
  });
});

describe('the roles of a member', () => {
  it('are set all at once, once', () => {
    given(joined(), has(low.id))
      .when(edit({ roles: [high.id, mid.id, mid.id] }))
      .thenOnce(has(high.id, mid.id));
  });
  it('in another order are the same', () => {
    given(joined(), has(high.id, low.id))
      .when(edit({ roles: [low.id, high.id] }))
      .then();
  });
  it('can be taken away, all of them', () => {
    given(joined(), has(low.id))
      .when(edit({ roles: [] }))
      .thenOnce(has());
  });
  it('count without those that were deleted since', () => {
    given(joined(), has(role(399n), low.id))
      .when(edit({ roles: [low.id] }))
      .then();
  });
  it('must exist', () => {
    given(joined())
      .when(edit({ roles: [role(399n)] }))
      .refuses('ROLE_NOT_FOUND');
  });
  it('take the permission, for oneself too', () => {
    given(joined())
      .when(edit({ by: cleoWith(modifyCommunity), roles: [low.id] }))
      .refuses('MISSING_PERMISSION');
  });
  it('are given and taken only below one’s own highest role', () => {
    given(joined())
      .when(edit({ by: cleoWith(modifyRoles | pinMessages, 5), roles: [mid.id] }))
      .refuses('OUTRANKED');
    given(joined(), has(high.id))
      .when(edit({ by: cleoWith(modifyRoles, 9), rank: 8, roles: [] }))
      .refuses('OUTRANKED');
  });
  it('grant no bit that one lacks', () => {
    given(joined())
      .when(edit({ by: cleoWith(modifyRoles, 6), roles: [mid.id] }))
      .refuses('MISSING_PERMISSION');
  });
  it('of somebody who is not below stay as they are', () => {
    given(joined())
      .when(edit({ by: cleoWith(modifyRoles, 5), rank: 5, roles: [low.id] }))
      .refuses('OUTRANKED');
    given(joined())
      .when(edit({ by: { ...cleoWith(modifyRoles, 5), user: bob }, rank: 5, roles: [low.id] }))
      .refuses('OUTRANKED');
  });
  it('of the owner are the owner’s own affair', () => {
    given(joined())
      .when(edit({ by: cleoWith(allPermissions, 1000), rank: Infinity, roles: [low.id] }))
      .refuses('OUTRANKED');
    given(joined())
      .when(edit({ by: { ...owner, user: bob }, rank: Infinity, roles: [low.id] }))
      .then({ type: 'RolesSet', data: { community, user: bob, roles: [low.id], by: bob } });
  });
  it('and the nickname change in one go', () => {
    given(joined())
      .when(edit({ nickname: 'Bobby', roles: [low.id] }))
      .thenOnce({ type: 'NicknameSet', data: { community, user: bob, by: ada, nickname: 'Bobby' } }, has(low.id));
  });
});
