import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { MemberEvent } from '../../src/domain/members/events.js';
import type { MessageEvent } from '../../src/domain/messages/events.js';
import { directChat, selfChat, type ChatKey } from '../../src/kernel/chat.js';
import { collectionOf, forRunner, type DocumentType } from '../../src/kernel/document.js';
import type { Event } from '../../src/kernel/event.js';
import {
  type CommunityId,
  epochMillis,
  type MessageId,
  type Millis,
  type RoleId,
  type SessionId,
  snowflakeOf,
  type UserId,
} from '../../src/kernel/ids.js';
import type { DocumentStore, Plain } from '../../src/kernel/ports/documentStore.js';
import { session, sessionsOf } from '../../src/projections/accounts/queries.js';
import { sessionDocuments } from '../../src/projections/accounts/fold.js';
import { checkpointOf, consistently, NeverAtRest } from '../../src/projections/progress/checkpoints.js';
import { conversation, conversationsOf } from '../../src/projections/conversations/queries.js';
import { conversationDocuments } from '../../src/projections/conversations/fold.js';
import { memberDocuments, membershipsDocuments } from '../../src/projections/members/fold.js';
import { holders, member, members, membersById, memberships } from '../../src/projections/members/queries.js';
import { lastSentDocuments, messageCountDocuments, messageDocuments } from '../../src/projections/messages/fold.js';
import {
  history,
  lastMessage,
  lastSent,
  mentionsAfter,
  hasSentWithNonce,
  sentUnder,
  messagesAfter,
  messagesById,
  type HistoryPage,
} from '../../src/projections/messages/queries.js';
import { readMarkerDocuments } from '../../src/projections/reads/fold.js';
import { projectionNamed } from '../../src/projections/registry.js';
import { unread } from '../../src/projections/unread/unread.js';
import { userDocuments } from '../../src/projections/users/fold.js';
import { usersById } from '../../src/projections/users/queries.js';
import type { Bare } from '../support/bare.js';
import { folded } from './folded.js';
import { deleted, sent } from './messaging.js';
import { now, openStore } from './setting.js';
import type { Reads } from '../../src/projections/reading/queries.js';
import { readsOf } from '../support/reads.js';

const ada = 1n as UserId;
const bob = 2n as UserId;
const eve = 3n as UserId;
const chat = directChat(ada, bob);
const other = selfChat(ada);
const messageId = (id: bigint): MessageId => id as MessageId;

/** Stores what the events are folded into. */
const put = <Doc, E extends Event>(
  store: DocumentStore,
  type: DocumentType<Doc, E>,
  events: readonly Bare<E>[],
): Promise<void> => putDocuments(store, type, folded(type, ...events));

const putDocuments = async <Doc, E extends Event>(
  store: DocumentStore,
  type: DocumentType<Doc, E>,
  documents: Readonly<Record<string, Bare<Doc>>>,
): Promise<void> => {
  const { indexKeysOf } = forRunner(type);
  const writes = Object.entries(documents).map(([key, document]) => ({
    collection: collectionOf(type),
    key,
    document: document as Plain,
    position: 1n,
    indexKeys: indexKeysOf(document),
  }));
  await store.commit(writes, []);
};

const messagesFrom = async (...events: readonly Bare<MessageEvent>[]): Promise<Reads> =>
  readsOf(await messagesIn(...events));

const messagesIn = async (...events: readonly Bare<MessageEvent>[]): Promise<DocumentStore> => {
  const store = await openStore();
  await put(store, messageDocuments, events);
  await put(store, messageCountDocuments, events);
  await put(store, conversationDocuments, events);
  await put(store, lastSentDocuments, events);
  return store;
};

