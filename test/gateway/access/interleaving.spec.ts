import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { membershipIn, rulesOfCommunity } from '../../../src/gateway/access/communityPermissions.js';
import type { ViewerPermissions } from '../../../src/gateway/contract/viewerPermissions.js';
import type { UpdateView } from '../../../src/gateway/contract/updateView.js';
import { channelChat } from '../../../src/kernel/chat.js';
import type { ChannelId, UserId } from '../../../src/kernel/ids.js';
import { permission } from '../../../src/kernel/permissions.js';
import { community } from '../../../src/projections/communities/queries.js';
import { memberships } from '../../../src/projections/members/queries.js';
import {
  admin,
  ada,
  bob,
  cleo,
  category,
  everybody,
  founded,
  general,
  guild,
  helper,
  joined,
  left,
  movedUnder,
  override,
  role,
  roleDeleted,
  roleEdited,
  rolesSet,
  staff,
} from './facts.js';
import { nodeOf, type AnyEvent, type Node } from './node.js';
import { readsOf } from '../../support/reads.js';

const users = [ada, bob, cleo, 4n as UserId];
const channels: readonly ChannelId[] = [category, general, staff];

const user = fc.constantFrom(...users.slice(1));
const roleId = fc.constantFrom(helper, admin);
const channel = fc.constantFrom(...channels);
const bits = fc.constantFrom(0n, permission.viewChannel, permission.sendMessages, permission.administrator);
const event: fc.Arbitrary<AnyEvent> = fc.oneof(
  user.map((one) => joined(one)),
  user.map((one) => left(one)),
  fc.tuple(user, fc.subarray([helper, admin])).map(([one, roles]) => rolesSet(one, ...roles)),
  fc.tuple(roleId, bits).map(([id, permissions]) => role(id, permissions)),
  fc.tuple(roleId, bits).map(([id, permissions]) => roleEdited(id, permissions)),
  roleId.map(roleDeleted),
  fc
    .tuple(channel, fc.oneof(roleId, fc.constant(everybody)), bits, bits)
    .map(([place, id, pos, neg]) => override(place, id, { pos, neg })),
  fc.constantFrom(general, staff).map((place) => movedUnder(place, category)),
);
const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ does: fc.constant('happens' as const), event }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constantFrom('connect' as const, 'disconnect' as const), user }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constantFrom('tell' as const, 'store' as const, 'wait' as const) }) },
);

const sightOf = (rules: Pick<ViewerPermissions, 'viewersOf'>): readonly (readonly UserId[])[] =>
  channels.map((id) => [...rules.viewersOf(channelChat(guild, id))].sort((one, other) => Number(one - other)));

/** From the stored documents, looked at one by one. */
const sightByDefinition = async (node: Node, connected: readonly UserId[]): Promise<readonly (readonly UserId[])[]> => {
  await node.project();
  const document = await community(readsOf(node.store), guild);
  assert.ok(document !== undefined);
  const rules = rulesOfCommunity(structuredClone(document));
  const standings = await Promise.all(
    connected.map(async (member) => ({
      member,
      membership: membershipIn({ user: member, memberships: await memberships(readsOf(node.store), member) }, guild),
    })),
  );
  return channels.map((id) =>
    standings
      .filter(({ member, membership }) => membership !== undefined && rules.inChannel(id, membership, member) !== 0n)
      .map(({ member }) => member)
      .sort((one, other) => Number(one - other)),
  );
};

const begun = async (): Promise<Node> => {
  const node = await nodeOf();
  await node.append(...founded(), joined(bob));
  await node.tell();
  return node;
};

describe('who sees what', () => {
  it('comes out as the stored documents say, however events, loads and connections interleave', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 60 }), async (steps) => {
        const node = await begun();
        const connected = new Set<UserId>();
        const connecting: Promise<void>[] = [];
        let telling: Promise<unknown> = Promise.resolve();
        const run = {
          connect: (one: UserId) => {
            connected.add(one);
            connecting.push(node.renderer.connect(one));
          },
          disconnect: (one: UserId) => {
            connected.delete(one);
            node.renderer.disconnect(one);
          },
          // Under way while the next steps are taken.
          tell: () => (telling = telling.then(() => node.tell())),
          store: () => node.project(),
          wait: () => Promise.all([telling, ...connecting]),
        };
        for (const taken of steps) {
          if (taken.does === 'happens') await node.append(taken.event);
          else if (taken.does === 'connect' || taken.does === 'disconnect') run[taken.does](taken.user);
          else if (taken.does === 'tell') void run.tell();
          else await run[taken.does]();
        }
        await run.tell();
        await run.wait();
        assert.deepEqual(sightOf(node.rules), await sightByDefinition(node, [...connected]));
      }),
      { numRuns: 150 },
    );
  });

  it('is before an event what it was after the one before', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(event, { minLength: 5, maxLength: 40 }), async (events) => {
        const node = await begun();
        await Promise.all(users.map((one) => node.renderer.connect(one)));
        let seen: UpdateView | undefined;
        node.renderWith((_, view) => {
          seen = view;
          return [];
        });
        for (const next of events) {
          const was = sightOf(node.rules);
          await node.happens(next);
          assert.ok(seen !== undefined, 'everybody hears of it');
          assert.deepEqual(sightOf(seen.before), was);
          assert.deepEqual(sightOf(seen.after), await sightByDefinition(node, users));
        }
      }),
      { numRuns: 60 },
    );
  });
});
