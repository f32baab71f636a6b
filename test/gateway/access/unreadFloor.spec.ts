import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import fc from 'fast-check';
import { channelChat, directChat } from '../../../src/kernel/chat.js';
import type { ChannelId, RoleId } from '../../../src/kernel/ids.js';
import { permission } from '../../../src/kernel/permissions.js';
import {
  admin,
  ann,
  ben,
  cat,
  category,
  channelMovedOut,
  channelUnderCategory,
  chatOfStaff,
  everybody,
  founded,
  guild,
  helper,
  joined,
  left,
  movedUnder,
  muted,
  override,
  overrideRemoved,
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

/** Time goes by: from here on moments are this id. */
const at = (id: bigint): AnyEvent => sent(id, ann);

let node: Node;
beforeEach(async () => {
  node = await nodeOf();
  await node.append(...founded(), role(helper, 0n), role(muted, 0n), role(admin, permission.administrator));
  await node.append(at(1n), joined(ben), at(2n), joined(cat));
  await node.access.load(guild, [ann, ben, cat]);
});

const floorsAfter = async (...events: readonly AnyEvent[]): Promise<readonly bigint[]> => {
  await node.happens(...events);
  return floorsIn(staff);
};
const floorsIn = (channel: ChannelId): readonly bigint[] => {
  const floorOf = node.rules.unreadFloorIn(channelChat(guild, channel));
  return [ben, cat].map(floorOf);
};

describe('what a member sees counts as unread', () => {
  it('from the joining on', async () => {
    assert.deepEqual(await floorsAfter(), [1n, 2n]);
  });

  it('from the last joining on', async () => {
    assert.deepEqual(await floorsAfter(at(10n), left(ben), at(11n), joined(ben)), [11n, 2n]);
  });

  it('from when the channel is shown to everybody', async () => {
    const floors = await floorsAfter(
      at(10n),
      override(staff, everybody, hidden),
      at(11n),
      override(staff, everybody, {}),
    );
    assert.deepEqual(floors, [11n, 11n]);
  });

  it('from when a role is given that shows the channel', async () => {
    await node.happens(override(staff, everybody, hidden), override(staff, helper, shown));
    assert.deepEqual(await floorsAfter(at(10n), rolesSet(ben, helper), at(11n), rolesSet(cat, helper)), [10n, 11n]);
  });

  it('from when the channel is shown to a role', async () => {
    await node.happens(override(staff, everybody, hidden), rolesSet(ben, helper), rolesSet(cat, helper));
    assert.deepEqual(await floorsAfter(at(10n), override(staff, helper, shown)), [10n, 10n]);
  });

  it('from when a role becomes one of administrators, or is given as such', async () => {
    await node.happens(override(staff, everybody, hidden), rolesSet(ben, helper));
    const floors = await floorsAfter(
      at(10n),
      roleEdited(helper, permission.administrator),
      at(11n),
      rolesSet(cat, admin),
      roleEdited(helper, permission.administrator | permission.pinMessages),
    );
    assert.deepEqual(floors, [10n, 11n]);
  });

  it('from when a role that hides the channel is taken, or is deleted', async () => {
    await node.happens(at(5n), override(staff, muted, hidden), rolesSet(ben, muted), rolesSet(cat, muted));
    assert.deepEqual(await floorsAfter(at(10n), rolesSet(ben), at(11n), roleDeleted(muted)), [10n, 11n]);
  });

  it('from when the channel is hidden no longer from a role, for those who have it', async () => {
    await node.happens(override(staff, muted, hidden), rolesSet(ben, muted));
    assert.deepEqual(await floorsAfter(at(10n), overrideRemoved(staff, muted)), [10n, 2n]);
  });
});

describe('what a member sees goes on counting', () => {
  it('when a channel that they see becomes one of their role', async () => {
    await node.happens(rolesSet(ben, helper));
    const floors = await floorsAfter(
      at(10n),
      override(staff, helper, shown),
      at(11n),
      override(staff, everybody, hidden),
    );
    assert.deepEqual(floors[0], 1n);
  });

  it('when it becomes a channel of their role and then everybody’s again', async () => {
    await node.happens(rolesSet(ben, helper), override(staff, helper, shown), at(10n));
    await node.happens(override(staff, everybody, hidden), at(11n), overrideRemoved(staff, everybody));
    // The time before it became theirs is forgotten: of what everybody saw only the last span is remembered.
    assert.deepEqual(await floorsAfter(at(12n), overrideRemoved(staff, helper)), [2n, 11n]);
  });

  it('when one role that shows it takes the place of another', async () => {
    const shows = [override(staff, everybody, hidden), override(staff, helper, shown), override(staff, muted, shown)];
    await node.happens(...shows, at(10n), rolesSet(ben, helper));
    assert.equal((await floorsAfter(at(11n), rolesSet(ben, muted)))[0], 10n);
  });

  it('when a role is taken that hides it while another one shows it all the same', async () => {
    await node.happens(override(staff, helper, shown), override(staff, muted, hidden), at(10n));
    assert.equal((await floorsAfter(rolesSet(ben, helper, muted), at(11n), rolesSet(ben, helper)))[0], 1n);
  });

  it('when something else of the channel or of a role changes', async () => {
    await node.happens(override(staff, everybody, hidden), override(staff, helper, shown), rolesSet(ben, helper));
    const others = { pos: permission.viewChannel, neg: permission.sendMessages };
    const [before] = floorsIn(staff);
    const floors = await floorsAfter(
      at(10n),
      override(staff, helper, others),
      roleEdited(helper, permission.pinMessages),
      rolesSet(ben, helper, admin),
      rolesSet(ben, helper),
    );
    assert.deepEqual([before, floors[0]], [1n, 1n]);
  });
});

describe('a channel under a category', () => {
  const child = 203n as ChannelId;
  beforeEach(() => node.happens(channelUnderCategory(child)));

  it('counts from when the category is shown, while it follows it', async () => {
    await node.happens(at(10n), override(category, everybody, hidden), at(11n), overrideRemoved(category, everybody));
    assert.deepEqual(floorsIn(child), [11n, 11n]);
    assert.deepEqual(floorsIn(staff), [1n, 2n]);
  });

  it('counts from when it comes under one that shows it', async () => {
    await node.happens(override(category, everybody, hidden), movedUnder(staff, category), at(10n));
    assert.deepEqual(await floorsAfter(overrideRemoved(category, everybody)), [10n, 10n]);
  });

  it('keeps its times when it moves out with what its category gave it', async () => {
    await node.happens(override(category, helper, shown), override(category, everybody, hidden), rolesSet(ben, helper));
    await node.happens(at(10n), channelMovedOut(child));
    assert.equal(floorsIn(child)[0], 1n);
  });
});

const roles: readonly RoleId[] = [helper, muted, admin];
/** On from the first moment to the second, or not at all. */
const once = fc.tuple(fc.nat(12), fc.nat(12)).map(([one, other]) => (one < other ? [one, other] : [other, one]));
const history = fc.record({
  joins: fc.nat(11),
  has: fc.tuple(once, once, once),
  shows: once,
  hides: once,
  closes: fc.nat(12),
  opens: fc.boolean(),
});
type History = typeof history extends fc.Arbitrary<infer T> ? T : never;

/** What happens at one moment of the history. */
const changesAt = (history: History, moment: number): readonly AnyEvent[] => {
  const turns = ([from, to]: readonly (number | undefined)[]): boolean =>
    from !== to && (moment === from || moment === to);
  const isOn = ([from = 0, to = 0]: readonly number[]): boolean => from <= moment && moment < to;
  const events: AnyEvent[] = moment === history.joins ? [joined(ben)] : [];
  if (moment >= history.joins && (moment === history.joins || history.has.some(turns))) {
    events.push(rolesSet(ben, ...roles.filter((_, place) => isOn(history.has[place] ?? []))));
  }
  if (turns(history.shows))
    events.push(isOn(history.shows) ? override(staff, helper, shown) : overrideRemoved(staff, helper));
  if (turns(history.hides))
    events.push(isOn(history.hides) ? override(staff, muted, hidden) : overrideRemoved(staff, muted));
  const isOpening = history.opens && moment === history.closes;
  if (history.opens && moment === 0 && !isOpening) events.push(override(staff, everybody, hidden));
  if (isOpening && moment > 0) events.push(overrideRemoved(staff, everybody));
  if (!history.opens && moment === history.closes) events.push(override(staff, everybody, hidden));
  return events;
};

describe('the floor of a member', () => {
  it('is the moment since when they have seen the channel without a break, when nothing happened twice', async () => {
    await fc.assert(
      fc.asyncProperty(history, async (history) => {
        const there = await nodeOf();
        await there.append(...founded(), role(helper, 0n), role(muted, 0n), role(admin, permission.administrator));
        await there.access.load(guild, [ben]);
        await there.tell();
        let since: bigint | undefined;
        for (let moment = 0; moment <= 12; moment += 1) {
          const id = BigInt(moment + 1) * 10n;
          await there.happens(at(id), ...changesAt(history, moment));
          const sees = there.rules.maySee(chatOfStaff, ben);
          since = sees ? (since ?? id) : undefined;
          if (sees) assert.equal(there.rules.unreadFloorIn(chatOfStaff)(ben), since);
        }
      }),
      { numRuns: 150 },
    );
  });

  it('is none in a direct chat, and for the founder', () => {
    assert.equal(node.rules.unreadFloorIn(directChat(ben, cat))(ben), 0n);
    assert.equal(node.rules.unreadFloorIn(chatOfStaff)(ann), 0n);
  });
});
