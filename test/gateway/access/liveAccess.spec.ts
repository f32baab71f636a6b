import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import type { UpdateView } from '../../../src/gateway/contract/updateView.js';
import { directChat, groupChat, selfChat } from '../../../src/kernel/chat.js';
import type { ChannelId, GroupId, UserId } from '../../../src/kernel/ids.js';
import { allPermissions, permission, usualPermissions } from '../../../src/kernel/permissions.js';
import { DamagedRecord } from '../../../src/kernel/ports/eventLog.js';
import { SealBroken } from '../../../src/kernel/ports/sealer.js';
import { Misshapen } from '../../../src/kernel/schema.js';
import { nextTurn } from '../../../src/kernel/timing.js';
import { ProjectionStopped } from '../../../src/projections/progress/waiters.js';
import {
  admin,
  ada,
  bob,
  cleo,
  category,
  channelUnderCategory,
  chatOfGeneral,
  chatOfStaff,
  deleted,
  everybody,
  founded,
  general,
  guild,
  helper,
  joined,
  left,
  movedUnder,
  other,
  override,
  role,
  roleDeleted,
  roleEdited,
  rolesSet,
  sent,
  staff,
} from './facts.js';
import { nodeOf, type AnyEvent, type Node } from './node.js';

const hidden = { neg: permission.viewChannel };
const shown = { pos: permission.viewChannel };

let node: Node;
beforeEach(async () => {
  node = await nodeOf();
  await node.append(...founded(), joined(bob), joined(cleo));
});

const viewers = (rules: { viewersOf: Node['rules']['viewersOf'] }): readonly UserId[] =>
  [...rules.viewersOf(chatOfStaff)].sort((one, two) => Number(one - two));

describe('permissions', () => {
  beforeEach(() => node.access.load(guild, [ada, bob, cleo]));
  const bobIn = (channel: ChannelId): bigint => node.rules.inChannel(guild, channel, bob);

  it('are everything for the owner, the default for a member and nothing for a stranger', () => {
    assert.equal(node.rules.inChannel(guild, general, ada), allPermissions);
    assert.equal(bobIn(general), usualPermissions);
    assert.equal(node.rules.inChannel(guild, general, 9n as UserId), 0n);
    assert.equal(bobIn(999n as ChannelId), 0n);
  });

  it('grow by the roles of a member', async () => {
    await node.happens(role(helper, permission.pinMessages, 5), role(admin, permission.administrator, 7));
    await node.happens(rolesSet(bob, helper), rolesSet(cleo, helper, admin));
    assert.equal(node.rules.member(guild, bob)?.permissions, usualPermissions | permission.pinMessages);
    assert.equal(node.rules.member(guild, bob)?.rank, 5);
    assert.equal(node.rules.member(guild, cleo)?.permissions, allPermissions);
    assert.deepEqual(
      node.rules.member(guild, cleo)?.roles.map(({ id }) => id),
      [admin, helper],
    );
    assert.equal(node.rules.member(guild, ada)?.rank, Number.POSITIVE_INFINITY);
  });

  it('lose a role that is deleted', async () => {
    await node.happens(role(helper, permission.pinMessages), rolesSet(bob, helper), roleDeleted(helper));
    assert.equal(node.rules.member(guild, bob)?.permissions, usualPermissions);
    assert.equal(node.rules.member(guild, bob)?.rank, -1);
  });

  it('differ in a channel by its overrides, those for everybody first', async () => {
    await node.happens(role(helper, 0n), rolesSet(bob, helper));
    await node.happens(override(staff, everybody, hidden));
    assert.equal(bobIn(staff), 0n);
    await node.happens(override(staff, helper, { ...shown, neg: permission.sendMessages }));
    assert.equal(bobIn(staff), usualPermissions & ~permission.sendMessages);
    assert.equal(node.rules.inChannel(guild, staff, cleo), 0n);
    assert.equal(node.rules.inChannel(guild, staff, ada), allPermissions);
  });

  it('follow the category while the channel does', async () => {
    const child = 210n as ChannelId;
    await node.happens(channelUnderCategory(child), override(category, everybody, hidden));
    assert.equal(bobIn(child), 0n);
    assert.deepEqual(node.rules.overrides(guild, child), node.rules.overrides(guild, category));
    await node.happens(override(child, everybody, shown));
    assert.equal(bobIn(child), usualPermissions);
  });

  it('end with the community', async () => {
    await node.happens(deleted);
    assert.equal(node.rules.member(guild, bob), undefined);
    assert.deepEqual([...node.rules.connectedMembers(guild)], []);
  });
});

