import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { ChannelId, RoleId } from '../../src/kernel/ids.js';
import {
  allPermissions,
  channelPermissions,
  communityPermissions,
  difference,
  has,
  overridesThatCount,
  permission,
  usualPermissions,
  type OverriddenChannel,
  type Override,
  type PermissionName,
  type MemberRoles,
} from '../../src/kernel/permissions.js';

// The model works bit by bit, on sets of names.
const names = Object.keys(permission) as PermissionName[];
const setOf = (bits: bigint): ReadonlySet<PermissionName> =>
  new Set(names.filter((name) => (bits / permission[name]) % 2n === 1n));
const sorted = (set: ReadonlySet<PermissionName>): readonly PermissionName[] => [...set].sort();
const assertBits = (bits: bigint, expected: ReadonlySet<PermissionName>): void => {
  assert.deepEqual(sorted(setOf(bits)), sorted(expected));
};

const everybody = 100n as RoleId;
// Bits that the protocol does not define must not get through.
const anyBits = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const definedBits = fc.bigInt({ min: 0n, max: allPermissions });
const someRole = fc.constantFrom(0n, 100n, 1n, 2n, 3n, 4n).map((role) => role as RoleId);
const memberRole = fc.constantFrom(1n, 2n, 3n, 4n).map((role) => role as RoleId);
const standing: fc.Arbitrary<MemberRoles> = fc.record({ owner: fc.boolean(), roles: fc.uniqueArray(memberRole) });
const overrides: fc.Arbitrary<readonly Override[]> = fc.array(
  fc.record({ role: someRole, pos: anyBits, neg: anyBits }),
  { maxLength: 6 },
);

const modelCommunity = (
  { owner }: MemberRoles,
  base: bigint,
  rolePermissions: readonly bigint[],
): ReadonlySet<PermissionName> => {
  const granted = new Set(names.filter((name) => [base, ...rolePermissions].some((bits) => setOf(bits).has(name))));
  return owner || granted.has('administrator') ? new Set(names) : granted;
};

const modelChannel = (
  granted: ReadonlySet<PermissionName>,
  { roles }: MemberRoles,
  all: readonly Override[],
): ReadonlySet<PermissionName> => {
  if (granted.has('administrator')) return granted;
  const permits = (name: PermissionName): boolean => {
    let allowed = granted.has(name);
    const isForAll = (role: RoleId): boolean => role === 0n || role === everybody;
    for (const step of [isForAll, (role: RoleId): boolean => !isForAll(role) && roles.includes(role)]) {
      const applied = all.filter(({ role }) => step(role));
      if (applied.some(({ neg }) => setOf(neg).has(name))) allowed = false;
      if (applied.some(({ pos }) => setOf(pos).has(name))) allowed = true;
    }
    return allowed;
  };
  return new Set(names.filter(permits));
};

describe('permissions', () => {
  it('have distinct bits that together are all there are', () => {
    assert.equal(
      names.reduce((sum, name) => sum + permission[name], 0n),
      allPermissions,
    );
    for (const name of names) assert.equal(setOf(permission[name]).size, 1);
  });

  it('usually are to view, send, connect, send media, speak and react', () => {
    assertBits(
      usualPermissions,
      new Set(['viewChannel', 'sendMessages', 'connectVoice', 'sendMedia', 'speakVoice', 'addReactions']),
    );
  });

  it('are had when their bit is set', () => {
    fc.assert(
      fc.property(anyBits, fc.constantFrom(...names), (bits, name) => {
        assert.equal(has(bits, name), setOf(bits).has(name));
      }),
    );
  });
});

describe('permissions in a community', () => {
  it('are those of everybody and of all roles together; all of them for owners and administrators', () => {
    fc.assert(
      fc.property(standing, anyBits, fc.array(anyBits, { maxLength: 4 }), (who, base, ofRoles) => {
        const permissions = communityPermissions(who, base, ofRoles);
        assertBits(permissions, modelCommunity(who, base, ofRoles));
        assert.equal(permissions & ~allPermissions, 0n);
      }),
    );
  });
});

describe('permissions in a channel', () => {
  it('follow the overrides bit by bit: for everybody first, then for the roles, denials before grants', () => {
    fc.assert(
      fc.property(standing, definedBits, overrides, (who, granted, all) => {
        const permissions = channelPermissions(granted, who, all, everybody);
        assertBits(permissions, modelChannel(setOf(granted), who, all));
        assert.equal(permissions & ~allPermissions, 0n);
      }),
      { numRuns: 300 },
    );
  });

  it('do not depend on the order of the overrides', () => {
    fc.assert(
      fc.property(standing, definedBits, overrides, (who, granted, all) => {
        assert.equal(
          channelPermissions(granted, who, all, everybody),
          channelPermissions(granted, who, [...all].reverse(), everybody),
        );
      }),
    );
  });

  it('are above overrides for administrators', () => {
    fc.assert(
      fc.property(standing, overrides, (who, all) => {
        assert.equal(channelPermissions(allPermissions, who, all, everybody), allPermissions);
      }),
    );
  });

  it('are not touched by overrides for roles that the member does not have', () => {
    fc.assert(
      fc.property(definedBits, overrides, (granted, all) => {
        const foreign = all.filter(({ role }) => role !== 0n && role !== everybody);
        assert.equal(channelPermissions(granted, { owner: false, roles: [] }, foreign, everybody), granted);
      }),
    );
  });

  it('are told as a difference that leads back to them', () => {
    fc.assert(
      fc.property(definedBits, definedBits, (community, channel) => {
        const { pos, neg } = difference(community, channel);
        assert.equal((community & ~neg) | pos, channel);
        assert.equal(pos & neg, 0n);
      }),
    );
  });
});

describe('the overrides that count in a channel', () => {
  const own: Override = { role: everybody, pos: 0n, neg: 2n };
  const inherited: Override = { role: everybody, pos: 4n, neg: 0n };
  const parent = 9n as ChannelId;
  const category: OverriddenChannel = { kind: 'category', synced: false, overrides: [inherited] };
  const following: OverriddenChannel = { kind: 'text', parent, synced: true, overrides: [] };
  const onItsOwn: OverriddenChannel = { kind: 'text', parent, synced: false, overrides: [own] };

  it('are those of its category while it follows the category', () => {
    assert.deepEqual(
      overridesThatCount(following, (id) => (id === parent ? category : undefined)),
      [inherited],
    );
  });

  it('are its own when it follows no longer, and at the top level', () => {
    assert.deepEqual(
      overridesThatCount(onItsOwn, () => category),
      [own],
    );
    assert.deepEqual(
      overridesThatCount({ kind: 'text', synced: true, overrides: [own] }, () => category),
      [own],
    );
  });

  it('are none but its own when its parent is gone or is no category', () => {
    assert.deepEqual(
      overridesThatCount(following, () => undefined),
      [],
    );
    assert.deepEqual(
      overridesThatCount(following, () => ({ ...category, kind: 'text' })),
      [],
    );
  });
});
