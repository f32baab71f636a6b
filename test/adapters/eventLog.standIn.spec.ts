import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import {
  BACKWARDS,
  EventStoreDBClient,
  excludeSystemEvents,
  jsonEvent,
  NO_STREAM,
  type ResolvedEvent,
} from '@eventstore/db-client';
import { eventStoreDbEventLog } from '../../src/adapters/eventLog/eventStoreDb.js';
import { beforeAll } from '../../src/kernel/event.js';
import { freshStream, someEvents, until, whole } from '../contracts/eventLog.js';
import { startStandInProcess } from '../support/eventStoreDb/process.js';

describe('the stand-in as a process of its own', () => {
  it('serves a log and any other client, and is gone when it is told to be', async () => {
    const standIn = await startStandInProcess();
    const { connectionString } = standIn;
    const stream = freshStream();
    const log = await eventStoreDbEventLog({ connectionString });
    await log.append(stream, someEvents(3), 'noStream');
    const client = EventStoreDBClient.connectionString(connectionString);
    await client.appendToStream(stream, jsonEvent({ type: 'tests.Other.v1', data: { a: 1 } }), {
      expectedRevision: 2n,
    });
    assert.equal((await whole(log, stream)).length, 4);
    await client.dispose();
    await log.close();
    await standIn.stop();
    await assert.rejects(eventStoreDbEventLog({ connectionString, patienceMillis: 200 }));
  });

  it('answers as late as it is told', async () => {
    const standIn = await startStandInProcess({ latencyMillis: 100 });
    const log = await eventStoreDbEventLog({ connectionString: standIn.connectionString });
    const live = log.subscribe(beforeAll)[Symbol.asyncIterator]();
    const first = live.next();
    const stream = freshStream();
    const { position } = await log.append(stream, someEvents(1), 'noStream');
    await first;
    const second = live.next();
    let appended: Promise<unknown> | undefined;
    const late: readonly (() => Promise<unknown>)[] = [
      () => {
        appended = log.append(stream, someEvents(1), 0n);
        return second;
      },
      () => log.append(freshStream(), someEvents(1), 'noStream'),
      () => log.readStream(stream, { limit: 1 }),
      () => log.readAll({ limit: 1 }),
      () => until(log.subscribe(beforeAll), position),
    ];
    for (const act of late) {
      const begun = performance.now();
      await act();
      assert.ok(performance.now() - begun >= 99, act.toString());
    }
    await appended;
    await log.close();
    await standIn.stop();
  });
});

describe('the stand-in, seen by the client alone', () => {
  it('reads the log from a position inclusive forwards, exclusive backwards, and follows it exclusive', async () => {
    const standIn = await startStandInProcess();
    const client = EventStoreDBClient.connectionString(standIn.connectionString);
    const stream = freshStream();
    const made = [1, 2, 3].map((n) => jsonEvent({ type: 'tests.N.v1', data: { n }, metadata: { of: stream } }));
    const { position, nextExpectedRevision } = await client.appendToStream(stream, made, {
      expectedRevision: NO_STREAM,
    });
    assert.equal(nextExpectedRevision, 2n);
    const stored = [];
    for await (const { event } of client.readStream(stream)) stored.push(event);
    assert.deepEqual(
      stored.map((event) => [event?.id, event?.data, event?.metadata]),
      made.map(({ id, data, metadata }) => [id, data, metadata]),
    );
    assert.deepEqual(stored[2]?.position, position);
    const middle = stored[1]?.position;
    assert.ok(middle);
    const forwards = [];
    for await (const { event } of client.readAll({ fromPosition: middle })) forwards.push(event?.id);
    const backwards = [];
    for await (const { event } of client.readAll({ fromPosition: middle, direction: BACKWARDS, maxCount: 1 }))
      backwards.push(event?.id);
    assert.deepEqual([forwards, backwards], [[stored[1]?.id, stored[2]?.id], [stored[0]?.id]]);
    const following = client.subscribeToAll({ fromPosition: middle, filter: excludeSystemEvents() });
    const [heard] = (await once(following, 'data')) as [ResolvedEvent]; // What such a subscription emits.
    assert.equal(heard.event?.id, stored[2]?.id);
    await following.unsubscribe();
    await client.setStreamMetadata(stream, { maxCount: 1 });
    assert.equal((await client.getStreamMetadata(stream)).metadata?.maxCount, 1);
    await client.dispose();
    await standIn.stop();
  });
});