describe('writing', () => {
  it('is for who has the right in the channel, and for both in a direct chat', async () => {
    await node.access.load(guild, [ada, bob, cleo]);
    await node.happens(override(general, everybody, { neg: permission.sendMessages }), left(cleo));
    const mayWrite = (user: UserId) => [chatOfGeneral, chatOfStaff].map((chat) => node.rules.mayWrite(chat, user));
    assert.deepEqual([ada, bob, cleo].map(mayWrite), [
      [true, true],
      [false, true],
      [false, false],
    ]);
    assert.deepEqual(
      [ada, cleo].map((user) => node.rules.mayWrite(directChat(ada, bob), user)),
      [true, false],
    );
  });
});

describe('a change of access', () => {
  beforeEach(() => node.renderer.connect(bob));
  const seenBy = (look: () => unknown): readonly unknown[] => {
    const seen: unknown[] = [];
    node.access.onChange(({ communities, users }) => seen.push([[...communities], [...users], look()]));
    return seen;
  };

  it('of a channel names the community, once it is folded', async () => {
    const seen = seenBy(() => node.rules.mayWrite(chatOfGeneral, bob));
    await node.happens(override(general, everybody, { neg: permission.sendMessages }));
    assert.deepEqual(seen, [[[guild], [], false]]);
  });
  it('of a membership names the member, once it is folded', async () => {
    const seen = seenBy(() => node.rules.mayWrite(chatOfGeneral, bob));
    await node.happens(left(bob));
    assert.deepEqual(seen, [[[], [bob], false]]);
  });
  it('is not made by a message', async () => {
    const seen = seenBy(() => undefined);
    await node.happens(sent(1n, ada));
    assert.deepEqual(seen, []);
  });
});

describe('who sees a chat', () => {
  it('is in a direct chat the two, and nobody else', async () => {
    const chat = directChat(ada, bob);
    await Promise.all([node.renderer.connect(ada), node.renderer.connect(cleo)]);
    assert.deepEqual([...node.rules.viewersOf(chat)], [ada]);
    assert.equal(node.rules.maySee(chat, bob), true);
    assert.equal(node.rules.maySee(chat, cleo), false);
    assert.deepEqual([...node.rules.viewersOf(selfChat(cleo))], [cleo]);
  });

  it('see no group, because no document says who is in one', async () => {
    const group = groupChat(7n as GroupId);
    await node.renderer.connect(ada);
    assert.equal(node.rules.maySee(group, ada), false);
    assert.deepEqual([...node.rules.viewersOf(group)], []);
  });

  it('is in a channel who is connected and may view it', async () => {
    await node.renderer.connect(ada);
    assert.deepEqual(viewers(node.rules), [ada]);
    await node.renderer.connect(bob);
    assert.deepEqual(viewers(node.rules), [ada, bob]);
    node.renderer.disconnect(ada);
    assert.deepEqual(viewers(node.rules), [bob]);
  });

  it('is the same list as long as nothing changes', async () => {
    await node.renderer.connect(bob);
    const before = node.rules.viewersOf(chatOfStaff);
    await node.happens(sent(1000n, bob));
    assert.equal(node.rules.viewersOf(chatOfStaff), before);
  });
});