describe('history', () => {
  const five = [10n, 11n, 12n, 13n, 14n].map((id) => sent(id, { chat }));
  const idsOf = async (page: HistoryPage, ...more: readonly Bare<MessageEvent>[]): Promise<readonly bigint[]> => {
    const reads = await messagesFrom(...five, sent(20n, { chat: other }), ...more);
    return (await history(reads, chat, page)).map(({ id }) => id);
  };

  it('is the newest messages of the chat, the newest first', async () => {
    assert.deepEqual(await idsOf({ limit: 3 }), [14n, 13n, 12n]);
  });

  it('before a message is the newest of the older ones', async () => {
    assert.deepEqual(await idsOf({ before: messageId(13n), limit: 2 }), [12n, 11n]);
  });

  it('since a message is the oldest of the newer ones', async () => {
    assert.deepEqual(await idsOf({ since: messageId(10n), limit: 2 }), [12n, 11n]);
  });

  it('around a message has it in the middle', async () => {
    assert.deepEqual(await idsOf({ around: messageId(12n), limit: 4 }), [13n, 12n, 11n, 10n]);
    assert.deepEqual(await idsOf({ around: messageId(12n), limit: 1 }), [12n]);
  });

  it('has no deleted messages', async () => {
    assert.deepEqual(await idsOf({ limit: 2 }, deleted(14n, { chat })), [13n, 12n]);
  });

  it('of no length is empty', async () => {
    assert.deepEqual(await idsOf({ limit: 0 }), []);
  });
});

describe('messages', () => {
  it('are found by id, in the order asked for', async () => {
    const reads = await messagesFrom(sent(10n, { chat }), sent(11n, { chat }));
    const found = await messagesById(reads, [11n, 9n, 10n].map(messageId));
    assert.deepEqual(
      found.map(({ id }) => id),
      [11n, 10n],
    );
  });

  it('of which one is the newest of its chat', async () => {
    const reads = await messagesFrom(sent(10n, { chat }), sent(11n, { chat }), sent(12n, { chat: other }));
    assert.equal((await lastMessage(reads, chat))?.id, 11n);
  });

  it('are remembered as what their author sent last, also when they are deleted', async () => {
    const reads = await messagesFrom(
      sent(10n, { chat, author: bob }),
      sent(12n, { chat, author: bob }),
      sent(11n, { chat, author: bob }),
      sent(13n, { chat: other, author: bob }),
      deleted(12n, { chat, author: bob }),
    );
    assert.deepEqual(await lastSent(reads, chat, bob), { message: 12n, before: 10n, at: now });
    assert.equal(await lastSent(reads, chat, ada), undefined);
  });

  it('that a session has sent under a nonce are found by it, the newest of them', async () => {
    const reads = await messagesFrom(
      ...[10n, 11n, 13n].map((id) => sent(id, { chat, nonce: id % 2n })),
      sent(12n, { chat: other, nonce: 1n }),
      sent(14n, { chat, nonce: 2n ** 64n - 1n }),
    );
    const session = 7n as SessionId;
    const found = await Promise.all([0n, 1n, 2n, 2n ** 64n - 1n].map((nonce) => sentUnder(reads, session, nonce)));
    assert.deepEqual(
      found.map((message) => message?.id),
      [10n, 13n, undefined, 14n],
    );
    const senders = await Promise.all([7n, 8n].map((one) => hasSentWithNonce(reads, one as SessionId)));
    assert.deepEqual(senders, [true, false]);
  });

  it('that name somebody are found from the oldest on', async () => {
    const reads = await messagesFrom(
      ...[10n, 11n, 12n].map((id) => sent(id, { chat, mentions: [bob] })),
      sent(13n, { chat, mentions: [eve] }),
      sent(14n, { chat: other, mentions: [bob] }),
    );
    const found = await mentionsAfter(reads, bob, chat, { after: messageId(10n), limit: 9 });
    assert.deepEqual(
      found.map(({ id }) => id),
      [11n, 12n],
    );
  });
});

describe('the number of messages after one', () => {
  // From the same millisecond to years apart.
  const pause = fc.oneof(fc.nat(3), fc.nat(200_000), fc.nat(20_000_000), fc.nat(2 ** 36));
  const someIds = fc.array(fc.tuple(pause, fc.nat(4_095)), { minLength: 1, maxLength: 60 }).map((steps) => {
    let at = epochMillis + 1;
    return [
      ...new Set(steps.map(([millis, counter]) => snowflakeOf({ at: (at += millis) as Millis, node: 3, counter }))),
    ];
  });

  it('is exact, whatever is between them and whatever was deleted', async () => {
    await fc.assert(
      fc.asyncProperty(someIds, fc.infiniteStream(fc.nat(3)), fc.nat(), async (ids, luck, pick) => {
        const lost = ids.filter(() => luck.next().value === 0);
        const reads = await messagesFrom(
          ...ids.map((id) => sent(id, { chat })),
          ...lost.map((id) => deleted(id, { chat })),
          sent(1n, { chat: other }),
        );
        const left = ids.filter((id) => !lost.includes(id));
        const marker = (ids[pick % ids.length] ?? 0n) + BigInt((pick % 3) - 1);
        for (const after of [marker, 0n]) {
          assert.equal(await messagesAfter(reads, chat, after), left.filter((id) => id > after).length);
        }
      }),
    );
  });
});

