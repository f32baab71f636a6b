import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { channelIn, overridesIn } from '../../../src/domain/communities/channelTree.js';
import type { CommunityAsker, CommunityCommand } from '../../../src/domain/communities/commands.js';
import { communities } from '../../../src/domain/communities/decide.js';
import type { CommunityEvent } from '../../../src/domain/communities/events.js';
import { channelOf, roleOf, type LivingCommunity } from '../../../src/domain/communities/state.js';
import { decide, isRejection } from '../../../src/kernel/decider.js';
import { folding } from '../../../src/kernel/foldedStreams.js';
import type { ChannelId, RoleId } from '../../../src/kernel/ids.js';
import {
  allPermissions,
  channelPermissions,
  communityPermissions,
  has,
  permission,
  usualPermissions,
} from '../../../src/kernel/permissions.js';
import { asPersonal, type Bare } from '../../support/bare.js';
import { propertyRun } from '../../support/propertyRun.js';
import {
  archive,
  begun,
  bob,
  community,
  created,
  edit,
  general,
  given,
  member,
  modifyChannel,
  modifyRoles,
  owner,
  random,
  roleContent,
  roleCreated,
  roleId,
  staff,
} from './cast.js';

const { sendMessages, viewChannel, pinMessages } = permission;
const everybody = roleId(0n);
const [low, high, others] = [roleId(301n), roleId(302n), roleId(303n)];

/** Bob may manage channels and roles below his highest one, and has a lower one as well. */
const bobsRoles: readonly RoleId[] = [low, high];
const channelIds: readonly ChannelId[] = [general, random, staff, archive];
const roleIds: readonly RoleId[] = [everybody, low, high, others];

const before: readonly Bare<CommunityEvent>[] = [
  ...begun,
  created(staff, 1, { kind: 'category' }),
  created(archive, 2, { kind: 'category' }),
  created(random, 0, { parent: staff }),
  roleCreated(low, { priority: 1, permissions: 0n }),
  roleCreated(high, { priority: 3, permissions: modifyChannel | modifyRoles }),
  roleCreated(others, { priority: 2, permissions: 0n }),
];

const living = (events: readonly Bare<CommunityEvent>[]): LivingCommunity => {
  const state = folding(communities, communities.initial, asPersonal<readonly CommunityEvent[]>(events));
  return state.status === 'living' ? state : assert.fail('the community is gone');
};

const grantedTo = (state: LivingCommunity, roles: readonly RoleId[]): bigint =>
  communityPermissions(
    { owner: false, roles },
    usualPermissions,
    roles.map((role) => roleOf(state, role)?.permissions ?? 0n),
  );

const effectiveIn = (state: LivingCommunity, id: ChannelId, roles: readonly RoleId[]): bigint => {
  const channel = channelIn(state.channels, id);
  if (channel === undefined) return 0n;
  const overrides = overridesIn(state.channels, channel);
  return channelPermissions(grantedTo(state, roles), { owner: false, roles }, overrides, everybody);
};

/** As the gateway has it: nothing where the channel is not visible, or there is none. */
const inChannel = (...of: Parameters<typeof effectiveIn>): bigint => {
  const effective = effectiveIn(...of);
  return has(effective, 'viewChannel') ? effective : 0n;
};

const rankOf = (state: LivingCommunity, roles: readonly RoleId[]): number =>
  Math.max(-1, ...roles.map((role) => roleOf(state, role)?.priority ?? -1));

/** The command as the gateway gives it to the rules for Bob; undefined where it refuses by itself. */
const askedByBob = (wish: Wish, state: LivingCommunity): CommunityCommand | undefined => {
  const by = (permissions: bigint): CommunityAsker => ({ user: bob, permissions, rank: rankOf(state, bobsRoles) });
  if (!('channel' in wish.data)) {
    const inChannels = new Map(state.channels.map(({ id }) => [id, inChannel(state, id, bobsRoles)]));
    // The pairs of types and fields are those of the table of wishes.
    return {
      ...wish,
      data: { ...wish.data, by: by(grantedTo(state, bobsRoles)), inChannels },
    } as unknown as CommunityCommand;
  }
  const { parent } = wish.data;
  const mayUse = (id: ChannelId): boolean => has(inChannel(state, id, bobsRoles), 'modifyChannel');
  if (parent !== undefined && parent !== 'none' && !mayUse(parent)) return undefined;
  const isNew = wish.type === 'CreateChannel';
  const permissions = isNew ? grantedTo(state, bobsRoles) : inChannel(state, wish.data.channel, bobsRoles);
  if (permissions === 0n) return undefined;
  return { ...wish, data: { ...wish.data, at: 0, by: by(permissions) } } as CommunityCommand;
};

type Wish = {
  readonly type: CommunityCommand['type'];
  readonly data: { readonly channel: ChannelId; readonly parent?: ChannelId | 'none' } | { readonly role: RoleId };
};

const channel = fc.constantFrom(...channelIds);
const role = fc.constantFrom(...roleIds);
const bits = fc.constantFrom(0n, viewChannel, sendMessages, pinMessages, modifyChannel, allPermissions);
const parent = fc.constantFrom('none' as const, ...channelIds);

const override = fc
  .record({ channel, role, pos: bits, neg: bits })
  .map(({ pos, neg, ...where }) => ({ ...where, pos: pos & ~neg, neg }));

