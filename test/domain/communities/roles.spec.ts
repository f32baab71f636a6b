import { describe, it } from 'node:test';
import type { CommunityAsker, CommunityCommand } from '../../../src/domain/communities/commands.js';
import type { CommunityEvent } from '../../../src/domain/communities/events.js';
import { rolesMax } from '../../../src/domain/communities/limits.js';
import { permission } from '../../../src/kernel/permissions.js';
import type { Bare } from '../../support/bare.js';
import {
  ada,
  begun,
  bob,
  community,
  general,
  given,
  member,
  modifyRoles,
  owner,
  roleContent,
  roleCreated,
  roleId,
} from './cast.js';

const helpers = roleId(301n);
const create = (changes: Partial<typeof roleContent> & { readonly by?: CommunityAsker } = {}): CommunityCommand => ({
  type: 'CreateRole',
  data: { community, role: helpers, by: owner, ...roleContent, ...changes },
});
const edit = (changes: Partial<typeof roleContent> & { readonly by?: CommunityAsker } = {}): CommunityCommand => ({
  type: 'EditRole',
  data: { community, role: helpers, by: owner, ...roleContent, ...changes },
});
const remove = (by: CommunityAsker = owner, inGeneral = by.permissions): CommunityCommand => ({
  type: 'DeleteRole',
  data: { community, role: helpers, by, inChannels: new Map([[general, inGeneral]]) },
});
const edited = (changes: Partial<typeof roleContent>, by = ada): Bare<CommunityEvent> => ({
  type: 'RoleEdited',
  data: { community, role: helpers, ...roleContent, ...changes, by },
});
const moderator = member(modifyRoles, 5);

describe('creating a role', () => {
  it('is a fact, once', () => {
    given(...begun)
      .when(create())
      .thenOnce(roleCreated(helpers));
  });
  it('needs the permission', () => {
    given(...begun)
      .when(create({ by: member(0n, 5) }))
      .refuses('MISSING_PERMISSION');
  });
  it('is possible only below one’s own highest role', () => {
    given(...begun)
      .when(create({ by: moderator, priority: 5 }))
      .refuses('OUTRANKED');
    given(...begun)
      .when(create({ by: member(modifyRoles), priority: 0 }))
      .refuses('OUTRANKED');
  });
  it('grants no bit that one lacks', () => {
    given(...begun)
      .when(create({ by: moderator, permissions: permission.administrator }))
      .refuses('MISSING_PERMISSION');
  });
  it('needs a name and a colour that is one', () => {
    given(...begun)
      .when(create({ name: '' }))
      .refuses('INVALID_NAME');
    given(...begun)
      .when(create({ color: 0x1_00_00_00 }))
      .refuses('INVALID_ARGUMENT');
  });
  it('stops at the limit', () => {
    const many = Array.from({ length: rolesMax }, (_, index) => roleCreated(roleId(1000n + BigInt(index))));
    given(...begun, ...many)
      .when(create())
      .refuses('TOO_MANY');
  });
});

describe('editing a role', () => {
  it('judges a new name only', () => {
    const before = roleCreated(helpers, { name: 'a\u202eb  c' });
    given(...begun, before)
      .when(edit({ name: 'a\u202eb  c', color: 5 }))
      .thenOnce(edited({ name: 'a\u202eb  c', color: 5 }));
    given(...begun, before)
      .when(edit({ name: 'a\nb' }))
      .refuses('INVALID_NAME');
    given(...begun, before)
      .when(edit({ name: 'b  c' }))
      .thenOnce(edited({ name: 'b c' }));
  });
  it('replaces all of it, once', () => {
    given(...begun, roleCreated(helpers))
      .when(edit({ name: 'Aides', separated: false, permissions: 0n }))
      .thenOnce(edited({ name: 'Aides', separated: false, permissions: 0n }));
  });
  it('needs the role', () => {
    given(...begun)
      .when(edit())
      .refuses('ROLE_NOT_FOUND');
  });
  it('is possible only for roles below one’s own, and not up to it', () => {
    given(...begun, roleCreated(helpers, { priority: 5 }))
      .when(edit({ by: moderator, priority: 1 }))
      .refuses('OUTRANKED');
    given(...begun, roleCreated(helpers))
      .when(edit({ by: moderator, priority: 5 }))
      .refuses('OUTRANKED');
  });
  it('adds no bit that one lacks, and may keep one', () => {
    const mighty = roleCreated(helpers, { permissions: permission.removeMembers });
    given(...begun, roleCreated(helpers))
      .when(edit({ by: moderator, permissions: permission.removeMembers }))
      .refuses('MISSING_PERMISSION');
    given(...begun, mighty)
      .when(edit({ by: moderator, permissions: permission.removeMembers, name: 'Guards' }))
      .then(edited({ permissions: permission.removeMembers, name: 'Guards' }, bob));
  });
});

describe('deleting a role', () => {
  it('is a fact, once', () => {
    given(...begun, roleCreated(helpers))
      .when(remove())
      .thenOnce({ type: 'RoleDeleted', data: { community, role: helpers, by: ada } });
  });
  it('is possible only below one’s own highest role', () => {
    given(...begun, roleCreated(helpers, { priority: 5 }))
      .when(remove(moderator))
      .refuses('OUTRANKED');
  });
  it('lifts no denial of a bit that one lacks in the channel, and may take a grant along', () => {
    const set = (bits: { readonly pos?: bigint; readonly neg?: bigint }): Bare<CommunityEvent> => ({
      type: 'OverrideSet',
      data: { community, channel: general, role: helpers, pos: 0n, neg: 0n, ...bits, by: ada },
    });
    const gone: Bare<CommunityEvent> = { type: 'RoleDeleted', data: { community, role: helpers, by: bob } };
    const lacking = remove(moderator, permission.viewChannel);
    given(...begun, roleCreated(helpers), set({ neg: permission.sendMessages }))
      .when(lacking)
      .refuses('MISSING_PERMISSION');
    given(...begun, roleCreated(helpers), set({ pos: permission.sendMessages }))
      .when(lacking)
      .then(gone);
    given(...begun, roleCreated(helpers), set({ neg: permission.sendMessages }))
      .when(remove(moderator))
      .then(gone);
  });
});
