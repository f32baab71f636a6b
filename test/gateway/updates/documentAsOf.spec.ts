import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { eventStoreDbEventLog } from '../../../src/adapters/eventLog/eventStoreDb.js';
import { lmdbEventLog } from '../../../src/adapters/eventLog/lmdb.js';
import { memoryEventLog } from '../../../src/adapters/eventLog/memory.js';
import type { MessageEvent } from '../../../src/domain/messages/events.js';
import { messageAsOf } from '../../../src/gateway/updates/documentAsOf.js';
import { selfChat } from '../../../src/kernel/chat.js';
import { readEvents } from '../../../src/kernel/codec.js';
import type { Recorded } from '../../../src/kernel/event.js';
import type { MessageId, UserId } from '../../../src/kernel/ids.js';
import { shredded } from '../../../src/kernel/opened.js';
import type { EventLog } from '../../../src/kernel/ports/eventLog.js';
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
  return {
    sealer,
    counted: () => [reads, records],
    asOf: messageAsOf({ log: counting, codec, sealer, messages: messageDocuments }),
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

describe('a message as of an event', () => {
  it('is refused for an event of another stream', async () => {
    const { after: happened, asOf } = messagesIn(memoryEventLog({ now: () => now }));
    const last = lastOf(await happened(1n, sent(1n, { chat })));
    await assert.rejects(asOf(2n as MessageId, last), /message 2 has no event in message-1/);
  });
});
