import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import fc from 'fast-check';
import { chatUnread, newestMessagesMax } from '../../../../src/gateway/updates/unread/chatUnread.js';
import type { UpdateView } from '../../../../src/gateway/contract/updateView.js';
import { directChat } from '../../../../src/kernel/chat.js';
import type { Recorded } from '../../../../src/kernel/event.js';
import type { MessageId, UserId } from '../../../../src/kernel/ids.js';
import { permission } from '../../../../src/kernel/permissions.js';
import { noMessage, unread } from '../../../../src/projections/unread/unread.js';
import { unreadReads } from '../../../../src/projections/unread/unreadReads.js';
import {
  admin,
  ada,
  bob,
  cleo,
  chatOfGeneral,
  edited,
  everybody,
  founded,
  general,
  helper,
  joined,
  left,
  markerMoved,
  messageDeleted,
  muted,
  override,
  overrideRemoved,
  role,
  rolesSet,
  sent,
} from '../../access/facts.js';
import { nodeOf, type AnyEvent, type Node } from '../../access/node.js';
import { readsOf } from '../../../support/reads.js';

const hidden = { neg: permission.viewChannel };
const shown = { pos: permission.viewChannel };

/** What each viewer was told last, in order of the users. */
type Told = Map<UserId, number | undefined>;

const countsOf = async ({ type, data }: Recorded, view: UpdateView): Promise<Told> => {
  if (type !== 'MessageSent') return new Map();
  const { chat } = data as Extract<AnyEvent, { type: 'MessageSent' }>['data'];
  const viewers = view.after.viewersOf(chat);
  const counts = await view.unreadCounts(chat, viewers);
  return new Map([...viewers].map((viewer, place) => [viewer, counts[place]]));
};

