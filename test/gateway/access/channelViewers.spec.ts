import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { channelChat } from '../../../src/kernel/chat.js';
import type { ChannelId, UserId } from '../../../src/kernel/ids.js';
import { permission, usualPermissions } from '../../../src/kernel/permissions.js';
import {
  bob,
  category,
  channelMovedOut,
  channelUnderCategory,
  chatOfGeneral,
  chatOfStaff,
  cleo,
  everybody,
  founded,
  general,
  guild,
  helper,
  joined,
  override,
  role,
  roleEdited,
  roleRenamed,
  rolesSet,
  staff,
} from './facts.js';
import { nodeOf, type AnyEvent, type Node } from './node.js';

const child = 210n as ChannelId;
const chatOfChild = channelChat(guild, child);
const hidden = { neg: permission.viewChannel };

let node: Node;
beforeEach(async () => {
  node = await nodeOf();
  await node.append(...founded(), joined(bob), joined(cleo), channelUnderCategory(child), role(helper, 0n));
  for (const user of [bob, cleo]) await node.renderer.connect(user);
});

type Found = readonly Iterable<UserId>[];
const chats = [chatOfGeneral, chatOfStaff, chatOfChild];
const found = (): Found => chats.map((chat) => node.rules.viewersOf(chat));
/** Of these chats the viewers are other lists than before. */
const foundAnew = async (...events: readonly AnyEvent[]): Promise<readonly string[]> => {
  const before = found();
  await node.happens(...events);
  return found().flatMap((list, at) => (list === before[at] ? [] : (chats[at] ?? [])));
};

describe('the viewers of channels', () => {
  it('are found once for all channels in which the same overrides count', async () => {
    assert.equal(new Set(found()).size, 1);
    await node.happens(override(category, everybody, hidden));
    assert.deepEqual(node.rules.viewersOf(chatOfChild), []);
    assert.equal(new Set(found()).size, 2);
  });

  it('are not found anew when channels move or the name of a role changes', async () => {
    assert.deepEqual(await foundAnew(channelMovedOut(general), channelMovedOut(staff)), []);
    assert.deepEqual(await foundAnew(roleRenamed(helper, 0n)), []);
  });

  it('are found anew for the channel whose overrides change, and those that follow it', async () => {
    assert.deepEqual(await foundAnew(override(staff, helper, hidden)), [chatOfStaff]);
    assert.deepEqual(await foundAnew(override(category, helper, hidden)), [chatOfChild]);
    assert.deepEqual(await foundAnew(channelMovedOut(child)), []);
    assert.deepEqual(await foundAnew(override(category, everybody, hidden)), []);
  });

  it('are found anew for all channels when a role gives or takes something', async () => {
    assert.deepEqual(await foundAnew(roleEdited(helper, permission.pinMessages)), chats);
  });

  it('follow the roles of each member in all channels that have them in common', async () => {
    await node.happens(override(staff, helper, hidden));
    found();
    await node.happens(rolesSet(bob, helper));
    assert.deepEqual(
      found().map((list) => [...list]),
      [[bob, cleo], [cleo], [bob, cleo]],
    );
  });
});

describe('the rules of a community', () => {
  const memberOf = () => node.rules.member(guild, bob);

  it('are kept for its members when channels move, and made anew when roles change', async () => {
    const before = memberOf();
    await node.happens(channelMovedOut(general));
    assert.equal(memberOf(), before);
    await node.happens(rolesSet(bob, helper), roleEdited(helper, permission.pinMessages));
    assert.equal(memberOf()?.permissions, usualPermissions | permission.pinMessages);
  });
});
