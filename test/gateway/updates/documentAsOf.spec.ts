import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { eventStoreDbEventLog } from '../../../src/adapters/eventLog/eventStoreDb.js';
import { lmdbEventLog } from '../../../src/adapters/eventLog/lmdb.js';
import { memoryEventLog } from '../../../src/adapters/eventLog/memory.js';
import type { MemberEvent } from '../../../src/domain/members/events.js';
import type { MessageEvent } from '../../../src/domain/messages/events.js';
import { documentAsOf } from '../../../src/gateway/updates/documentAsOf.js';
import { selfChat } from '../../../src/kernel/chat.js';
import { readEvents } from '../../../src/kernel/codec.js';
import type { Recorded } from '../../../src/kernel/event.js';
import type { CommunityId, MessageId, UserId } from '../../../src/kernel/ids.js';
import { shredded } from '../../../src/kernel/opened.js';
import type { EventLog, StoredEvent } from '../../../src/kernel/ports/eventLog.js';
import { conversationDocuments } from '../../../src/projections/conversations/fold.js';
import { memberDocuments } from '../../../src/projections/members/fold.js';
import { messageDocuments } from '../../../src/projections/messages/fold.js';
import { reopenable, type LogUnderTest } from '../../contracts/eventLog.js';
import { deleted, edited, sent } from '../../projections/messaging.js';
import { now, setting } from '../../projections/setting.js';
import type { Bare } from '../../support/bare.js';
import { startStandIn } from '../../support/eventStoreDb/standIn.js';

const chat = selfChat(1n as UserId);

const inMemory = () => reopenable(() => Promise.resolve(memoryEventLog({ now: () => now })));
const inLmdb = async () => {
  const folder = await mkdtemp(join(tmpdir(), 'message-as-of-'));
  return reopenable(
    () => lmdbEventLog({ folder, now: () => now }),
    () => rm(folder, { recursive: true }),
  );
};
const inStandIn = async () => {
  const standIn = await startStandIn();
  return reopenable(
    () => eventStoreDbEventLog(standIn),
    () => {
      standIn.kill();
    },
  );
};

/** A log that counts the records which it gives out, and messages as of their events. */
const messagesIn = (log: EventLog) => {
  let reads = 0;
  let records = 0;
  const { happened, sealer, codec } = setting(log);
  const counting: Pick<EventLog, 'readStream'> = {
    readStream: async (stream, read) => {
      const page = await log.readStream(stream, read);
      reads += 1;
      records += page.length;
      return page;
    },
  };
  const folded = documentAsOf({ log: counting, codec, sealer });
  return {
    sealer,
    counted: () => [reads, records],
    asOf: (id: MessageId, event: Recorded) => folded(messageDocuments, id.toString(), event),
    /** Appends all that happens to one message, and reads it back. */
    after: async (id: bigint, ...events: readonly Bare<MessageEvent>[]): Promise<readonly Recorded[]> => {
      const stream = `message-${id.toString()}`;
      for (let from = 0; from < events.length; from += 100) await happened(stream, ...events.slice(from, from + 100));
      const stored = await log.readStream(stream, { limit: events.length });
      return readEvents(codec, sealer, stored);
    },
  };
};

const lastOf = (events: readonly Recorded[]): Recorded => {
  const last = events.at(-1);
  assert.ok(last !== undefined);
  return last;
};

for (const [name, open] of Object.entries({ memory: inMemory, LMDB: inLmdb, 'EventStoreDB stand-in': inStandIn })) {
  describe(`a message as of an event, in ${name}`, () => {
    let underTest: LogUnderTest;
    before(async () => {
      underTest = await open();
    });
    after(() => underTest.dispose());

    it('takes one record of the log for the 1,000th edit', async () => {
      const { after: happened, asOf, counted } = messagesIn(underTest.log);
      const edits = Array.from({ length: 1_000 }, (_, index) => edited(1n, { chat, text: `edit ${index.toString()}` }));
      const last = lastOf(await happened(1n, sent(1n, { chat, replyTo: 9n as MessageId }), ...edits));
      const message = await asOf(1n as MessageId, last);
      assert.deepEqual([message?.text, message?.replyTo, message?.editedAt], ['edit 999', 9n, last.at]);
      assert.deepEqual(counted(), [1, 1]);
    });

    it('takes none when it begins with the event', async () => {
      const { after: happened, asOf, counted } = messagesIn(underTest.log);
      const message = await asOf(2n as MessageId, lastOf(await happened(2n, sent(2n, { chat }))));
      assert.deepEqual([message?.text, ...counted()], ['hello', 0, 0]);
    });

    it('knows nothing of later events', async () => {
      const { after: happened, asOf } = messagesIn(underTest.log);
      const events = await happened(3n, sent(3n, { chat }), edited(3n, { chat }), deleted(3n, { chat }));
      const messages = await Promise.all(events.map((event) => asOf(3n as MessageId, event)));
      assert.deepEqual(
        messages.map((message) => message?.text),
        ['hello', 'changed', undefined],
      );
    });

    it('is not there when the log has dropped its beginning', async () => {
      const { after: happened, asOf } = messagesIn(underTest.log);
      const last = lastOf(await happened(4n, sent(4n, { chat }), edited(4n, { chat }), edited(4n, { chat })));
      await underTest.log.setMaxCount('message-4', 2);
      assert.equal(await asOf(4n as MessageId, last), undefined);
      await underTest.log.setMaxCount('message-4', 1);
      assert.equal(await asOf(4n as MessageId, last), undefined);
    });

    it('may be asked for as of an event of another stream, however many have come since', async () => {
      const { after: happened, asOf } = messagesIn(underTest.log);
      const marks: Recorded[] = [];
      const mark = async (): Promise<void> => {
        const id = BigInt(70 + marks.length);
        marks.push(lastOf(await happened(id, sent(id, { chat }))));
      };
      await mark();
      await happened(7n, sent(7n, { chat }));
      await mark();
      await happened(7n, edited(7n, { chat }));
      await mark();
      await happened(7n, ...Array.from({ length: 5 }, () => edited(7n, { chat, text: 'later' })));
      await mark();
      await happened(7n, deleted(7n, { chat }));
      await mark();
      const texts = await Promise.all(marks.map(async (event) => (await asOf(7n as MessageId, event))?.text));
      assert.deepEqual(texts, [undefined, 'hello', 'changed', 'later', undefined]);
    });

    it('fetches keys that are missing, and says what is shredded', async () => {
      const { after: happened, asOf, sealer } = messagesIn(underTest.log);
      const last = lastOf(await happened(5n, sent(5n, { chat }), edited(5n, { chat })));
      sealer.forget();
      assert.equal((await asOf(5n as MessageId, last))?.text, 'changed');
      sealer.shred('1');
      const quoting = sent(6n, { chat, quote: { text: 'quoted', entities: [] } });
      const message = await asOf(6n as MessageId, lastOf(await happened(6n, quoting, edited(6n, { chat }))));
      assert.deepEqual([message?.text, message?.quote], [shredded, shredded]);
    });
  });
}

