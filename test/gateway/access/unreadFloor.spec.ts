import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import fc from 'fast-check';
import { channelChat, directChat } from '../../../src/kernel/chat.js';
import type { ChannelId, RoleId } from '../../../src/kernel/ids.js';
import { permission } from '../../../src/kernel/permissions.js';
import { spansMax } from '../../../src/kernel/span.js';
import { goneRolesMax } from '../../../src/projections/communities/sightTimes.js';
import { formerRolesMax } from '../../../src/projections/members/fold.js';
import {
  admin,
  ada,
  bob,
  cleo,
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
const at = (id: bigint): AnyEvent => sent(id, ada);

let node: Node;
beforeEach(async () => {
  node = await nodeOf();
  await node.append(...founded(), role(helper, 0n), role(muted, 0n), role(admin, permission.administrator));
  await node.append(at(1n), joined(bob), at(2n), joined(cleo));
  await node.access.load(guild, [ada, bob, cleo]);
});

const floorsAfter = async (...events: readonly AnyEvent[]): Promise<readonly bigint[]> => {
  await node.happens(...events);
  return floorsIn(staff);
};
const floorsIn = (channel: ChannelId): readonly bigint[] => {
  const floorOf = node.rules.unreadFloorIn(channelChat(guild, channel));
  return [bob, cleo].map(floorOf);
};

describe('what a member sees counts as unread', () => {
  it('from the joining on', async () => {
    assert.deepEqual(await floorsAfter(), [1n, 2n]);
  });

  it('from the last joining on', async () => {
    assert.deepEqual(await floorsAfter(at(10n), left(bob), at(11n), joined(bob)), [11n, 2n]);
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
    assert.deepEqual(await floorsAfter(at(10n), rolesSet(bob, helper), at(11n), rolesSet(cleo, helper)), [10n, 11n]);
  });

  it('from when the channel is shown to a role', async () => {
    await node.happens(override(staff, everybody, hidden), rolesSet(bob, helper), rolesSet(cleo, helper));
    assert.deepEqual(await floorsAfter(at(10n), override(staff, helper, shown)), [10n, 10n]);
  });

  it('from when a role becomes one of administrators, or is given as such', async () => {
    await node.happens(override(staff, everybody, hidden), rolesSet(bob, helper));
    const floors = await floorsAfter(
      at(10n),
      roleEdited(helper, permission.administrator),
      at(11n),
      rolesSet(cleo, admin),
      roleEdited(helper, permission.administrator | permission.pinMessages),
    );
    assert.deepEqual(floors, [10n, 11n]);
  });

  it('from when a role that hides the channel is taken, or is deleted', async () => {
    await node.happens(at(5n), override(staff, muted, hidden), rolesSet(bob, muted), rolesSet(cleo, muted));
    assert.deepEqual(await floorsAfter(at(10n), rolesSet(bob), at(11n), roleDeleted(muted)), [10n, 11n]);
  });

  it('from when the channel is hidden no longer from a role, for those who have it', async () => {
    await node.happens(override(staff, muted, hidden), rolesSet(bob, muted));
    assert.deepEqual(await floorsAfter(at(10n), overrideRemoved(staff, muted)), [10n, 2n]);
  });
});

describe('what a member sees goes on counting', () => {
  it('when a channel that they see becomes one of their role', async () => {
    await node.happens(rolesSet(bob, helper));
    const floors = await floorsAfter(
      at(10n),
      override(staff, helper, shown),
      at(11n),
      override(staff, everybody, hidden),
    );
    assert.deepEqual(floors[0], 1n);
  });

  it('when it becomes a channel of their role and then everybody’s again', async () => {
    await node.happens(rolesSet(bob, helper), override(staff, helper, shown), at(10n));
    await node.happens(override(staff, everybody, hidden), at(11n), overrideRemoved(staff, everybody));
    assert.deepEqual(await floorsAfter(at(12n), overrideRemoved(staff, helper)), [1n, 11n]);
  });

  it('when one role that shows it takes the place of another', async () => {
    const shows = [override(staff, everybody, hidden), override(staff, helper, shown), override(staff, muted, shown)];
    await node.happens(...shows, at(10n), rolesSet(bob, helper));
    assert.equal((await floorsAfter(at(11n), rolesSet(bob, muted)))[0], 10n);
  });

  it('when a role is taken that hides it while another one shows it all the same', async () => {
    await node.happens(override(staff, helper, shown), override(staff, muted, hidden), at(10n));
    assert.equal((await floorsAfter(rolesSet(bob, helper, muted), at(11n), rolesSet(bob, helper)))[0], 1n);
  });

  it('when something else of the channel or of a role changes', async () => {
    await node.happens(override(staff, everybody, hidden), override(staff, helper, shown), rolesSet(bob, helper));
    const others = { pos: permission.viewChannel, neg: permission.sendMessages };
    const [before] = floorsIn(staff);
    const floors = await floorsAfter(
      at(10n),
      override(staff, helper, others),
      roleEdited(helper, permission.pinMessages),
      rolesSet(bob, helper, admin),
      rolesSet(bob, helper),
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
    await node.happens(override(category, helper, shown), override(category, everybody, hidden), rolesSet(bob, helper));
    await node.happens(at(10n), channelMovedOut(child));
    assert.equal(floorsIn(child)[0], 1n);
  });
});

/** Everything that turns the sight of a channel on or off. Muted members do not see it, helpers always do. */
const things = ['open', 'shown', 'hidden', 'admins', 'helper', 'muted', 'admin'] as const;
type Thing = (typeof things)[number];
type Settings = Readonly<Record<Thing, boolean>>;
const atFirst: Settings = {
  open: true,
  shown: false,
  hidden: false,
  admins: true,
  helper: false,
  muted: false,
  admin: false,
};

const rolesOf = ({ helper: helps, muted: isMuted, admin: administers }: Settings): readonly RoleId[] => [
  ...(helps ? [helper] : []),
  ...(isMuted ? [muted] : []),
  ...(administers ? [admin] : []),
];

const rolesChanged = (now: Settings): AnyEvent => rolesSet(bob, ...rolesOf(now));
const changed: Readonly<Record<Thing, (now: Settings) => AnyEvent>> = {
  open: ({ open }) => (open ? overrideRemoved(staff, everybody) : override(staff, everybody, hidden)),
  shown: (now) => (now.shown ? override(staff, helper, shown) : overrideRemoved(staff, helper)),
  hidden: (now) => (now.hidden ? override(staff, muted, hidden) : overrideRemoved(staff, muted)),
  admins: ({ admins }) => roleEdited(admin, admins ? permission.administrator : 0n),
  helper: rolesChanged,
  muted: rolesChanged,
  admin: rolesChanged,
};

/** The settings after each moment; Bob joins at the first. */
type Past = readonly Settings[];
type Sure = { readonly certainly: boolean; readonly perhaps: boolean };

/** What is remembered of a thing at a moment of the past: it was so in the last spans; before those it may have been. */
const remembered = (past: Past, thing: Thing): readonly Sure[] => {
  const begins = past.map((now, at) => now[thing] && (at === 0 || past[at - 1]?.[thing] === false));
  const firstKept = begins.flatMap((isBegin, at) => (isBegin ? [at] : [])).slice(-spansMax)[0] ?? past.length;
  const first = begins.indexOf(true);
  const lastBefore = past.slice(0, firstKept).findLastIndex((now) => now[thing]);
  return past.map((now, at) => ({
    certainly: now[thing] && at >= firstKept,
    perhaps: now[thing] || (at >= first && at <= lastBefore),
  }));
};

/** Moment by moment: since when the channel was seen, as far as is remembered. */
const floorByHand = (past: Past): number => {
  const of = Object.fromEntries(things.map((thing) => [thing, remembered(past, thing)]));
  const was = (thing: Thing, at: number): boolean => of[thing]?.[at]?.certainly === true;
  const mayHaveBeen = (thing: Thing, at: number): boolean => of[thing]?.[at]?.perhaps === true;
  const isForced = (at: number): boolean =>
    (was('helper', at) && was('shown', at)) || (was('admin', at) && was('admins', at));
  const isHidden = (at: number): boolean => mayHaveBeen('muted', at) && hidesMuted(past, at);
  const sees = (at: number): boolean => isForced(at) || (was('open', at) && !isHidden(at));
  let from = past.length;
  while (from > 0 && sees(from - 1)) from -= 1;
  return from;
};

/** The oldest hiding that is remembered is several in one. */
const hidesMuted = (past: Past, at: number): boolean => {
  const ends = past.map((now, place) => now.hidden && past[place + 1]?.hidden === false);
  const begins = past.map((now, place) => now.hidden && (place === 0 || past[place - 1]?.hidden === false));
  const begun = begins.flatMap((isBegin, place) => (isBegin ? [place] : []));
  const lastMerged = begun.length > spansMax ? begun[begun.length - spansMax] : undefined;
  const mergedEnd = lastMerged === undefined ? -1 : ends.indexOf(true, lastMerged);
  return past[at]?.hidden === true || (at >= (begun[0] ?? 0) && at <= mergedEnd);
};

const idAt = (moment: number): bigint => BigInt(moment + 1) * 10n;

/** Lives through the history; hands over the past, whether Bob sees the channel, and the floor, after each moment. */
const through = async (
  turns: readonly Thing[],
  check: (past: Past, now: { readonly sees: boolean; readonly floor: bigint }) => void,
): Promise<void> => {
  const there = await nodeOf();
  await there.append(...founded(), role(helper, 0n), role(muted, 0n), role(admin, permission.administrator));
  await there.access.load(guild, [bob]);
  await there.tell();
  await there.happens(at(idAt(0)), joined(bob));
  const past = [atFirst];
  for (const thing of turns) {
    const before = past.at(-1) ?? atFirst;
    const now = { ...before, [thing]: !before[thing] };
    await there.happens(at(idAt(past.length)), changed[thing](now));
    past.push(now);
    check(past, { sees: there.rules.maySee(chatOfStaff, bob), floor: there.rules.unreadFloorIn(chatOfStaff)(bob) });
  }
};

/** Since when Bob has seen the channel in truth. */
const sinceWhen = () => {
  let since: number | undefined = 0;
  return (moment: number, { sees }: { readonly sees: boolean }): number => {
    since = sees ? (since ?? moment) : undefined;
    return since ?? moment;
  };
};

const repeated = (thing: Thing, times: number): readonly Thing[] => new Array<Thing>(times).fill(thing);

const turnsOf = (length: number, of: readonly Thing[] = things) =>
  fc.array(fc.constantFrom(...of), { maxLength: length });

describe('the floor of a member', () => {
  it('is the moment since when they have seen the channel without a break', async () => {
    await fc.assert(
      fc.asyncProperty(turnsOf(2 * spansMax - 1), async (turns) => {
        const since = sinceWhen();
        await through(turns, (past, { sees, floor }) => {
          const truth = since(past.length - 1, { sees });
          if (sees) assert.equal(floor, idAt(truth));
        });
      }),
      { numRuns: 100 },
    );
  });

  it('is later at most, and never goes back, where more happened than is remembered', async () => {
    // Of few things one is turned more often than spans are kept, while the others stay as they are.
    const often = (of: readonly Thing[]) =>
      fc.tuple(fc.constantFrom(...of), fc.oneof(fc.nat(3), fc.integer({ min: 14, max: 22 })));
    const turns = fc
      .subarray([...things], { minLength: 2, maxLength: 3 })
      .chain((of) => fc.array(often(of), { maxLength: 8 }))
      .map((all) => all.flatMap(([thing, times]) => repeated(thing, times)));
    // Hidden once and seen ever since, but hidden from others so often, or muted so often for nothing.
    const hiddenOnce: readonly Thing[] = ['hidden', 'muted', 'muted'];
    const examples: [readonly Thing[]][] = [
      [[...hiddenOnce, ...repeated('hidden', 20)]],
      [[...hiddenOnce, 'hidden', ...repeated('muted', 20)]],
    ];
    await fc.assert(
      fc.asyncProperty(turns, async (turns) => {
        const since = sinceWhen();
        let last = 0n;
        await through(turns, (past, { sees, floor }) => {
          const truth = since(past.length - 1, { sees });
          if (!sees) return;
          assert.ok(floor >= idAt(truth) && floor >= last);
          assert.equal(floor, idAt(floorByHand(past)));
          last = floor;
        });
      }),
      { numRuns: 150, examples },
    );
  });

  it('does not go back when a role is given twice, or the channel hidden twice', async () => {
    const twice: readonly Thing[] = ['hidden', 'muted', 'muted', 'muted', 'muted', 'open', 'open', 'open', 'open'];
    const floors: bigint[] = [];
    await through(twice, (_, { sees, floor }) => {
      if (sees) floors.push(floor);
    });
    assert.deepEqual(floors, [0, 3, 5, 7, 9].map(idAt));
  });

  it('does not go back when the role that hid the channel is forgotten', async () => {
    const others = Array.from({ length: goneRolesMax }, (_, place) => BigInt(1_000 + place) as RoleId);
    await node.happens(override(staff, muted, hidden), rolesSet(bob, muted), at(10n), roleDeleted(muted));
    assert.equal(floorsIn(staff)[0], 10n);
    await node.happens(...others.flatMap((id) => [role(id, 0n), override(staff, id, hidden), roleDeleted(id)]));
    assert.equal(floorsIn(staff)[0], 10n);
  });

  it('does not go back when it is forgotten that the member had the role that hid it', async () => {
    const others = Array.from({ length: formerRolesMax }, (_, place) => BigInt(1_000 + place) as RoleId);
    await node.happens(override(staff, muted, hidden), rolesSet(bob, muted), at(10n), rolesSet(bob), at(11n));
    assert.equal(floorsIn(staff)[0], 10n);
    await node.happens(rolesSet(bob, ...others), at(12n), rolesSet(bob));
    assert.equal(floorsIn(staff)[0], 10n);
  });

  it('is none in a direct chat, and for the founder', () => {
    assert.equal(node.rules.unreadFloorIn(directChat(bob, cleo))(bob), 0n);
    assert.equal(node.rules.unreadFloorIn(chatOfStaff)(ada), 0n);
  });
});