describe('unread counts', () => {
  let node: Node;
  let told: Told;
  beforeEach(async () => {
    node = await nodeOf();
    told = new Map();
    node.renderWith(async (event, view) => {
      const seen = await countsOf(event, view);
      if (seen.size > 0) told = seen;
      return [];
    });
    await node.append(...founded(), joined(bob), joined(cleo));
    await node.tell();
    await Promise.all([ada, bob, cleo].map((user) => node.renderer.connect(user)));
  });
  const counts = (...users: readonly UserId[]): readonly (number | undefined)[] => users.map((user) => told.get(user));

  it('grow for all but the author, who has read everything before', async () => {
    await node.happens(sent(1000n, ada), sent(1001n, ada));
    assert.deepEqual(counts(ada, bob, cleo), [0, 2, 2]);
    await node.happens(sent(1002n, bob));
    assert.deepEqual(counts(ada, bob, cleo), [1, 0, 3]);
  });

  it('fall with the marker, and count anew from there', async () => {
    await node.happens(sent(1000n, ada), sent(1001n, ada), markerMoved(bob, 1000n));
    await node.happens(sent(1002n, ada));
    assert.deepEqual(counts(bob, cleo), [2, 3]);
  });

  it('of one user begin where they saw the channel again, when they are asked for with nobody else', async () => {
    let alone: number | undefined;
    node.renderWith(async (event, view) => {
      await countsOf(event, view);
      if (event.type === 'MarkerMoved') alone = (await view.unread(chatOfGeneral, bob)).messages;
      return [];
    });
    await node.happens(sent(1000n, ada), sent(1001n, ada), sent(1002n, ada), markerMoved(bob, 1000n));
    assert.equal(alone, 2);
    await node.happens(override(general, everybody, hidden), sent(1003n, ada), overrideRemoved(general, everybody));
    await node.happens(markerMoved(bob, 1001n));
    assert.equal(alone, 0);
  });

  it('leave out what is deleted', async () => {
    await node.happens(sent(1000n, ada), sent(1001n, bob), sent(1002n, ada), messageDeleted(1000n, ada));
    await node.happens(sent(1003n, ada));
    assert.deepEqual(counts(bob, cleo), [2, 3]);
  });

  it('go on from an own message when that is deleted, in memory and read anew', async () => {
    await node.happens(sent(1000n, ada), sent(1001n, bob), messageDeleted(1001n, bob), sent(1002n, ada));
    assert.deepEqual(counts(bob, cleo), [1, 2]);
    node.renderer.disconnect(bob);
    await node.renderer.connect(bob);
    await node.happens(sent(1003n, ada));
    assert.deepEqual(counts(bob, cleo), [2, 3]);
  });

  it('are those of the whole history for who comes later', async () => {
    node.renderer.disconnect(cleo);
    await node.happens(...Array.from({ length: 100 }, (_, index) => sent(1000n + BigInt(index), ada)));
    await node.renderer.connect(cleo);
    await node.happens(sent(2000n, ada));
    assert.deepEqual(counts(bob, cleo), [101, 101]);
  });

  it('are read again for who reconnects, with what they read elsewhere', async () => {
    await node.happens(sent(1000n, ada), sent(1001n, ada));
    node.renderer.disconnect(bob);
    await node.happens(markerMoved(bob, 1001n));
    await node.renderer.connect(bob);
    await node.happens(sent(1002n, ada));
    assert.deepEqual(counts(bob, cleo), [1, 3]);
  });

  it('begin at the joining of a newcomer, and anew for a member who left and came back', async () => {
    const dan = 4n as UserId;
    await node.renderer.connect(dan);
    await node.happens(sent(1000n, ada), left(bob), sent(1001n, ada), joined(bob), joined(dan), sent(1002n, ada));
    assert.deepEqual(counts(bob, cleo, dan), [1, 3, 1]);
  });

  it('begin anew when a channel is shown again', async () => {
    await node.happens(sent(1000n, ada), override(general, everybody, hidden), sent(1001n, ada));
    await node.happens(overrideRemoved(general, everybody), sent(1002n, ada));
    assert.deepEqual(counts(ada, bob, cleo), [0, 1, 1]);
  });

  it('begin at the giving of the role that shows a channel', async () => {
    await node.happens(override(general, everybody, hidden), role(helper, 0n), override(general, helper, shown));
    await node.happens(sent(1000n, ada), rolesSet(bob, helper), sent(1001n, ada));
    assert.deepEqual(counts(ada, bob, cleo), [0, 1, undefined]);
  });

  it('are exact for many newcomers of different times', async () => {
    const newcomers = Array.from({ length: 20 }, (_, index) => BigInt(10 + index) as UserId);
    for (const [index, newcomer] of newcomers.entries()) {
      await node.append(sent(1000n + BigInt(index), ada), joined(newcomer));
    }
    await node.append(...Array.from({ length: 300 }, (_, index) => sent(2000n + BigInt(index), ada)));
    await node.tell();
    await Promise.all(newcomers.map((newcomer) => node.renderer.connect(newcomer)));
    await node.happens(sent(3000n, ada));
    assert.deepEqual(counts(cleo, ...newcomers), [321, ...newcomers.map((_, index) => 320 - index)]);
  });

  it('are told to both sides of a direct chat', async () => {
    const chat = directChat(ada, bob);
    await node.happens(sent(1000n, ada, chat), sent(1001n, ada, chat));
    assert.deepEqual(counts(ada, bob, cleo), [0, 2, undefined]);
  });

  it('say what names the reader, with or without having counted the chat before', async () => {
    const seen: unknown[] = [];
    node.renderWith(async ({ type }, view) => {
      if (type === 'MarkerMoved') seen.push(await view.unread(chatOfGeneral, bob));
      return [];
    });
    await node.append(sent(1000n, ada), sent(1001n, ada, chatOfGeneral, [bob]), sent(1002n, ada));
    await node.happens(markerMoved(bob, 1000n));
    node.renderWith(async (event, view) => {
      if (event.type === 'MarkerMoved') seen.push(await view.unread(chatOfGeneral, bob));
      await countsOf(event, view);
      return [];
    });
    await node.happens(sent(1003n, ada), edited(1003n, ada, [bob]), markerMoved(bob, 1001n), markerMoved(bob, 1003n));
    assert.deepEqual(seen, [
      { messages: 2, mentions: 1, marker: 1000n },
      { messages: 2, mentions: 1, marker: 1001n },
      { messages: 0, mentions: 0, marker: 1003n },
    ]);
  });
});

describe('the counts of one chat', () => {
  it('stay right when the older half of what is remembered is let go', () => {
    const counts = chatUnread([], noMessage);
    const message = (id: number) => ({ id: BigInt(id) as MessageId, author: ada, mentions: [] });
    for (const viewer of [bob, cleo]) counts.enter(viewer, { marker: noMessage, older: 0, asOf: 9000n });
    for (let id = 1; id <= newestMessagesMax * 2; id += 1) counts.sent(message(id), BigInt(id));
    assert.equal(counts.unreadOf(bob), newestMessagesMax * 2);
    counts.markerMoved(cleo, BigInt(newestMessagesMax * 2 - 3) as MessageId);
    assert.equal(counts.unreadOf(cleo), 3);
    counts.deleted(5n as MessageId, 8000n);
    assert.equal(counts.unreadOf(bob), undefined, 'what is below all that is remembered is counted anew');
  });
});

