import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import type { UpdateView } from '../../../src/gateway/contract/updateView.js';
import { directChat, groupChat, selfChat } from '../../../src/kernel/chat.js';
import type { ChannelId, GroupId, UserId } from '../../../src/kernel/ids.js';
import { allPermissions, permission, usualPermissions } from '../../../src/kernel/permissions.js';
import {
  admin,
  ann,
  ben,
  cat,
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
  await node.append(...founded(), joined(ben), joined(cat));
});

const viewers = (rules: { viewersOf: Node['rules']['viewersOf'] }): readonly UserId[] =>
  [...rules.viewersOf(chatOfStaff)].sort((one, two) => Number(one - two));

describe('permissions', () => {
  beforeEach(() => node.access.load(guild, [ann, ben, cat]));
  const benIn = (channel: ChannelId): bigint => node.rules.inChannel(guild, channel, ben);

  it('are everything for the owner, the default for a member and nothing for a stranger', () => {
    assert.equal(node.rules.inChannel(guild, general, ann), allPermissions);
    assert.equal(benIn(general), usualPermissions);
    assert.equal(node.rules.inChannel(guild, general, 9n as UserId), 0n);
    assert.equal(benIn(999n as ChannelId), 0n);
  });

  it('grow by the roles of a member', async () => {
    await node.happens(role(helper, permission.pinMessages, 5), role(admin, permission.administrator, 7));
    await node.happens(rolesSet(ben, helper), rolesSet(cat, helper, admin));
    assert.equal(node.rules.member(guild, ben)?.permissions, usualPermissions | permission.pinMessages);
    assert.equal(node.rules.member(guild, ben)?.rank, 5);
    assert.equal(node.rules.member(guild, cat)?.permissions, allPermissions);
    assert.deepEqual(
      node.rules.member(guild, cat)?.roles.map(({ id }) => id),
      [admin, helper],
    );
    assert.equal(node.rules.member(guild, ann)?.rank, Number.POSITIVE_INFINITY);
  });

  it('lose a role that is deleted', async () => {
    await node.happens(role(helper, permission.pinMessages), rolesSet(ben, helper), roleDeleted(helper));
    assert.equal(node.rules.member(guild, ben)?.permissions, usualPermissions);
    assert.equal(node.rules.member(guild, ben)?.rank, -1);
  });

  it('differ in a channel by its overrides, those for everybody first', async () => {
    await node.happens(role(helper, 0n), rolesSet(ben, helper));
    await node.happens(override(staff, everybody, hidden));
    assert.equal(benIn(staff), 0n);
    await node.happens(override(staff, helper, { ...shown, neg: permission.sendMessages }));
    assert.equal(benIn(staff), usualPermissions & ~permission.sendMessages);
    assert.equal(node.rules.inChannel(guild, staff, cat), 0n);
    assert.equal(node.rules.inChannel(guild, staff, ann), allPermissions);
  });

  it('follow the category while the channel does', async () => {
    const child = 210n as ChannelId;
    await node.happens(channelUnderCategory(child), override(category, everybody, hidden));
    assert.equal(benIn(child), 0n);
    assert.deepEqual(node.rules.overrides(guild, child), node.rules.overrides(guild, category));
    await node.happens(override(child, everybody, shown));
    assert.equal(benIn(child), usualPermissions);
  });

  it('end with the community', async () => {
    await node.happens(deleted);
    assert.equal(node.rules.member(guild, ben), undefined);
    assert.deepEqual([...node.rules.connectedMembers(guild)], []);
  });
});

describe('writing', () => {
  it('is for who has the right in the channel, and for both in a direct chat', async () => {
    await node.access.load(guild, [ann, ben, cat]);
    await node.happens(override(general, everybody, { neg: permission.sendMessages }), left(cat));
    const mayWrite = (user: UserId) => [chatOfGeneral, chatOfStaff].map((chat) => node.rules.mayWrite(chat, user));
    assert.deepEqual([ann, ben, cat].map(mayWrite), [
      [true, true],
      [false, true],
      [false, false],
    ]);
    assert.deepEqual(
      [ann, cat].map((user) => node.rules.mayWrite(directChat(ann, ben), user)),
      [true, false],
    );
  });
});