describe('what somebody has not read', () => {
  const marked = async (store: DocumentStore, at: bigint): Promise<Reads> => {
    await put(store, readMarkerDocuments, [{ type: 'MarkerMoved', data: { user: ada, chat, message: messageId(at) } }]);
    return readsOf(store);
  };
  const fromBob = (id: bigint, mentions: readonly UserId[] = []) => sent(id, { chat, author: bob, mentions });

  it('is everything to begin with', async () => {
    const reads = await messagesFrom(fromBob(10n, [ada]), fromBob(11n));
    assert.deepEqual(await unread(reads, { chat, user: ada, floor: 0n }), {
      messages: 2,
      mentions: 1,
      marker: undefined,
    });
  });

  it('is what came after the marker', async () => {
    const reads = await marked(await messagesIn(fromBob(10n, [ada]), fromBob(11n, [ada]), fromBob(12n)), 10n);
    assert.deepEqual(await unread(reads, { chat, user: ada, floor: 0n }), { messages: 2, mentions: 1, marker: 10n });
  });

  it('is nothing anew when their own newest message is deleted', async () => {
    const events = [fromBob(10n, [ada]), sent(11n, { chat }), fromBob(12n), deleted(11n, { chat })];
    const reads = await messagesFrom(...events);
    assert.deepEqual(await unread(reads, { chat, user: ada, floor: 0n }), { messages: 1, mentions: 0, marker: 11n });
  });

  it('is what came after the floor', async () => {
    const reads = await marked(await messagesIn(fromBob(10n), fromBob(11n, [ada]), fromBob(12n, [ada])), 10n);
    assert.deepEqual(await unread(reads, { chat, user: ada, floor: 11n }), { messages: 1, mentions: 1, marker: 11n });
  });

  it('is what came after their own newest message', async () => {
    const reads = await marked(await messagesIn(fromBob(10n), sent(11n, { chat }), fromBob(12n)), 10n);
    assert.deepEqual(await unread(reads, { chat, user: ada, floor: 0n }), { messages: 1, mentions: 0, marker: 11n });
  });

  it('is found out with three reads where there is nothing', async () => {
    const store = await messagesIn(fromBob(10n, [ada]), fromBob(11n));
    await marked(store, 11n);
    const made: string[] = [];
    const reads = readsOf({
      ...store,
      get: (collection, key) => (made.push('get'), store.get(collection, key)),
      count: (range) => (made.push('count'), store.count(range)),
      scan: (scan) => (made.push('scan'), store.scan(scan)),
    });
    assert.deepEqual(await unread(reads, { chat, user: ada, floor: 0n }), { messages: 0, mentions: 0, marker: 11n });
    assert.deepEqual(made, ['get', 'get', 'count']);
  });
});

describe('conversations', () => {
  it('come with the newest activity first, page by page', async () => {
    const chats = [directChat(ada, bob), directChat(ada, eve), other];
    const reads = await messagesFrom(
      ...chats.map((key, index) => sent(BigInt(10 + index), { chat: key })),
      sent(20n, { chat: directChat(ada, bob) }),
      sent(21n, { chat: directChat(bob, eve) }),
    );
    const page = async (within: { before?: MessageId; after?: MessageId }): Promise<readonly ChatKey[]> =>
      (await conversationsOf(reads, ada, { ...within, limit: 2 })).map((one) => one.chat);
    assert.deepEqual(await page({}), ['dm.1.2', 'self.1']);
    assert.deepEqual(await page({ before: messageId(12n) }), ['dm.1.3']);
    assert.deepEqual(await page({ after: messageId(12n) }), ['dm.1.2']);
    assert.equal((await conversation(reads, other))?.floor, 12n);
  });
});