describe('a message that is older than all that is remembered', () => {
  const remembered = () => {
    const counts = chatUnread([{ id: 101n as MessageId, author: ada, mentions: [] }], 100n as MessageId);
    counts.enter(bob, { marker: 10n as MessageId, older: 7, asOf: 5n });
    counts.enter(cleo, { marker: 100n as MessageId, older: 0, asOf: 5n });
    return counts;
  };

  it('makes those count anew who have not read so far, when it comes late', () => {
    const counts = remembered();
    counts.sent({ id: 50n as MessageId, author: ada, mentions: [] }, 6n);
    assert.deepEqual([counts.unreadOf(bob), counts.unreadOf(cleo)], [undefined, 1]);
  });

  it('changes nothing when it was counted already', () => {
    const counts = remembered();
    counts.sent({ id: 50n as MessageId, author: ada, mentions: [] }, 5n);
    counts.deleted(50n as MessageId, 5n);
    assert.deepEqual([counts.unreadOf(bob), counts.unreadOf(cleo)], [8, 1]);
  });

  it('makes those count anew who have not read so far, when it is deleted', () => {
    const counts = remembered();
    counts.deleted(50n as MessageId, 6n);
    assert.deepEqual([counts.unreadOf(bob), counts.unreadOf(cleo)], [undefined, 1]);
  });
});

