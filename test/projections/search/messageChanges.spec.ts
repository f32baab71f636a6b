import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { messageStream } from '../../../src/domain/messages/events.js';
import type { Event } from '../../../src/kernel/event.js';
import type { MessageId, UserId } from '../../../src/kernel/ids.js';
import { DamagedRecord, type EventLog, type StoredEvent } from '../../../src/kernel/ports/eventLog.js';
import { messageChanges } from '../../../src/projections/search/messageChanges.js';
import type { FormerTerms, IndexedChange } from '../../../src/projections/search/postingIndex.js';
import { kernelInMemory, type Kernel } from '../../support/house/kernel.js';
import { aChat, author } from './setting.js';

const message = 10n as MessageId;
const stream = messageStream(message);
const other = 8n as UserId;

const sent = (text: string): Event => ({
  type: 'MessageSent',
  data: { message, chat: aChat, author, text, entities: [], mentions: [] },
});
const edited = (text: string, by = author): Event => ({
  type: 'MessageEdited',
  data: { message, chat: aChat, author: by, text, entities: [], mentions: [] },
});
const gone: Event = { type: 'MessageDeleted', data: { message, chat: aChat, author, by: author } };
const announced: Event = { type: 'MemberAnnounced', data: { message, chat: aChat, author, announces: 'joined' } };

/** The changes that these events are to the index, of a log that may read a stream in another way. */
const changesOf = async (
  { log, codec, sealer }: Kernel,
  readStream: EventLog['readStream'] = log.readStream,
): Promise<readonly (IndexedChange | undefined)[]> => {
  const changes = messageChanges({ log: { readStream }, codec, sealer });
  const all: readonly StoredEvent[] = await log.readAll({ limit: 10 });
  return Promise.all(all.map(async (stored) => changes.of(stored)));
};

const termsOf = (change: IndexedChange | undefined): FormerTerms | undefined =>
  change === undefined || change.kind === 'deleted' ? undefined : change.terms;
const formerOf = (change: IndexedChange | undefined): FormerTerms | undefined =>
  change === undefined || change.kind === 'sent' ? undefined : change.former;

describe('the changes of a message in the index', () => {
  it('say what the message had, from the event before in its stream', async () => {
    const kernel = await kernelInMemory();
    await kernel.append(stream, sent('one two'), edited('two three'), edited('four'), gone);
    const changes = await changesOf(kernel);
    assert.deepEqual(
      changes.map((change) => change?.kind),
      ['sent', 'edited', 'edited', 'deleted'],
    );
    assert.deepEqual(changes.slice(1).map(formerOf), changes.slice(0, 3).map(termsOf));
  });

  it('take nothing away where there were no words', async () => {
    const kernel = await kernelInMemory();
    await kernel.append(stream, announced, gone);
    assert.deepEqual((await changesOf(kernel)).map(formerOf), [undefined, []]);
  });

  it('say that nobody can tell where the event before is gone', async () => {
    const kernel = await kernelInMemory();
    await kernel.append(stream, sent('one'), edited('two'), gone);
    await kernel.log.setMaxCount(stream, 1);
    assert.equal(formerOf((await changesOf(kernel)).at(-1)), 'closed');
  });

  it('say that nobody can tell where the key of the words before is destroyed', async () => {
    const kernel = await kernelInMemory();
    await kernel.append(stream, sent('one'), edited('two', other), gone);
    kernel.sealer.shred(author.toString());
    const [first, second, last] = await changesOf(kernel);
    assert.equal(first, undefined);
    assert.equal(formerOf(second), 'closed');
    assert.deepEqual(formerOf(last), termsOf(second));
  });

  it('are a deletion where the key of the new words is destroyed', async () => {
    const kernel = await kernelInMemory();
    await kernel.append(stream, sent('one'), edited('two', other));
    kernel.sealer.shred(other.toString());
    const [first, second] = await changesOf(kernel);
    assert.equal(second?.kind, 'deleted');
    assert.deepEqual(formerOf(second), termsOf(first));
  });

  it('say that nobody can tell where the event before is damaged, and fail where the log does', async () => {
    const kernel = await kernelInMemory();
    await kernel.append(stream, sent('one'), gone);
    const [, last] = await changesOf(kernel, () => Promise.reject(new DamagedRecord(1n)));
    assert.equal(formerOf(last), 'closed');
    await assert.rejects(
      changesOf(kernel, () => Promise.reject(new Error('away'))),
      /away/,
    );
  });
});