describe('members', () => {
  const chess = 100n as CommunityId;
  const joined = (user: UserId): Bare<MemberEvent> => ({
    type: 'MemberJoined',
    data: { community: chess, user, via: 'invite', joining: 1 },
  });

  it('are listed by user, page by page', async () => {
    const store = await openStore();
    await put(store, memberDocuments, [joined(eve), joined(ada), joined(bob)]);
    const page = (after?: UserId) =>
      members(readsOf(store), chess, after === undefined ? { limit: 2 } : { after, limit: 2 });
    assert.deepEqual(
      (await page()).map(({ user }) => user),
      [ada, bob],
    );
    assert.deepEqual(
      (await page(bob)).map(({ user }) => user),
      [eve],
    );
    assert.deepEqual(
      (await membersById(readsOf(store), chess, [eve, 9n as UserId, ada])).map(({ user }) => user),
      [eve, ada],
    );
    assert.equal((await member(readsOf(store), chess, ada))?.user, ada);
  });

  it('are found by their roles', async () => {
    const store = await openStore();
    const [guide, guard] = [7n as RoleId, 8n as RoleId];
    const ranked = (user: UserId, ...roles: readonly RoleId[]): Bare<MemberEvent> => ({
      type: 'RolesSet',
      data: { community: chess, user, roles, by: ada },
    });
    const ranks = [ranked(eve, guide, guard), ranked(ada, guard), ranked(bob, guard), ranked(bob)];
    await put(store, memberDocuments, [...[eve, ada, bob].map(joined), ...ranks]);
    const having = async (role: RoleId, limit = 9): Promise<readonly UserId[]> =>
      (await holders(readsOf(store), { community: chess, role }, { limit })).map(({ user }) => user);
    assert.deepEqual(await having(guard), [ada, eve]);
    assert.deepEqual(await having(guard, 1), [ada]);
    assert.deepEqual(await having(guide), [eve]);
  });

  it('know their communities', async () => {
    const store = await openStore();
    await put(store, membershipsDocuments, [joined(ada)]);
    assert.deepEqual(await memberships(readsOf(store), ada), [
      { community: chess, roles: [], joined: snowflakeOf({ at: now, node: 0, counter: 0 }) - 1n },
    ]);
    assert.deepEqual(await memberships(readsOf(store), bob), []);
  });
});

describe('sessions', () => {
  it('are listed from the newest on', async () => {
    const store = await openStore();
    const opened = (id: bigint, user: UserId) =>
      ({
        type: 'SessionOpened',
        data: {
          user,
          session: id as SessionId,
          tokenHash: 'ab',
          clientId: 1,
          deviceType: '',
          deviceVersion: '',
          appVersion: '',
        },
      }) as const;
    await put(store, sessionDocuments, [opened(7n, ada), opened(8n, bob), opened(9n, ada)]);
    assert.deepEqual(
      (await sessionsOf(readsOf(store), ada)).map(({ id }) => id),
      [9n, 7n],
    );
    assert.equal((await session(readsOf(store), 8n as SessionId))?.user, bob);
  });
});

describe('users', () => {
  it('come in the order asked for, without those who are not there', async () => {
    const store = await openStore();
    const registered = (user: UserId) => ({ type: 'UserRegistered', data: { user, bot: false, name: 'n' } }) as const;
    await put(store, userDocuments, [registered(ada), registered(bob)]);
    assert.deepEqual(
      (await usersById(readsOf(store), [bob, eve, ada])).map(({ id }) => id),
      [bob, ada],
    );
    assert.deepEqual(await usersById(readsOf(store), []), []);
  });
});

describe('a consistent read', () => {
  const users = projectionNamed('users');
  const moveTo = (store: DocumentStore, position: bigint) =>
    store.commit([], [{ projection: checkpointOf(users), position }]);

  it('is made again when a commit came between', async () => {
    const store = await openStore();
    let reads = 0;
    const read = async (): Promise<number> => {
      reads += 1;
      if (reads < 3) await moveTo(store, BigInt(reads));
      return reads;
    };
    assert.deepEqual(await consistently(store, users, read), { value: 3, position: 2n });
  });

  it('gives up when commits never cease', async () => {
    const store = await openStore();
    let position = 0n;
    await assert.rejects(
      consistently(store, users, () => moveTo(store, (position += 1n))),
      NeverAtRest,
    );
  });
});