/** The membership as of those of its events that stand at these places. */
const memberAsOf = async (places: readonly number[], ...events: readonly Bare<MemberEvent>[]) => {
  const { log, happened, codec, sealer } = setting();
  for (let from = 0; from < events.length; from += 100)
    await happened('member-100.7', ...events.slice(from, from + 100));
  const stored = await readEvents(codec, sealer, await log.readAll({ limit: events.length }));
  const asOf = documentAsOf({ log, codec, sealer });
  const at = (place: number): Recorded => stored[place] ?? assert.fail('there are not so many events');
  return Promise.all(places.map((place) => asOf(memberDocuments, '100.7', at(place))));
};

const about = { community: 100n as CommunityId, user: 7n as UserId };
const joined: Bare<MemberEvent> = { type: 'MemberJoined', data: { ...about, via: 'invite', joining: 1 } };
const called = (nickname: string): Bare<MemberEvent> => ({
  type: 'NicknameSet',
  data: { ...about, by: about.user, nickname },
});
const left: Bare<MemberEvent> = { type: 'MemberLeft', data: about };

describe('a document that takes all events of its stream', () => {
  it('is folded up to the event and no further', async () => {
    const members = await memberAsOf([0, 1, 2, 3, 4], joined, called('Bee'), called('Bumble'), left, joined);
    assert.deepEqual(
      members.map((member) => member && (member.nickname ?? 'no nickname')),
      ['no nickname', 'Bee', 'Bumble', undefined, 'no nickname'],
    );
  });

  it('takes more than one page of the log', async () => {
    const names = Array.from({ length: 2_500 }, (_, index) => called(index.toString()));
    const members = await memberAsOf([999, 1_000, 2_500], joined, ...names);
    assert.deepEqual(
      members.map((member) => member?.nickname),
      ['998', '999', '2499'],
    );
  });

  it('may be asked for as of an event of another stream', async () => {
    const { log, happened, codec, sealer } = setting();
    await happened('member-100.7', joined, called('Bee'));
    await happened('message-1', sent(1n, { chat }));
    await happened('member-100.7', called('Bumble'));
    const events = await readEvents(codec, sealer, await log.readStream('message-1', { limit: 1 }));
    const member = await documentAsOf({ log, codec, sealer })(memberDocuments, '100.7', lastOf(events));
    assert.equal(member?.nickname, 'Bee');
  });

  it('is refused when its stream is too long', async () => {
    const page = (from: bigint, limit: number): readonly StoredEvent[] =>
      Array.from({ length: limit }, (_, index) => ({ ...record, revision: from + BigInt(index) }));
    const { log, happened, codec, sealer } = setting();
    await happened('member-100.7', joined);
    const [record = assert.fail('nothing was stored')] = await log.readStream('member-100.7', { limit: 1 });
    const endless = documentAsOf({
      log: { readStream: (_, { from = 0n, limit }) => Promise.resolve(page(from, limit)) },
      codec,
      sealer,
    });
    const [event] = await readEvents(codec, sealer, [record]);
    await assert.rejects(
      endless(memberDocuments, '100.7', event ?? assert.fail('nothing was read')),
      /members 100\.7 has too many events/,
    );
  });
});

describe('a document of a type whose events are all over the log', () => {
  it('is refused', async () => {
    const { log, happened, codec, sealer } = setting();
    await happened('message-1', sent(1n, { chat }));
    const [event = assert.fail('nothing was read')] = await readEvents(codec, sealer, await log.readAll({ limit: 1 }));
    await assert.rejects(
      documentAsOf({ log, codec, sealer })(conversationDocuments, chat, event),
      /conversations have no list of streams/,
    );
  });
});
