import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { collectionOf, forRunner } from '../../../src/kernel/document.js';
import { selfChat } from '../../../src/kernel/chat.js';
import { epochMillis, snowflakes, type MessageId, type Millis, type UserId } from '../../../src/kernel/ids.js';
import { aheadPace, idTime } from '../../../src/kernel/idTime.js';
import type { DocumentStore, DocumentWrite } from '../../../src/kernel/ports/documentStore.js';
import { countKeys, finest, spanOf } from '../../../src/projections/messages/countKey.js';
import { messageCountDocuments, messageDocuments } from '../../../src/projections/messages/fold.js';
import { messagesAfter } from '../../../src/projections/messages/queries.js';
import { openStore } from '../setting.js';
import { readsOf } from '../../support/reads.js';

const chat = selfChat(1n as UserId);
const start = epochMillis + 60_000_000_000;
const messagesSent = 100_000;
const lastingMillis = 600_000;

/** The ids of messages that come at an even pace, by a clock that is right, over a log with ids so far ahead of it. */
const idsAfter = (aheadMillis: number): readonly bigint[] => {
  let passed = 0;
  const clock = { now: () => (start + passed) as Millis };
  const time = idTime({ clock, timers: { now: () => passed }, after: (start + aheadMillis) as Millis });
  const next = snowflakes(0, time.now);
  return Array.from({ length: messagesSent }, (_, index) => {
    passed = (index * lastingMillis) / messagesSent;
    return next();
  });
};

/** Messages with these ids, as the read model holds them. */
const stored = async (ids: readonly bigint[]): Promise<DocumentStore> => {
  const store = await openStore();
  const counts = new Map<string, number>();
  const { indexKeysOf } = forRunner(messageDocuments);
  const writes = ids.map((id): DocumentWrite => {
    for (const key of countKeys(chat, id)) counts.set(key, (counts.get(key) ?? 0) + 1);
    const message = { id: id as MessageId, chat, author: 2n as UserId, text: '', entities: [], mentions: [] };
    const document = { ...message, sentAt: start as Millis };
    const [collection, key] = [collectionOf(messageDocuments), id.toString()];
    return { collection, key, document, position: 1n, indexKeys: indexKeysOf(document) };
  });
  const collection = collectionOf(messageCountDocuments);
  for (const [key, messages] of counts) {
    writes.push({ collection, key, document: { messages }, position: 1n, indexKeys: {} });
  }
  await store.commit(writes, []);
  return store;
};

/** The same, and how many keys were read in it. */
const counting = (store: DocumentStore) => {
  const read = { keys: 0 };
  const counted: Pick<DocumentStore, 'count' | 'scan'> = {
    count: async (range) => {
      const keys = await store.count(range);
      read.keys += keys;
      return keys;
    },
    scan: async (scan) => {
      const found = await store.scan(scan);
      read.keys += found.length;
      return found;
    },
  };
  return { read, store: { ...store, ...counted } };
};

/** The keys that a count reads for a user who has read nothing, and for the worst of all markers. */
const keysRead = async (aheadMillis: number): Promise<{ readonly ofAll: number; readonly worst: number }> => {
  const before = idsAfter(0).slice(0, 1);
  const ids = [...before, ...idsAfter(aheadMillis).slice(1)];
  const { read, store } = counting(await stored(ids));
  const keysOf = async (marker: bigint): Promise<number> => {
    read.keys = 0;
    assert.equal(await messagesAfter(readsOf(store), chat, marker), ids.filter((id) => id > marker).length);
    return read.keys;
  };
  const ofAll = await keysOf(0n);
  // All of a finest span that comes after the marker is read message by message.
  const firstOfSpans = ids.filter((id, index) => spanOf(id, finest) !== spanOf(ids[index - 1] ?? 0n, finest));
  let worst = 0;
  for (const marker of firstOfSpans) worst = Math.max(worst, await keysOf(marker));
  return { ofAll, worst };
};

/** One document more for the coarsest span of before, and one at each end of a level. */
const moreDocumentsMax = 4;

describe('counting what is unread, after ids that were ahead of the clock', () => {
  it('reads no more keys than ever, but for the ninth by which spans hold more at their pace', async () => {
    const usual = await keysRead(0);
    for (const aheadMillis of [3_600_000, 10 * 365 * 24 * 3_600_000]) {
      const ahead = await keysRead(aheadMillis);
      assert.ok(ahead.ofAll <= usual.ofAll + moreDocumentsMax);
      assert.ok(ahead.worst <= usual.worst / aheadPace + moreDocumentsMax);
    }
  });
});