describe('an event', () => {
  const views: UpdateView[] = [];
  const told = async (event: AnyEvent): Promise<UpdateView> => {
    views.length = 0;
    await node.happens(event);
    const [view] = views;
    assert.ok(view !== undefined, 'nobody was told');
    return view;
  };
  beforeEach(async () => {
    await node.append(role(helper, 0n), override(staff, everybody, hidden), override(staff, helper, shown));
    await node.tell();
    await Promise.all([ada, bob, cleo].map((user) => node.renderer.connect(user)));
    node.renderWith((_, view) => {
      views.push(view);
      return [];
    });
    assert.deepEqual(viewers(node.rules), [ada]);
  });

  const changes: readonly (readonly [string, readonly AnyEvent[], AnyEvent, readonly UserId[], readonly UserId[]])[] = [
    ['roles given', [], rolesSet(bob, helper), [ada], [ada, bob]],
    ['roles taken', [rolesSet(bob, helper)], rolesSet(bob), [ada, bob], [ada]],
    ['a role edited', [role(admin, 0n), rolesSet(cleo, admin)], roleEdited(admin, 1n), [ada], [ada, cleo]],
    ['an override set', [], override(staff, everybody, shown), [ada], [ada, bob, cleo]],
    ['a role deleted', [rolesSet(bob, helper)], roleDeleted(helper), [ada, bob], [ada]],
    ['a member gone', [rolesSet(bob, helper)], left(bob), [ada, bob], [ada]],
    ['a member come', [override(staff, everybody, shown), left(bob)], joined(bob), [ada, cleo], [ada, bob, cleo]],
    ['the community deleted', [], deleted, [ada], []],
  ];
  for (const [what, given, event, before, after] of changes) {
    it(`shows who saw the channel before and who sees it after: ${what}`, async () => {
      await node.happens(...given);
      const seen = await told(event);
      assert.deepEqual(viewers(seen.before), before);
      assert.deepEqual(viewers(seen.after), after);
      for (const user of [ada, bob, cleo]) {
        assert.equal(seen.before.maySee(chatOfStaff, user), before.includes(user));
        assert.equal(seen.after.maySee(chatOfStaff, user), after.includes(user));
      }
    });
  }

  it('may move a channel out of sight, under a hidden category', async () => {
    await node.happens(override(category, everybody, hidden));
    const seen = await told(movedUnder(general, category));
    assert.equal(seen.before.inChannel(guild, general, bob), usualPermissions);
    assert.equal(seen.after.inChannel(guild, general, bob), 0n);
  });

  it('shows the members before and after', async () => {
    const seen = await told(left(cleo));
    assert.deepEqual([...seen.before.connectedMembers(guild)].sort(), [ada, bob, cleo]);
    assert.deepEqual([...seen.after.connectedMembers(guild)].sort(), [ada, bob]);
    assert.equal(seen.before.member(guild, cleo)?.permissions, usualPermissions);
    assert.equal(seen.after.member(guild, cleo), undefined);
  });

  it('of another community leaves the view as it is', async () => {
    await node.happens(...founded(other, bob));
    const seen = await told(left(bob, other));
    assert.deepEqual(viewers(seen.before), viewers(seen.after));
  });
});

describe('a user', () => {
  it('sees nothing of a community after leaving it, and sees it again after coming back', async () => {
    await Promise.all([node.renderer.connect(ada), node.renderer.connect(bob)]);
    await node.tell();
    await node.happens(left(bob));
    assert.deepEqual([...node.rules.viewersOf(chatOfGeneral)], [ada]);
    assert.equal(node.rules.maySee(chatOfGeneral, bob), false);
    await node.happens(joined(bob));
    assert.deepEqual([...node.rules.viewersOf(chatOfGeneral)], [ada, bob]);
  });

  it('who joins brings a community into memory that nobody here was in', async () => {
    const stranger = 9n as UserId;
    await node.renderer.connect(stranger);
    await node.tell();
    let seen: readonly UserId[] = [];
    node.renderWith((_, view) => {
      seen = [...view.after.viewersOf(chatOfGeneral)];
      return [];
    });
    await node.happens(joined(stranger));
    assert.deepEqual(seen, [stranger]);
  });

  it('who connects while a burst is told misses nothing of it', async () => {
    await node.tell();
    await node.append(role(helper, 0n), rolesSet(bob, helper), override(staff, everybody, hidden));
    const connecting = node.renderer.connect(bob);
    const telling = node.tell();
    await Promise.all([connecting, telling]);
    assert.deepEqual(viewers(node.rules), []);
    await node.happens(override(staff, helper, shown));
    assert.deepEqual(viewers(node.rules), [bob]);
  });

  it('is brought up to date on events that nobody here cared about', async () => {
    await node.append(override(staff, everybody, hidden));
    assert.equal(await node.tell(), 0);
    await node.renderer.connect(bob);
    assert.deepEqual(viewers(node.rules), []);
  });

  it('may be connected when the read model is ahead of the telling', async () => {
    await node.append(left(bob), joined(bob), rolesSet(bob, helper), role(helper, permission.pinMessages));
    await node.project();
    await node.renderer.connect(bob);
    await node.tell();
    assert.deepEqual([...node.rules.viewersOf(chatOfGeneral)], [bob]);
    assert.equal(node.rules.member(guild, bob)?.permissions, usualPermissions | permission.pinMessages);
  });

  it('who disconnects while they connect is not connected', async () => {
    const connecting = node.renderer.connect(bob);
    node.renderer.disconnect(bob);
    await connecting;
    assert.deepEqual(viewers(node.rules), []);
    assert.equal(node.renderer.isRelevant(`community.${guild.toString()}`, 'ChannelRenamed'), false);
  });

  it('is seen by those who share a community or a conversation with them', async () => {
    const peer = 9n as UserId;
    await Promise.all([ada, peer, 10n as UserId].map((user) => node.renderer.connect(user)));
    await node.happens(sent(1000n, peer, directChat(peer, bob)));
    assert.deepEqual([...(await node.access.seeing(bob))].sort(), [ada, peer]);
    await node.renderer.connect(bob);
    assert.deepEqual([...(await node.access.seeing(bob))].sort(), [ada, bob, peer]);
  });

  it('has a presence that is known to those in the community, and after an answer to those in a conversation', async () => {
    const peer = 9n as UserId;
    await Promise.all([ada, bob, peer].map((user) => node.renderer.connect(user)));
    const audience = async (): Promise<readonly UserId[]> => [...(await node.access.statusAudience(bob))].sort();
    await node.happens(sent(1000n, peer, directChat(peer, bob)));
    assert.deepEqual([await audience(), await node.access.shareCommunity(peer, bob)], [[ada, bob], false]);
    await node.happens(sent(1001n, bob, directChat(peer, bob)), left(ada));
    assert.deepEqual([await audience(), await node.access.shareCommunity(ada, bob)], [[bob, peer], false]);
  });
});