const wish: fc.Arbitrary<Wish> = fc.oneof(
  override.map((data) => ({ type: 'CreateChannelOverride' as const, data: { community, ...data } })),
  fc
    .record({ channel, role })
    .map((data) => ({ type: 'DeleteChannelOverride' as const, data: { community, ...data } })),
  fc.record({ channel, parent }).map((data) => ({ type: 'EditChannel' as const, data: { community, ...data } })),
  fc.record({ channel, position: fc.nat(3) }).map((data) => ({
    type: 'EditChannel' as const,
    data: { community, ...data },
  })),
  channel.map((id) => ({ type: 'DeleteChannel' as const, data: { community, channel: id } })),
  fc.bigInt(400n, 402n).chain((id) =>
    fc.constantFrom('text' as const, 'category' as const).map((kind) => ({
      type: 'CreateChannel' as const,
      data: { community, channel: id as ChannelId, kind, name: 'new' },
    })),
  ),
  fc.record({ channel, parent: fc.bigInt(400n, 402n) }).map(({ channel: id, parent: under }) => ({
    type: 'EditChannel' as const,
    data: { community, channel: id, parent: under as ChannelId },
  })),
  fc.record({ role, permissions: bits, priority: fc.nat(4) }).map((data) => ({
    type: 'EditRole' as const,
    data: { community, ...roleContent, ...data },
  })),
  role.map((id) => ({ type: 'DeleteRole' as const, data: { community, role: id } })),
);

/** The denials that the owner laid down before Bob begins. */
const laidDown = fc.array(override, { minLength: 1, maxLength: 5 }).map((overrides) =>
  overrides.map((data): CommunityCommand => ({
    type: 'CreateChannelOverride',
    data: { community, ...data, by: owner },
  })),
);

const after = (state: LivingCommunity, command: CommunityCommand): LivingCommunity => {
  const decision = decide(communities, command, state);
  const next = isRejection(decision) ? state : folding(communities, state, decision);
  return next.status === 'living' ? next : assert.fail('the community is gone');
};

const gainedIn = (id: ChannelId, state: LivingCommunity, next: LivingCommunity): bigint =>
  channelOf(next, id) === undefined ? 0n : inChannel(next, id, bobsRoles) & ~inChannel(state, id, bobsRoles);

describe('a member who may manage channels and roles', () => {
  it('gains by no sequence of commands a bit in a channel that they lacked there', () => {
    fc.assert(
      fc.property(laidDown, fc.array(wish, { minLength: 1, maxLength: 12 }), (denials, wishes) => {
        const state = denials.reduce(after, living(before));
        let now = state;
        for (const each of wishes) {
          const command = askedByBob(each, now);
          if (command !== undefined) now = after(now, command);
        }
        for (const id of channelIds) assert.equal(gainedIn(id, state, now), 0n, `in ${id.toString()}`);
      }),
      propertyRun(2_000),
    );
  });

  it('gives by a move or a deletion nobody a bit that they lack in the channel', () => {
    const moving = wish.filter(({ type }) => ['EditChannel', 'DeleteChannel', 'DeleteRole'].includes(type));
    fc.assert(
      fc.property(laidDown, fc.array(wish, { maxLength: 6 }), moving, fc.subarray([...roleIds]), (...of) => {
        const [denials, wishes, last, roles] = of;
        const commands = [...denials.map((denial) => () => denial), ...wishes.map((each) => askedBy(each))];
        const state = commands.reduce((now, make) => afterIf(now, make(now)), living(before));
        const next = afterIf(state, askedByBob(last, state));
        for (const id of channelIds.filter((one) => channelOf(next, one) !== undefined)) {
          // An override that shows the channel to somebody brings along what else they had there.
          const gained = effectiveIn(next, id, roles) & ~effectiveIn(state, id, roles);
          assert.equal(gained & ~inChannel(state, id, bobsRoles), 0n, `in ${id.toString()}`);
        }
      }),
      propertyRun(2_000),
    );
  });
});

const askedBy = (each: Wish) => (state: LivingCommunity) => askedByBob(each, state);
const afterIf = (state: LivingCommunity, command: CommunityCommand | undefined): LivingCommunity =>
  command === undefined ? state : after(state, command);

describe('moving a channel that follows its category', () => {
  const denied: Bare<CommunityEvent> = {
    type: 'OverrideSet',
    data: { community, channel: staff, role: everybody, pos: 0n, neg: sendMessages, by: owner.user },
  };
  const muted = { ...member(modifyChannel), permissions: viewChannel | modifyChannel };

  it('to a category that denies less takes the bits that are denied', () => {
    given(...before, denied)
      .when(edit(random, { parent: archive, by: muted }))
      .refuses('MISSING_PERMISSION');
  });
  it('to a category that overrides a role takes a rank above that role', () => {
    const granted: Bare<CommunityEvent> = {
      type: 'OverrideSet',
      data: { community, channel: archive, role: others, pos: sendMessages, neg: 0n, by: owner.user },
    };
    given(...before, granted)
      .when(edit(random, { parent: archive, by: member(modifyChannel, 2) }))
      .refuses('OUTRANKED');
  });
  it('to the top level changes nothing in its overrides, so anybody who may manage it can', () => {
    given(...before, denied)
      .when(edit(random, { parent: 'none', by: muted }))
      .then({
        type: 'ChannelsArranged',
        data: { community, places: [{ channel: random, position: 3 }], by: bob, channel: random },
      });
  });
});