describe('a change of access', () => {
  beforeEach(() => node.renderer.connect(ben));
  const seenBy = (look: () => unknown): readonly unknown[] => {
    const seen: unknown[] = [];
    node.access.onChange(({ communities, users }) => seen.push([[...communities], [...users], look()]));
    return seen;
  };

  it('of a channel names the community, once it is folded', async () => {
    const seen = seenBy(() => node.rules.mayWrite(chatOfGeneral, ben));
    await node.happens(override(general, everybody, { neg: permission.sendMessages }));
    assert.deepEqual(seen, [[[guild], [], false]]);
  });
  it('of a membership names the member, once it is folded', async () => {
    const seen = seenBy(() => node.rules.mayWrite(chatOfGeneral, ben));
    await node.happens(left(ben));
    assert.deepEqual(seen, [[[], [ben], false]]);
  });
  it('is not made by a message', async () => {
    const seen = seenBy(() => undefined);
    await node.happens(sent(1n, ann));
    assert.deepEqual(seen, []);
  });
});

describe('who sees a chat', () => {
  it('is in a direct chat the two, and nobody else', async () => {
    const chat = directChat(ann, ben);
    await Promise.all([node.renderer.connect(ann), node.renderer.connect(cat)]);
    assert.deepEqual([...node.rules.viewersOf(chat)], [ann]);
    assert.equal(node.rules.maySee(chat, ben), true);
    assert.equal(node.rules.maySee(chat, cat), false);
    assert.deepEqual([...node.rules.viewersOf(selfChat(cat))], [cat]);
  });

  it('see no group, because no document says who is in one', async () => {
    const group = groupChat(7n as GroupId);
    await node.renderer.connect(ann);
    assert.equal(node.rules.maySee(group, ann), false);
    assert.deepEqual([...node.rules.viewersOf(group)], []);
  });

  it('is in a channel who is connected and may view it', async () => {
    await node.renderer.connect(ann);
    assert.deepEqual(viewers(node.rules), [ann]);
    await node.renderer.connect(ben);
    assert.deepEqual(viewers(node.rules), [ann, ben]);
    node.renderer.disconnect(ann);
    assert.deepEqual(viewers(node.rules), [ben]);
  });

  it('is the same list as long as nothing changes', async () => {
    await node.renderer.connect(ben);
    const before = node.rules.viewersOf(chatOfStaff);
    await node.happens(sent(1000n, ben));
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
    await Promise.all([ann, ben, cat].map((user) => node.renderer.connect(user)));
    node.renderWith((_, view) => {
      views.push(view);
      return [];
    });
    assert.deepEqual(viewers(node.rules), [ann]);
  });

  const changes: readonly (readonly [string, readonly AnyEvent[], AnyEvent, readonly UserId[], readonly UserId[]])[] = [
    ['roles given', [], rolesSet(ben, helper), [ann], [ann, ben]],
    ['roles taken', [rolesSet(ben, helper)], rolesSet(ben), [ann, ben], [ann]],
    ['a role edited', [role(admin, 0n), rolesSet(cat, admin)], roleEdited(admin, 1n), [ann], [ann, cat]],
    ['an override set', [], override(staff, everybody, shown), [ann], [ann, ben, cat]],
    ['a role deleted', [rolesSet(ben, helper)], roleDeleted(helper), [ann, ben], [ann]],
    ['a member gone', [rolesSet(ben, helper)], left(ben), [ann, ben], [ann]],
    ['a member come', [override(staff, everybody, shown), left(ben)], joined(ben), [ann, cat], [ann, ben, cat]],
    ['the community deleted', [], deleted, [ann], []],
  ];
  for (const [what, given, event, before, after] of changes) {
    it(`shows who saw the channel before and who sees it after: ${what}`, async () => {
      await node.happens(...given);
      const seen = await told(event);
      assert.deepEqual(viewers(seen.before), before);
      assert.deepEqual(viewers(seen.after), after);
      for (const user of [ann, ben, cat]) {
        assert.equal(seen.before.maySee(chatOfStaff, user), before.includes(user));
        assert.equal(seen.after.maySee(chatOfStaff, user), after.includes(user));
      }
    });
  }

  it('may move a channel out of sight, under a hidden category', async () => {
    await node.happens(override(category, everybody, hidden));
    const seen = await told(movedUnder(general, category));
    assert.equal(seen.before.inChannel(guild, general, ben), usualPermissions);
    assert.equal(seen.after.inChannel(guild, general, ben), 0n);
  });

  it('shows the members before and after', async () => {
    const seen = await told(left(cat));
    assert.deepEqual([...seen.before.connectedMembers(guild)].sort(), [ann, ben, cat]);
    assert.deepEqual([...seen.after.connectedMembers(guild)].sort(), [ann, ben]);
    assert.equal(seen.before.member(guild, cat)?.permissions, usualPermissions);
    assert.equal(seen.after.member(guild, cat), undefined);
  });

  it('of another community leaves the view as it is', async () => {
    await node.happens(...founded(other, ben));
    const seen = await told(left(ben, other));
    assert.deepEqual(viewers(seen.before), viewers(seen.after));
  });
});

