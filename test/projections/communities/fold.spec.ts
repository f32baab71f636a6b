import { describe, it } from 'node:test';
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { ChannelPlace, CommunityEvent } from '../../../src/domain/communities/events.js';
import type { ChannelId, CommunityId, MessageId, RoleId, UserId } from '../../../src/kernel/ids.js';
import type { ChannelRecord, CommunityDocument } from '../../../src/projections/communities/documents.js';
import { spansMax } from '../../../src/kernel/span.js';
import { communityDocuments } from '../../../src/projections/communities/fold.js';
import { goneRolesMax } from '../../../src/projections/communities/sightTimes.js';
import type { Bare } from '../../support/bare.js';
import { folded } from '../folded.js';
import { now } from '../setting.js';

const community = 100n as CommunityId;
const by = 1n as UserId;
const general = 201n as ChannelId;
const random = 202n as ChannelId;
const staff = 210n as ChannelId;
const archive = 211n as ChannelId;
const helpers = 9n as RoleId;
const everybody = 0n as RoleId;

const founded: Bare<CommunityEvent> = {
  type: 'CommunityCreated',
  data: { community, owner: by, defaultPermissions: 6n, name: 'Chess' },
};
const made = (channel: ChannelId, position: number, parent?: ChannelId): Bare<CommunityEvent> => ({
  type: 'ChannelCreated',
  data: { community, channel, kind: 'text', position, ...(parent === undefined ? {} : { parent }), by, name: 'c' },
});
const category = (channel: ChannelId, position: number): Bare<CommunityEvent> => ({
  type: 'ChannelCreated',
  data: { community, channel, kind: 'category', position, by, name: 'c' },
});
const denied = (channel: ChannelId, role = everybody): Bare<CommunityEvent> => ({
  type: 'OverrideSet',
  data: { community, channel, role, pos: 0n, neg: 2n, by },
});
const released = (channel: ChannelId, role = everybody): Bare<CommunityEvent> => ({
  type: 'OverrideRemoved',
  data: { community, channel, role, by },
});
const arranged = (...places: readonly ChannelPlace[]): Bare<CommunityEvent> => ({
  type: 'ChannelsArranged',
  data: { community, places, by },
});
const gone = (channel: ChannelId): Bare<CommunityEvent> => ({
  type: 'ChannelDeleted',
  data: { community, channel, by },
});
const role = (id: RoleId, name = 'Helpers') => ({
  community,
  role: id,
  name,
  permissions: 4n,
  priority: 3,
  color: 255,
  separated: true,
  public: false,
  by,
});
const roleMade = (id: RoleId): Bare<CommunityEvent> => ({ type: 'RoleCreated', data: role(id) });

const denial = (of = everybody) => ({ role: of, pos: 0n, neg: 2n });

const after = (...events: readonly Bare<CommunityEvent>[]): Bare<CommunityDocument> | undefined =>
  folded(communityDocuments, ...events)['100'];
const channelAfter = (id: ChannelId, ...events: readonly Bare<CommunityEvent>[]): Bare<ChannelRecord> | undefined =>
  after(founded, ...events)?.channels.find((channel) => channel.id === id);
const followsAfter = (id: ChannelId, ...events: readonly Bare<CommunityEvent>[]) => {
  const channel = channelAfter(id, ...events);
  return { synced: channel?.synced, overrides: channel?.overrides };
};

/** Staff is a category that denies everybody the sight of its channels; general is in it. */
const hidden = [category(staff, 0), denied(staff), made(general, 0, staff)] as const;