const users = [ada, bob, cleo, 4n as UserId];
const who = fc.constantFrom(...users);
/** All but the owner, who can neither leave nor lose sight. */
const stranger = fc.constantFrom(...users.slice(1));
const overridden = fc.constantFrom(everybody, helper, muted);
/** Milliseconds between two messages: some within a span of the stored counts, some over many. */
const gap = fc.constantFrom(1, 1 << 10, 1 << 20, 1 << 27);
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ does: fc.constant('send' as const), who, gap, behind: fc.nat({ max: 12 }) }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('burst' as const), who, gap }) },
  {
    weight: 2,
    arbitrary: fc.record({ does: fc.constant('delete' as const), at: fc.double({ min: 0, max: 0.999, noNaN: true }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      does: fc.constant('read' as const),
      who,
      at: fc.double({ min: 0, max: 0.999, noNaN: true }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('reconnect' as const), who }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constantFrom('join' as const, 'leave' as const), who: stranger }) },
  {
    weight: 2,
    arbitrary: fc.record({
      does: fc.constant('rank' as const),
      who: stranger,
      roles: fc.subarray([helper, admin, muted]),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      does: fc.constantFrom('show' as const, 'hide' as const, 'release' as const),
      role: overridden,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ does: fc.constantFrom('tell' as const, 'store' as const, 'everybodyReconnects' as const) }),
  },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** Everything by the definition: messages not deleted after the marker, the newest message that one ever sent, and the floor. */
class Naive {
  readonly messages = new Map<bigint, UserId>();
  readonly markers = new Map<UserId, bigint>();
  readonly members = new Set<UserId>(users);
  private readonly taken = new Set<bigint>();
  private clock = 0n;

  next(after: number, behind: number): bigint {
    this.clock += BigInt(after) << 22n;
    // Another node's clock may be behind by a little.
    let id = this.clock - BigInt(behind === 12 ? 3 << 22 : 0);
    while (id <= 0n || this.taken.has(id)) id += 1n;
    this.taken.add(id);
    return id;
  }
  ids(): readonly bigint[] {
    return [...this.messages.keys()].sort((one, other) => Number(one - other));
  }
  read(user: UserId, upTo: bigint): void {
    if (upTo > (this.markers.get(user) ?? 0n)) this.markers.set(user, upTo);
  }
  unread(user: UserId, floor: bigint): number {
    const marker = this.markers.get(user) ?? 0n;
    return this.ids().filter((id) => id > marker && id > floor).length;
  }
}

const eventsOf = (naive: Naive, step: Step): readonly AnyEvent[] => {
  const at = (place: number): bigint | undefined => naive.ids()[Math.floor(place * naive.messages.size)];
  const send = (author: UserId, id: bigint): AnyEvent => {
    naive.messages.set(id, author);
    naive.read(author, id);
    return sent(id, author);
  };
  switch (step.does) {
    case 'send':
      return [send(step.who, naive.next(step.gap, step.behind))];
    case 'burst':
      return Array.from({ length: 40 }, () => send(step.who, naive.next(step.gap, 0)));
    case 'delete': {
      const id = at(step.at);
      const author = id === undefined ? undefined : naive.messages.get(id);
      if (id === undefined || author === undefined) return [];
      naive.messages.delete(id);
      return [messageDeleted(id, author)];
    }
    case 'read': {
      const id = at(step.at);
      if (id === undefined || id <= (naive.markers.get(step.who) ?? 0n)) return [];
      naive.read(step.who, id);
      return [markerMoved(step.who, id)];
    }
    case 'join':
      if (naive.members.has(step.who)) return [];
      naive.members.add(step.who);
      return [joined(step.who)];
    case 'leave':
      return naive.members.delete(step.who) ? [left(step.who)] : [];
    case 'rank':
      return naive.members.has(step.who) ? [rolesSet(step.who, ...step.roles)] : [];
    case 'show':
      return [override(general, step.role, shown)];
    case 'hide':
      return [override(general, step.role, hidden)];
    case 'release':
      return [overrideRemoved(general, step.role)];
    default:
      return [];
  }
};

/** By the definition, for all who see the channel, whatever is in memory and in the read model. */
const expected = (node: Node, naive: Naive): Told => {
  const floorOf = node.rules.unreadFloorIn(chatOfGeneral);
  return new Map([...node.rules.viewersOf(chatOfGeneral)].map((user) => [user, naive.unread(user, floorOf(user))]));
};

const storedCounts = async (node: Node): Promise<Told> => {
  await node.project();
  const floorOf = node.rules.unreadFloorIn(chatOfGeneral);
  const counts: Told = new Map();
  for (const user of node.rules.viewersOf(chatOfGeneral)) {
    const viewer = { chat: chatOfGeneral, user, floor: floorOf(user) };
    counts.set(user, (await unread(readsOf(node.store), viewer)).messages);
  }
  return counts;
};

const nodeWithMembers = async (): Promise<Node> => {
  const node = await nodeOf();
  await node.append(...founded(), ...users.slice(1).map((user) => joined(user)));
  await node.append(role(helper, 0n), role(muted, 0n), role(admin, permission.administrator));
  await node.tell();
  await Promise.all(users.map((user) => node.renderer.connect(user)));
  return node;
};

const reconnect = async (node: Node, step: Step): Promise<void> => {
  const gone = step.does === 'everybodyReconnects' ? users : step.does === 'reconnect' ? [step.who] : [];
  for (const user of gone) node.renderer.disconnect(user);
  await Promise.all(gone.map((user) => node.renderer.connect(user)));
};

describe('unread counts, whatever happens,', () => {
  const steps = fc.array(step, { minLength: 30, maxLength: 120 });

  it('are exact with every message when events are told as they come', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (sequence) => {
        const node = await nodeWithMembers();
        const naive = new Naive();
        let told: Told = new Map();
        node.renderWith(async (event, view) => {
          told = await countsOf(event, view);
          return [];
        });
        for (const step of sequence) {
          await reconnect(node, step);
          for (const event of eventsOf(naive, step)) {
            await node.happens(event);
            if (step.does !== 'send') continue;
            assert.deepEqual(told, expected(node, naive));
          }
        }
      }),
      { numRuns: 40 },
    );
  });

  it('come out exact when telling lags behind the read model, and users come in between', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (sequence) => {
        const node = await nodeWithMembers();
        const naive = new Naive();
        let told: Told = new Map();
        node.renderWith(async (event, view) => {
          told = await countsOf(event, view);
          return [];
        });
        for (const step of sequence) {
          if (step.does === 'tell') await node.tell();
          if (step.does === 'store') await node.project();
          await Promise.all([reconnect(node, step), step.does === 'reconnect' ? node.tell() : undefined]);
          await node.append(...eventsOf(naive, step));
        }
        await node.tell();
        await node.happens(...eventsOf(naive, { does: 'send', who: ada, gap: 1, behind: 0 }));
        assert.deepEqual(told, expected(node, naive));
        assert.deepEqual(await storedCounts(node), told);
      }),
      { numRuns: 40 },
    );
  });
});

describe('stored counts', () => {
  it('add up between any two messages', async () => {
    const id = fc.bigInt({ min: 1n, max: 2n ** 58n }).map((raw) => raw >> 3n);
    const near = fc.tuple(id, fc.bigInt({ min: 0n, max: 2n ** 42n })).map(([one, more]) => one + more);
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(fc.oneof(id, near), { minLength: 5, maxLength: 30 }), async (ids) => {
        const node = await nodeOf();
        await node.append(...ids.map((one) => sent(one, ada)));
        await node.project();
        const { between } = unreadReads(readsOf(node.store));
        for (const above of [0n, ...ids]) {
          const upTo = ids[Number(above % BigInt(ids.length))] ?? 0n;
          const expected = ids.filter((one) => one > above && one <= upTo).length;
          assert.equal(await between(chatOfGeneral, above, upTo), expected);
        }
      }),
      { numRuns: 30 },
    );
  });
});
