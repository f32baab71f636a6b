import { describe, it } from 'node:test';
import type { CommunityAsker, CommunityCommand } from '../../../src/domain/communities/commands.js';
import type { CommunityEvent } from '../../../src/domain/communities/events.js';
import { overridesMax } from '../../../src/domain/communities/limits.js';
import { permission } from '../../../src/kernel/permissions.js';
import type { Bare } from '../../support/bare.js';
import {
  ada,
  arranged,
  begun,
  bob,
  community,
  created,
  general,
  given,
  member,
  modifyChannel,
  modifyRoles,
  owner,
  random,
  roleCreated,
  roleId,
  staff,
} from './cast.js';

const { viewChannel, sendMessages, pinMessages } = permission;
const everybody = roleId(0n);
const helpers = roleId(301n);

type Bits = { readonly pos?: bigint; readonly neg?: bigint; readonly by?: CommunityAsker };
const set = (role = everybody, { pos = 0n, neg = 0n, by = owner }: Bits = {}, channel = general): CommunityCommand => ({
  type: 'CreateChannelOverride',
  data: { community, channel, role, pos, neg, by },
});
const isSet = (
  role = everybody,
  { pos = 0n, neg = 0n }: Bits = {},
  channel = general,
  by = ada,
): Bare<CommunityEvent> => ({
  type: 'OverrideSet',
  data: { community, channel, role, pos, neg, by },
});
const remove = (role = everybody, by = owner, channel = general): CommunityCommand => ({
  type: 'DeleteChannelOverride',
  data: { community, channel, role, by },
});
const removed = (role = everybody, channel = general): Bare<CommunityEvent> => ({
  type: 'OverrideRemoved',
  data: { community, channel, role, by: ada },
});
const hidden = { neg: viewChannel };

describe('overriding permissions in a channel', () => {
  it('is a fact, once', () => {
    given(...begun)
      .when(set(everybody, hidden))
      .thenOnce(isSet(everybody, hidden));
  });
  it('may say nothing at all, and may replace what was said', () => {
    given(...begun)
      .when(set())
      .thenOnce(isSet());
    given(...begun, isSet(everybody, hidden))
      .when(set(everybody, { pos: viewChannel }))
      .then(isSet(everybody, { pos: viewChannel }));
  });
  it('never grants and denies the same', () => {
    given(...begun)
      .when(set(everybody, { pos: viewChannel, neg: viewChannel | sendMessages }))
      .refuses('CONFLICTING_BITS');
  });
  it('needs the channel and the role', () => {
    given(...begun)
      .when(set(everybody, hidden, random))
      .refuses('CHANNEL_NOT_FOUND');
    given(...begun)
      .when(set(helpers, hidden))
      .refuses('ROLE_NOT_FOUND');
  });
  it('takes either of two permissions', () => {
    given(...begun)
      .when(set(everybody, { ...hidden, by: member() }))
      .refuses('MISSING_PERMISSION');
    for (const bit of [modifyChannel, modifyRoles]) {
      given(...begun)
        .when(set(everybody, { ...hidden, by: member(bit) }))
        .then(isSet(everybody, hidden, general, bob));
    }
  });
  it('touches no bit that one lacks, not even to lift its denial', () => {
    given(...begun)
      .when(set(everybody, { pos: pinMessages, by: member(modifyChannel) }))
      .refuses('MISSING_PERMISSION');
    given(...begun, isSet(everybody, { neg: pinMessages }))
      .when(set(everybody, { by: member(modifyChannel) }))
      .refuses('MISSING_PERMISSION');
  });
  it('is possible only for roles below one’s own', () => {
    given(...begun, roleCreated(helpers, { priority: 5 }))
      .when(set(helpers, { ...hidden, by: member(modifyChannel, 5) }))
      .refuses('OUTRANKED');
  });
  it('stops at the limit', () => {
    const roles = Array.from({ length: overridesMax }, (_, index) => roleId(1000n + BigInt(index)));
    given(...begun, ...roles.map((role) => roleCreated(role)), ...roles.map((role) => isSet(role)))
      .when(set())
      .refuses('TOO_MANY');
  });
});

describe('removing an override', () => {
  it('is a fact, once', () => {
    given(...begun, isSet(everybody, hidden))
      .when(remove())
      .thenOnce(removed());
  });
  it('touches no bit that one lacks', () => {
    given(...begun, isSet(everybody, { neg: pinMessages }))
      .when(remove(everybody, member(modifyChannel)))
      .refuses('MISSING_PERMISSION');
  });
  it('is done already when the role is gone', () => {
    const roleGone: Bare<CommunityEvent> = {
      type: 'RoleDeleted',
      data: { community, role: helpers, by: ada },
    };
    given(...begun, roleCreated(helpers), isSet(helpers, hidden), roleGone)
      .when(remove(helpers))
      .then();
  });
});

describe('a channel that follows its category', () => {
  const private_ = [...begun, created(staff, 1, { kind: 'category' }), isSet(everybody, hidden, staff)];
  const following = [...private_, created(random, 0, { parent: staff })];

  it('follows no longer once it is given what the category has', () => {
    given(...following)
      .when(set(everybody, hidden, random))
      .thenOnce(isSet(everybody, hidden, random));
  });
  it('can do without what the category has', () => {
    given(...following)
      .when(remove(everybody, owner, random))
      .thenOnce(removed(everybody, random));
  });
  it('keeps what it followed when it comes to the top level', () => {
    given(...following, arranged([random, 2]))
      .when(set(everybody, hidden, random))
      .then();
  });
  it('moved under a category follows it, unless it has overrides of its own', () => {
    given(...private_, arranged([general, 0, staff]))
      .when(remove(everybody, owner, general))
      .then(removed(everybody, general));
    given(...private_, isSet(everybody, { neg: sendMessages }), arranged([general, 0, staff]))
      .when(set(everybody, { neg: sendMessages }, general))
      .then();
  });
});