describe('a community', () => {
  it('is founded without channels and roles', () => {
    const document = { id: community, name: 'Chess', owner: by, defaultPermissions: 6n, createdAt: now };
    assert.deepEqual(after(founded), { ...document, channels: [], roles: [] });
  });

  it('is gone with all that is in it when it is deleted', () => {
    const deleted: Bare<CommunityEvent> = { type: 'CommunityDeleted', data: { community, by } };
    assert.equal(after(founded, made(general, 0), deleted, made(random, 1)), undefined);
  });

  it('lists the top level by position, and each category before its channels', () => {
    const document = after(
      founded,
      made(random, 1),
      category(staff, 0),
      made(archive, 1, staff),
      made(general, 0, staff),
    );
    assert.deepEqual(
      document?.channels.map(({ id }) => id),
      [staff, general, archive, random],
    );
  });

  it('replaces a role that is edited', () => {
    const edited: Bare<CommunityEvent> = { type: 'RoleEdited', data: role(helpers, 'Staff') };
    const document = after(founded, roleMade(helpers), edited);
    const { community: _, by: __, role: id, ...content } = role(helpers, 'Staff');
    assert.deepEqual(document?.roles, [{ id, ...content }]);
  });

  it('loses the overrides of a role with the role', () => {
    const deleted: Bare<CommunityEvent> = {
      type: 'RoleDeleted',
      data: { community, role: helpers, by },
    };
    const document = after(founded, roleMade(helpers), made(general, 0), denied(general, helpers), deleted);
    assert.deepEqual([document?.roles, document?.channels[0]?.overrides], [[], []]);
  });
});

describe('the sight of a channel', () => {
  const helperOf = (at: number): RoleId => BigInt(1_000 + at) as RoleId;
  const deleted = (id: RoleId): Bare<CommunityEvent> => ({ type: 'RoleDeleted', data: { community, role: id, by } });
  const comesAndGoes = (id: RoleId) => [roleMade(id), denied(general, id), deleted(id)];

  it('is remembered of so many roles that are gone, and up to when others hid it', () => {
    const many = Array.from({ length: goneRolesMax }, (_, at) => helperOf(at));
    const kept = channelAfter(general, made(general, 0), ...many.flatMap(comesAndGoes));
    assert.deepEqual([kept?.sight?.length, kept?.unsureUpTo], [goneRolesMax, undefined]);
    const all = [...many, helperOf(goneRolesMax)].flatMap(comesAndGoes);
    const bounded = channelAfter(general, made(general, 0), ...all);
    assert.equal(bounded?.sight?.[0]?.role, helperOf(1));
    assert.deepEqual([bounded.sight.length, bounded.unsureUpTo], [goneRolesMax, bounded.sight[0].hidden?.[0]?.to]);
  });

  it('is remembered for a bounded number of times', () => {
    const turns = Array.from({ length: 2 * spansMax + 6 }, (_, turn) =>
      turn % 2 === 0 ? denied(general) : released(general),
    );
    const [time] = channelAfter(general, made(general, 0), ...turns)?.sight ?? [];
    assert.equal(time?.shown?.length, spansMax);
  });
});

