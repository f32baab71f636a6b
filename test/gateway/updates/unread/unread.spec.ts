import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import fc from 'fast-check';
import { chatUnread, newestMessagesMax, noMessage } from '../../../../src/gateway/updates/unread/chatUnread.js';
import type { UpdateView } from '../../../../src/gateway/contract/updateView.js';
import { directChat } from '../../../../src/kernel/chat.js';
import type { Recorded } from '../../../../src/kernel/event.js';
import type { MessageId, UserId } from '../../../../src/kernel/ids.js';
import { unreadReads } from '../../../../src/projections/unread/unreadReads.js';
import {
  ann,
  ben,
  cat,
  chatOfGeneral,
  edited,
  founded,
  joined,
  left,
  markerMoved,
  messageDeleted,
  sent,
} from '../../access/facts.js';
import { nodeOf, type AnyEvent, type Node } from '../../access/node.js';

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
    await node.append(...founded(), joined(ben), joined(cat));
    await node.tell();
    await Promise.all([ann, ben, cat].map((user) => node.renderer.connect(user)));
  });
  const counts = (...users: readonly UserId[]): readonly (number | undefined)[] => users.map((user) => told.get(user));

  it('grow for all but the author, who has read everything before', async () => {
    await node.happens(sent(1000n, ann), sent(1001n, ann));
    assert.deepEqual(counts(ann, ben, cat), [0, 2, 2]);
    await node.happens(sent(1002n, ben));
    assert.deepEqual(counts(ann, ben, cat), [1, 0, 3]);
  });

  it('fall with the marker, and count anew from there', async () => {
    await node.happens(sent(1000n, ann), sent(1001n, ann), markerMoved(ben, 1000n));
    await node.happens(sent(1002n, ann));
    assert.deepEqual(counts(ben, cat), [2, 3]);
  });

  it('leave out what is deleted, and fall back when an own message goes', async () => {
    await node.happens(sent(1000n, ann), sent(1001n, ben), sent(1002n, ann), messageDeleted(1000n, ann));
    await node.happens(sent(1003n, ann));
    assert.deepEqual(counts(ben, cat), [2, 3]);
    await node.happens(messageDeleted(1001n, ben), sent(1004n, ann));
    assert.deepEqual(counts(ben, cat), [3, 3]);
  });

  it('are those of the whole history for who comes later', async () => {
    node.renderer.disconnect(cat);
    await node.happens(...Array.from({ length: 100 }, (_, index) => sent(1000n + BigInt(index), ann)));
    await node.renderer.connect(cat);
    await node.happens(sent(2000n, ann));
    assert.deepEqual(counts(ben, cat), [101, 101]);
  });

  it('are read again for who reconnects, with what they read elsewhere', async () => {
    await node.happens(sent(1000n, ann), sent(1001n, ann));
    node.renderer.disconnect(ben);
    await node.happens(markerMoved(ben, 1001n));
    await node.renderer.connect(ben);
    await node.happens(sent(1002n, ann));
    assert.deepEqual(counts(ben, cat), [1, 3]);
  });

  it('go on right for a member who left and came back', async () => {
    await node.happens(sent(1000n, ann), left(ben), sent(1001n, ann), joined(ben), sent(1002n, ann));
    assert.deepEqual(counts(ben, cat), [3, 3]);
  });

  it('are told to both sides of a direct chat', async () => {
    const chat = directChat(ann, ben);
    await node.happens(sent(1000n, ann, chat), sent(1001n, ann, chat));
    assert.deepEqual(counts(ann, ben, cat), [0, 2, undefined]);
  });

  it('say what names the reader, with or without having counted the chat before', async () => {
    const seen: unknown[] = [];
    node.renderWith(async ({ type }, view) => {
      if (type === 'MarkerMoved') seen.push(await view.unread(chatOfGeneral, ben));
      return [];
    });
    await node.append(sent(1000n, ann), sent(1001n, ann, chatOfGeneral, [ben]), sent(1002n, ann));
    await node.happens(markerMoved(ben, 1000n));
    node.renderWith(async (event, view) => {
      if (event.type === 'MarkerMoved') seen.push(await view.unread(chatOfGeneral, ben));
      await countsOf(event, view);
      return [];
    });
    await node.happens(sent(1003n, ann), edited(1003n, ann, [ben]), markerMoved(ben, 1001n), markerMoved(ben, 1003n));
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
    const message = (id: number) => ({ id: BigInt(id) as MessageId, author: ann, mentions: [] });
    for (const viewer of [ben, cat]) counts.enter(viewer, { marker: noMessage, older: 0, asOf: 9000n });
    for (let id = 1; id <= newestMessagesMax * 2; id += 1) counts.sent(message(id), BigInt(id));
    assert.equal(counts.unreadOf(ben), newestMessagesMax * 2);
    counts.markerMoved(cat, BigInt(newestMessagesMax * 2 - 3) as MessageId);
    assert.equal(counts.unreadOf(cat), 3);
    counts.deleted({ id: 5n as MessageId, author: ann }, 8000n);
    assert.equal(counts.unreadOf(ben), undefined, 'what is below all that is remembered is counted anew');
  });
});

