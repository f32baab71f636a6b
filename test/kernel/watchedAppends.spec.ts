import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, it } from 'node:test';
import { memoryEventLog } from '../../src/adapters/eventLog/memory.js';
import type { Millis } from '../../src/kernel/ids.js';
import {
  PartlyAppended,
  VersionConflict,
  type Appended,
  type EventLog,
  type StreamAppend,
} from '../../src/kernel/ports/eventLog.js';
import { watchedAppends } from '../../src/kernel/watchedAppends.js';

const nothing = new TextEncoder().encode('{}');
const to = (stream: string): StreamAppend => ({
  stream,
  events: [{ id: randomUUID(), type: 'tests.Happened.v1', data: nothing, metadata: nothing }],
  expected: 'noStream',
});

const watched = (log: EventLog) => {
  const seen: string[] = [];
  const outcomes: Promise<Appended | Error>[] = [];
  const watching = watchedAppends(log, ({ stream }, appending) => {
    seen.push(stream);
    outcomes.push(appending.catch((error: unknown) => error as Error)); // Logs fail with errors.
  });
  return { log: watching, seen, outcomes: () => Promise.all(outcomes) };
};

describe('watched appends', () => {
  const now = () => 0 as Millis;

  it('are shown stream by stream, in the tick in which they are handed in', async () => {
    const { log, seen, outcomes } = watched(memoryEventLog({ now }));
    const [one, all] = [to('a'), [to('b'), to('c')]];
    const appending = [log.append(one.stream, one.events, one.expected), log.appendAll(all)] as const;
    assert.deepEqual(seen, ['a', 'b', 'c']);
    assert.deepEqual(await outcomes(), [await appending[0], ...(await appending[1])]);
  });

  it('have the outcome of their own stream', async () => {
    const [place, conflict] = [{ revision: 0n, position: 7n }, new VersionConflict('c', 'noStream', 3n)];
    const appendAll = () => Promise.reject(new PartlyAppended([place, conflict]));
    const { log, outcomes } = watched({ ...memoryEventLog({ now }), appendAll });
    await assert.rejects(log.appendAll([to('b'), to('c')]), PartlyAppended);
    assert.deepEqual(await outcomes(), [place, conflict]);
  });

  it('fail for all streams where nothing was written', async () => {
    const failure = new Error('the disk is full');
    const { log, outcomes } = watched({ ...memoryEventLog({ now }), appendAll: () => Promise.reject(failure) });
    await assert.rejects(log.appendAll([to('b'), to('c')]), failure);
    assert.deepEqual(await outcomes(), [failure, failure]);
  });
});
