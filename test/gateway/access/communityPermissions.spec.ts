import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { communities } from '../../../src/domain/communities/decide.js';
import type { CommunityEvent } from '../../../src/domain/communities/events.js';
import { overridesIn } from '../../../src/domain/communities/channelTree.js';
import { roleOf, type LivingCommunity } from '../../../src/domain/communities/state.js';
import { rulesOfCommunity } from '../../../src/gateway/access/communityPermissions.js';
import { apply } from '../../../src/kernel/event.js';
import type { ChannelId, CommunityId, RoleId, UserId } from '../../../src/kernel/ids.js';
import { channelPermissions, communityPermissions, has, permission } from '../../../src/kernel/permissions.js';
import type { CommunityDocument } from '../../../src/projections/communities/documents.js';
import { communityDocuments } from '../../../src/projections/communities/fold.js';
import { folded } from '../../projections/folded.js';
import { asPersonal, type Bare } from '../../support/bare.js';
import { propertyRun } from '../../support/propertyRun.js';

type Happened = Bare<CommunityEvent>;

const community = 100n as CommunityId;
const by = 1n as UserId;
const member = 2n as UserId;
const channelIds = [201n, 202n, 210n, 211n] as readonly bigint[] as readonly ChannelId[];
const roleIds = [8n, 9n] as readonly bigint[] as readonly RoleId[];
const everybody = 0n as RoleId;
const defaultPermissions = permission.viewChannel | permission.sendMessages;

const channel = fc.constantFrom(...channelIds);
const parent = fc.option(channel, { nil: undefined });
const role = fc.constantFrom(...roleIds);
const position = fc.nat(3);
const bits = fc.constantFrom(0n, permission.viewChannel, permission.sendMessages, permission.pinMessages);
const kind = fc.constantFrom('text' as const, 'category' as const);
const under = (id: ChannelId | undefined) => (id === undefined ? {} : { parent: id });
const roleData = { community, color: 0, separated: false, public: false, name: 'role', priority: 1, by };

/** The rules would refuse some of these events, but a fold takes all that the log has. */
const event: fc.Arbitrary<Happened> = fc.oneof(
  fc.record({ channel, kind, position, parent }).map(({ parent: id, ...data }): Happened => ({
    type: 'ChannelCreated',
    data: { community, ...data, ...under(id), by, name: 'channel' },
  })),
  fc.array(fc.record({ channel, position, parent }), { minLength: 1, maxLength: 3 }).map((places): Happened => ({
    type: 'ChannelsArranged',
    data: { community, places: places.map(({ parent: id, ...place }) => ({ ...place, ...under(id) })), by },
  })),
  channel.map((id): Happened => ({
    type: 'ChannelDeleted',
    data: { community, channel: id, by },
  })),
  fc.tuple(role, bits, fc.constantFrom('RoleCreated', 'RoleEdited')).map(([id, permissions, what]) => ({
    // Both have the same fields.
    type: what as 'RoleCreated',
    data: { ...roleData, role: id, permissions },
  })),
  role.map((id): Happened => ({ type: 'RoleDeleted', data: { community, role: id, by } })),
  fc
    .record({ channel, role: fc.oneof(role, fc.constant(everybody)), pos: bits, neg: bits })
    .map((data): Happened => ({ type: 'OverrideSet', data: { community, ...data, by } })),
  fc.record({ channel, role: fc.oneof(role, fc.constant(everybody)) }).map((data): Happened => ({
    type: 'OverrideRemoved',
    data: { community, ...data, by },
  })),
);
const history = fc
  .array(event, { minLength: 3, maxLength: 25 })
  .map((events): readonly Happened[] => [
    { type: 'CommunityCreated', data: { community, owner: by, defaultPermissions, name: 'guild' } },
    ...events,
  ]);

const stateAfter = (events: readonly Happened[]): LivingCommunity => {
  const state = events.reduce(
    (before, each) => apply(communities.evolve, before, asPersonal<CommunityEvent>(each)),
    communities.initial,
  );
  assert.ok(state.status === 'living');
  return state;
};
const documentAfter = (events: readonly Happened[]): CommunityDocument =>
  asPersonal<CommunityDocument>(folded(communityDocuments, ...events)['100'] ?? assert.fail('there is no community'));

/** The permissions of a member with these roles in each channel. */
type Effective = Readonly<Record<string, bigint>>;

const byState = (state: LivingCommunity, roles: readonly RoleId[]): Effective =>
  Object.fromEntries(
    state.channels.map((record) => {
      const standing = { owner: false, roles };
      const rolePermissions = roles.flatMap((each) => roleOf(state, each)?.permissions ?? []);
      const granted = communityPermissions(standing, defaultPermissions, rolePermissions);
      const effective = channelPermissions(granted, standing, overridesIn(state.channels, record), everybody);
      return [record.id.toString(), has(effective, 'viewChannel') ? effective : 0n];
    }),
  );

const byDocument = (document: CommunityDocument, roles: readonly RoleId[]): Effective =>
  Object.fromEntries(
    document.channels.map(({ id }) => [
      id.toString(),
      rulesOfCommunity(document).inChannel(id, { community, roles, joined: 0n }, member),
    ]),
  );

describe('the permissions that follow from what happened to a community', () => {
  it('are the same in the rules and in the read model', () => {
    fc.assert(
      fc.property(history, fc.subarray([...roleIds]), (events, roles) => {
        assert.deepEqual(byState(stateAfter(events), roles), byDocument(documentAfter(events), roles));
      }),
      propertyRun(2_000),
    );
  });
});