describe('a message that is older than all that is remembered', () => {
  const remembered = () => {
    const counts = chatUnread([{ id: 101n as MessageId, author: ann, mentions: [] }], 100n as MessageId);
    counts.enter(ben, { marker: 10n as MessageId, older: 7, asOf: 5n });
    counts.enter(cat, { marker: 100n as MessageId, older: 0, asOf: 5n });
    return counts;
  };

  it('makes those count anew who have not read so far, when it comes late', () => {
    const counts = remembered();
    counts.sent({ id: 50n as MessageId, author: ann, mentions: [] }, 6n);
    assert.deepEqual([counts.unreadOf(ben), counts.unreadOf(cat)], [undefined, 1]);
  });

  it('changes nothing when it was counted already', () => {
    const counts = remembered();
    counts.sent({ id: 50n as MessageId, author: ann, mentions: [] }, 5n);
    counts.deleted({ id: 50n as MessageId, author: ann }, 5n);
    assert.deepEqual([counts.unreadOf(ben), counts.unreadOf(cat)], [8, 1]);
  });

  it('makes those count anew who have not read so far, when it is deleted', () => {
    const counts = remembered();
    counts.deleted({ id: 50n as MessageId, author: ann }, 6n);
    assert.deepEqual([counts.unreadOf(ben), counts.unreadOf(cat)], [undefined, 1]);
  });
});

const users = [ann, ben, cat, 4n as UserId];
const who = fc.constantFrom(...users);
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
  {
    weight: 1,
    arbitrary: fc.record({ does: fc.constantFrom('tell' as const, 'store' as const, 'everybodyReconnects' as const) }),
  },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** Everything by the definition: messages by others, not deleted, after the marker or the own newest message. */
class Naive {
  readonly messages = new Map<bigint, UserId>();
  readonly markers = new Map<UserId, bigint>();
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
  unread(user: UserId): number {
    const own = this.ids().filter((id) => this.messages.get(id) === user);
    const marker = this.markers.get(user) ?? 0n;
    const newest = own.at(-1) ?? 0n;
    return this.ids().filter((id) => id > (marker > newest ? marker : newest)).length;
  }
}

const eventsOf = (naive: Naive, step: Step): readonly AnyEvent[] => {
  const at = (place: number): bigint | undefined => naive.ids()[Math.floor(place * naive.messages.size)];
  const send = (author: UserId, id: bigint): AnyEvent => {
    naive.messages.set(id, author);
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
      naive.markers.set(step.who, id);
      return [markerMoved(step.who, id)];
    }
    default:
      return [];
  }
};

const nodeWithMembers = async (): Promise<Node> => {
  const node = await nodeOf();
  await node.append(...founded(), ...users.slice(1).map((user) => joined(user)));
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
            for (const user of users) assert.equal(told.get(user), naive.unread(user));
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
        await node.happens(...eventsOf(naive, { does: 'send', who: ann, gap: 1, behind: 0 }));
        for (const user of users) assert.equal(told.get(user), naive.unread(user));
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
        await node.append(...ids.map((one) => sent(one, ann)));
        await node.project();
        const { between } = unreadReads({ store: node.store });
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