describe('a user', () => {
  it('sees nothing of a community after leaving it, and sees it again after coming back', async () => {
    await Promise.all([node.renderer.connect(ann), node.renderer.connect(ben)]);
    await node.tell();
    await node.happens(left(ben));
    assert.deepEqual([...node.rules.viewersOf(chatOfGeneral)], [ann]);
    assert.equal(node.rules.maySee(chatOfGeneral, ben), false);
    await node.happens(joined(ben));
    assert.deepEqual([...node.rules.viewersOf(chatOfGeneral)], [ann, ben]);
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
    await node.append(role(helper, 0n), rolesSet(ben, helper), override(staff, everybody, hidden));
    const connecting = node.renderer.connect(ben);
    const telling = node.tell();
    await Promise.all([connecting, telling]);
    assert.deepEqual(viewers(node.rules), []);
    await node.happens(override(staff, helper, shown));
    assert.deepEqual(viewers(node.rules), [ben]);
  });

  it('is brought up to date on events that nobody here cared about', async () => {
    await node.append(override(staff, everybody, hidden));
    assert.equal(await node.tell(), 0);
    await node.renderer.connect(ben);
    assert.deepEqual(viewers(node.rules), []);
  });

  it('may be connected when the read model is ahead of the telling', async () => {
    await node.append(left(ben), joined(ben), rolesSet(ben, helper), role(helper, permission.pinMessages));
    await node.project();
    await node.renderer.connect(ben);
    await node.tell();
    assert.deepEqual([...node.rules.viewersOf(chatOfGeneral)], [ben]);
    assert.equal(node.rules.member(guild, ben)?.permissions, usualPermissions | permission.pinMessages);
  });

  it('who disconnects while they connect is not connected', async () => {
    const connecting = node.renderer.connect(ben);
    node.renderer.disconnect(ben);
    await connecting;
    assert.deepEqual(viewers(node.rules), []);
    assert.equal(node.renderer.isRelevant(`community.${guild.toString()}`, 'ChannelRenamed'), false);
  });

  it('is seen by those who share a community or a conversation with them', async () => {
    const peer = 9n as UserId;
    await Promise.all([ann, peer, 10n as UserId].map((user) => node.renderer.connect(user)));
    await node.happens(sent(1000n, peer, directChat(peer, ben)));
    assert.deepEqual([...(await node.access.seeing(ben))].sort(), [ann, peer]);
    await node.renderer.connect(ben);
    assert.deepEqual([...(await node.access.seeing(ben))].sort(), [ann, ben, peer]);
  });

  it('has a presence that is known to those in the community, and after an answer to those in a conversation', async () => {
    const peer = 9n as UserId;
    await Promise.all([ann, ben, peer].map((user) => node.renderer.connect(user)));
    const audience = async (): Promise<readonly UserId[]> => [...(await node.access.statusAudience(ben))].sort();
    await node.happens(sent(1000n, peer, directChat(peer, ben)));
    assert.deepEqual([await audience(), await node.access.shareCommunity(peer, ben)], [[ann, ben], false]);
    await node.happens(sent(1001n, ben, directChat(peer, ben)), left(ann));
    assert.deepEqual([await audience(), await node.access.shareCommunity(ann, ben)], [[ben, peer], false]);
  });
});