describe('a channel', () => {
  it('is what was last said of it', () => {
    const about = { community, channel: general, by };
    const channel = channelAfter(
      general,
      made(general, 0),
      { type: 'ChannelRenamed', data: { ...about, name: 'lobby' } },
      { type: 'ChannelDescribed', data: { ...about, description: 'for all' } },
      { type: 'SlowmodeChanged', data: { ...about, seconds: 10 } },
      { type: 'ChannelExplicitnessChanged', data: { ...about, explicit: true } },
      { type: 'MessageHighlighted', data: { ...about, message: 5n as MessageId } },
    );
    assert.deepEqual(channel, {
      id: general,
      kind: 'text',
      name: 'lobby',
      position: 0,
      description: 'for all',
      explicit: true,
      slowmodeSeconds: 10,
      highlighted: 5n,
      synced: false,
      overrides: [],
    });
  });

  it('has no highlight once that is cleared', () => {
    const about = { community, channel: general, by };
    const channel = channelAfter(
      general,
      made(general, 0),
      { type: 'MessageHighlighted', data: { ...about, message: 5n as MessageId } },
      { type: 'HighlightCleared', data: about },
    );
    assert.ok(channel !== undefined && !('highlighted' in channel));
  });

  it('follows the category that it is made in', () => {
    assert.deepEqual(followsAfter(general, ...hidden), { synced: true, overrides: [] });
  });

  it('at the top level follows nothing', () => {
    assert.deepEqual(followsAfter(general, made(general, 0)), { synced: false, overrides: [] });
  });

  it('keeps a copy of its category’s overrides when it gets one of its own', () => {
    const overrides = [denial(), denial(helpers)];
    assert.deepEqual(followsAfter(general, ...hidden, denied(general, helpers)), { synced: false, overrides });
  });

  it('keeps a copy of the others when an override is removed that came from its category', () => {
    const overrides = [denial(helpers)];
    const events = [...hidden, denied(staff, helpers), released(general)];
    assert.deepEqual(followsAfter(general, ...events), { synced: false, overrides });
  });

  it('stays hidden when it leaves a hidden category for the top level', () => {
    const moved = arranged({ channel: general, position: 0 });
    assert.deepEqual(followsAfter(general, ...hidden, moved), { synced: false, overrides: [denial()] });
    assert.equal(channelAfter(general, ...hidden, moved)?.parent, undefined);
  });

  it('stays hidden when its hidden category is deleted, whichever of the two events is first', () => {
    const moved = arranged({ channel: general, position: 4 });
    const first = channelAfter(general, ...hidden, gone(staff), moved);
    assert.deepEqual([first?.synced, first?.overrides], [false, [denial()]]);
    assert.deepEqual(channelAfter(general, ...hidden, moved, gone(staff)), first);
  });

  it('follows the category that it is moved into', () => {
    const moved = arranged({ channel: general, position: 0, parent: archive });
    assert.deepEqual(followsAfter(general, ...hidden, category(archive, 1), moved), { synced: true, overrides: [] });
    assert.equal(channelAfter(general, ...hidden, category(archive, 1), moved)?.parent, archive);
  });

  it('with overrides of its own keeps them wherever it is moved', () => {
    const moved = arranged({ channel: general, position: 0, parent: archive });
    const events = [made(general, 0), denied(general), category(archive, 1), moved];
    assert.deepEqual(followsAfter(general, ...events), { synced: false, overrides: [denial()] });
  });

  it('keeps following its category when it only changes its place in it', () => {
    const moved = arranged({ channel: general, position: 3, parent: staff });
    assert.deepEqual(followsAfter(general, ...hidden, moved), { synced: true, overrides: [] });
  });

  it('never follows what is not there, and has a parent that is a category of its community', () => {
    fc.assert(
      fc.property(fc.array(anyChange, { maxLength: 40 }), (events) => {
        for (const [index] of events.entries()) assertWhole(after(founded, ...events.slice(0, index + 1)));
      }),
    );
  });
});

const anyChannel = fc.constantFrom(general, random, staff, archive);
const anyParent = fc.option(anyChannel, { nil: undefined });
const anyRole = fc.constantFrom(everybody, helpers);
const anyPlace = fc
  .tuple(anyChannel, fc.nat(4), anyParent)
  .map(([channel, position, parent]): ChannelPlace =>
    parent === undefined ? { channel, position } : { channel, position, parent },
  );
const anyChange: fc.Arbitrary<Bare<CommunityEvent>> = fc.oneof(
  fc.tuple(anyChannel, fc.nat(4), anyParent).map(([id, position, parent]) => made(id, position, parent)),
  fc.tuple(anyChannel, fc.nat(4)).map(([id, position]) => category(id, position)),
  fc.tuple(anyChannel, anyRole).map(([id, of]) => denied(id, of)),
  fc.tuple(anyChannel, anyRole).map(([id, of]) => released(id, of)),
  fc.array(anyPlace, { maxLength: 4 }).map((places) => arranged(...places)),
  anyChannel.map((id) => gone(id)),
);

const assertWhole = (document: Bare<CommunityDocument> | undefined): void => {
  assert.ok(document !== undefined);
  const ids = document.channels.map(({ id }) => id);
  assert.equal(new Set(ids).size, ids.length);
  for (const { parent, synced, kind, overrides } of document.channels) {
    const over = document.channels.find(({ id }) => id === parent);
    assert.ok(parent === undefined ? !synced : over?.kind === 'category' && kind !== 'category');
    if (synced) assert.deepEqual(overrides, []);
  }
};