describe('communities of connected users that do not fit into memory', () => {
  beforeEach(async () => {
    node = await nodeOf({ communityBytesMax: 0 });
    await node.append(...founded(), joined(bob), joined(cleo));
    await node.tell();
    for (const user of [ada, bob, cleo]) await node.renderer.connect(user);
    await nextTurn();
    assert.equal(node.rules.community(guild), undefined);
  });

  it('are there while an event in them or about them is told, and gone afterwards', async () => {
    const told: (readonly UserId[])[] = [];
    node.renderWith((_, { after }) => {
      told.push(viewers(after));
      return [];
    });
    await node.happens(sent(1n, bob, chatOfStaff));
    assert.deepEqual(told, [[ada, bob, cleo]]);
    await nextTurn();
    assert.equal(node.rules.community(guild), undefined);
    assert.deepEqual([...node.rules.connectedMembers(guild)], [ada, bob, cleo]);
  });

  it('are as they were right before an event, also where the read model is ahead of it', async () => {
    const told: (readonly UserId[])[][] = [];
    node.renderWith((_, { before, after }) => {
      told.push([viewers(before), viewers(after)]);
      return [];
    });
    await node.append(override(staff, everybody, hidden), override(staff, everybody, shown));
    await node.project();
    await node.tell();
    const all = [ada, bob, cleo];
    assert.deepEqual(told, [
      [all, [ada]],
      [[ada], all],
    ]);
  });

  const lasting: readonly Error[] = [
    new ProjectionStopped('communities', undefined),
    new DamagedRecord(1n),
    new SealBroken('a name'),
    new Misshapen('text', null),
  ];
  for (const error of lasting) {
    it(`are seen by nobody while they cannot be loaded, and as they are afterwards: ${error.name}`, async () => {
      const told: (readonly UserId[])[] = [];
      node.renderWith((_, { after }) => {
        told.push(viewers(after));
        return [];
      });
      await node.happens(sent(1n, ada, chatOfStaff));
      await nextTurn();
      node.failReads(error);
      await node.happens(override(staff, everybody, hidden), sent(2n, ada, chatOfStaff));
      node.failReads(undefined);
      await node.happens(sent(3n, ada, chatOfStaff));
      assert.deepEqual(told, [[ada, bob, cleo], [], [], [ada]]);
    });
  }

  it('are gone for good for all once they are deleted', async () => {
    await node.happens(deleted);
    await nextTurn();
    assert.deepEqual([...node.rules.connectedMembers(guild)], []);
  });

  it('are there for the first connected member while their joining is told', async () => {
    const rooms: unknown[] = [];
    node.renderWith(async (_, { after }) => {
      await nextTurn();
      rooms.push(after.community(other)?.id, [...after.connectedMembers(other)]);
      return [];
    });
    await node.append(...founded(other, 9n as UserId), joined(bob, other));
    await node.tell();
    assert.deepEqual(rooms.slice(-2), [other, [bob]]);
    await nextTurn();
    assert.equal(node.rules.community(other), undefined);
  });

  it('are loaded for those who ask about a member', async () => {
    await node.access.load(guild, [bob]);
    assert.equal(node.rules.inChannel(guild, general, bob), usualPermissions);
  });
});
