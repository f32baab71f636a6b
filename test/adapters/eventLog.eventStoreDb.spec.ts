import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ANY, EventStoreDBClient, jsonEvent, NO_STREAM } from '@eventstore/db-client';
import fc from 'fast-check';
import { appendBytesMax, eventStoreDbEventLog } from '../../src/adapters/eventLog/eventStoreDb.js';
import { connection } from '../../src/adapters/eventLog/eventStoreDb/connection.js';
import { type EventStoreDbAlarm, longPauseMillis } from '../../src/adapters/eventLog/eventStoreDb/failures.js';
import { LogUnreachable, OutcomeUnknown } from '../../src/adapters/eventLog/eventStoreDb/unreachable.js';
import { waitMillisMax } from '../../src/gateway/requests/requestCall.js';
import { beforeAll } from '../../src/kernel/event.js';
import {
  InvalidAppend,
  VersionConflict,
  type Appended,
  type EventLog,
  type NewEvent,
  type StoredEvent,
} from '../../src/kernel/ports/eventLog.js';
import { fill, freshStream, someEvent, someEvents, whole, wholeLog } from '../contracts/eventLog.js';
import type { AppendFault, ReadFault, SubscribeFault } from '../support/eventStoreDb/faults.js';
import { selfSigned } from '../support/eventStoreDb/selfSigned.js';
import { startStandIn, type StandIn } from '../support/eventStoreDb/standIn.js';
import { propertyRun } from '../support/propertyRun.js';

type Setting = {
  readonly standIn: StandIn;
  readonly log: EventLog;
  readonly counts: Map<string, number>;
  readonly alarms: EventStoreDbAlarm[];
  readonly dispose: () => Promise<void>;
};

type Options = Partial<Parameters<typeof eventStoreDbEventLog>[0]>;

/** Waits are short, so that faults pass quickly. */
const setUp = async (options: Options = {}, standIn?: StandIn): Promise<Setting> => {
  const server = standIn ?? (await startStandIn());
  const counts = new Map<string, number>();
  const alarms: EventStoreDbAlarm[] = [];
  const log = await eventStoreDbEventLog({
    connectionString: server.connectionString,
    answerMillis: 300,
    silenceMillis: 300,
    count: (what, n) => counts.set(what, (counts.get(what) ?? 0) + n),
    alarm: (alarm) => alarms.push(alarm),
    ...options,
  });
  const dispose = async (): Promise<void> => {
    await log.close();
    if (standIn === undefined) server.kill();
  };
  return { standIn: server, log, counts, alarms, dispose };
};

const using = async (work: (setting: Setting) => Promise<void>, options: Options = {}): Promise<void> => {
  const setting = await setUp(options);
  try {
    await work(setting);
  } finally {
    await setting.dispose();
  }
};

/** Where nothing is silent, and what is late is late because many tests share the processors. */
const patient: Options = { answerMillis: 30_000 };

const range = (count: number): readonly number[] => Array.from({ length: count }, (_, index) => index);
const ids = (events: readonly { readonly id: string }[]): readonly string[] => events.map(({ id }) => id);
const ascending = (a: bigint, b: bigint): number => (a < b ? -1 : a > b ? 1 : 0);
const ours = (event: StoredEvent): boolean => event.type.startsWith('tests.');

const batchOf = (result: IteratorResult<readonly StoredEvent[], unknown>): readonly StoredEvent[] =>
  result.done === true ? [] : result.value;

const isLater = (error: unknown): boolean => error instanceof OutcomeUnknown || error instanceof LogUnreachable;

type Handed = { readonly stream: string; readonly event: NewEvent; readonly appended: Promise<Appended> };

/** Ten appends to each of twenty streams, handed in without waiting. */
const handIn = (log: EventLog): readonly Handed[] => {
  const streams = range(20).map(() => freshStream());
  return range(200).map((index) => {
    const [stream, event] = [streams[index % 20] ?? '', someEvent()];
    const expected = index < 20 ? 'noStream' : BigInt(Math.floor(index / 20) - 1);
    return { stream, event, appended: log.append(stream, [event], expected) };
  });
};

const listen = (log: EventLog, count: number): Promise<readonly StoredEvent[]> =>
  heardBy(log.subscribe(beforeAll), count);

const heardBy = async (batches: AsyncIterable<readonly StoredEvent[]>, count: number) => {
  const heard: StoredEvent[] = [];
  for await (const batch of batches) {
    heard.push(...batch.filter(ours));
    if (heard.length >= count) break;
  }
  return heard;
};

/** Nothing lost, nothing doubled, the order of each stream kept, and a subscriber was told of the same. */
const holdsAll = async (log: EventLog, handed: readonly Handed[], heard: readonly StoredEvent[]) => {
  const stored = (await wholeLog(log, beforeAll)).filter(ours);
  assert.deepEqual(new Set(ids(stored)), new Set(handed.map(({ event }) => event.id)));
  assert.equal(stored.length, handed.length);
  assert.deepEqual(ids(heard), ids(stored));
  const positions = heard.map(({ position }) => position);
  assert.deepEqual(positions, positions.toSorted(ascending));
  await holdsStreams(log, handed);
};

const holdsStreams = async (log: EventLog, handed: readonly Handed[]): Promise<void> => {
  for (const stream of new Set(handed.map((one) => one.stream))) {
    const expected = handed.filter((one) => one.stream === stream).map(({ event }) => event.id);
    assert.deepEqual(ids(await whole(log, stream)), expected);
  }
};

// After these the server has not taken anything that was sent behind the append that failed.
const keepingOrder: readonly AppendFault[] = [
  'dropBeforeWrite',
  'dropAfterWrite',
  'answerTwice',
  'cleanEnd',
  'notLeader',
];
const mixingUp: readonly AppendFault[] = ['silence', 'silenceAfterWrite', 'notReady', 'busy', 'timeoutAfterWrite'];
const readFaults: readonly ReadFault[] = ['drop', 'dropMidway', 'silence', 'notLeader', 'notReady', 'busy'];
const countedFaults: Readonly<Record<SubscribeFault, string>> = {
  drop: 'subscriptions_dropped',
  cleanEnd: 'subscriptions_ended',
  tooSlow: 'subscriptions_too_slow',
  silence: 'subscriptions_silent',
  repeat: 'duplicates_dropped',
  checkpointAhead: 'subscriptions_dropped',
};
const subscribeFaults = Object.keys(countedFaults) as readonly SubscribeFault[]; // The keys of the table.

describe('an append to EventStoreDB', () => {
  for (const fault of [...keepingOrder, ...mixingUp]) {
    it(`is stored once when the server does this: ${fault}`, () =>
      using(async ({ standIn, log }) => {
        standIn.state.faults.appends.next(fault, { skip: 30 });
        standIn.state.faults.appends.next(fault, { skip: 70 });
        const heard = listen(log, 200);
        const handed = handIn(log);
        const appended = await Promise.all(handed.map((one) => one.appended));
        const positions = appended.map(({ position }) => position);
        if (keepingOrder.includes(fault)) assert.deepEqual(positions, positions.toSorted(ascending));
        assert.equal(standIn.state.faults.appends.happened, 2);
        await holdsAll(log, handed, await heard);
      }));
  }

  it('is stored once when the server is killed and started again', () =>
    using(async ({ standIn, log }) => {
      const heard = listen(log, 200);
      const handed = handIn(log);
      await handed[20]?.appended;
      standIn.kill();
      await standIn.start();
      const positions = (await Promise.all(handed.map((one) => one.appended))).map(({ position }) => position);
      assert.deepEqual(positions, positions.toSorted(ascending));
      await holdsAll(log, handed, await heard);
    }));

  it('says that its outcome is unknown when no answer comes in time, and is found again', () =>
    using(
      async ({ standIn, log, counts }) => {
        const [stream, event] = [freshStream(), someEvent()];
        standIn.state.faults.appends.next('silenceAfterWrite', { times: 100 });
        await assert.rejects(log.append(stream, [event], 'noStream'), OutcomeUnknown);
        assert.equal(counts.get('appends_unknown'), 1);
        standIn.state.faults.appends.clear();
        assert.equal((await log.append(stream, [event], 'any')).revision, 0n);
        assert.deepEqual(ids(await whole(log, stream)), [event.id]);
      },
      { answerMillis: 100, patienceMillis: 400 },
    ));

  it('says that nothing was written when the server cannot be reached in time', () =>
    using(
      async ({ standIn, log, alarms }) => {
        standIn.kill();
        for (const expected of ['noStream', 'any'] as const) {
          const attempts = range(20).map(() => log.append(freshStream(), someEvents(1), expected));
          for (const attempt of await Promise.allSettled(attempts)) {
            // Not LogUnreachable for each: what was put on the way to a server that is gone may have arrived.
            assert.ok(attempt.status === 'rejected' && isLater(attempt.reason));
          }
        }
        assert.ok(alarms.some(({ doing }) => doing === 'appending'));
        await standIn.start();
        assert.equal((await log.append(freshStream(), someEvents(1), 'noStream')).revision, 0n);
      },
      { patienceMillis: 500, alarmFailures: 2 },
    ));

  it('does not fail because the connection of another log in this process broke', () =>
    using(
      (broken) =>
        using(async (healthy) => {
          const lost = Promise.allSettled(handIn(broken.log).map((one) => one.appended));
          const handed = handIn(healthy.log);
          await handed[0]?.appended;
          broken.standIn.kill();
          await Promise.all(handed.map((one) => one.appended));
          await lost;
          assert.equal(healthy.counts.get('append_calls_broken'), undefined);
        }, patient),
      { patienceMillis: 100 },
    ));

  it('raises nothing unheard when the connection breaks under megabytes that wait', () =>
    using(async ({ standIn, log }) => {
      const unheard: unknown[] = [];
      const hear = (error: unknown) => unheard.push(error);
      process.on('unhandledRejection', hear);
      standIn.state.faults.appends.next('dropBeforeWrite', { skip: 5 });
      const data = new Uint8Array(60_000).fill(7);
      const handed = range(150).map(() => log.append(freshStream(), [{ ...someEvent(), data }], 'noStream'));
      assert.equal((await Promise.all(handed)).length, 150);
      process.off('unhandledRejection', hear);
      assert.deepEqual(unheard, []);
    }));

  it('counts an answer that nobody waits for', () =>
    using(async ({ standIn, log, counts }) => {
      standIn.state.faults.appends.next('answerTwice');
      await log.append(freshStream(), someEvents(1), 'any');
      await log.append(freshStream(), someEvents(1), 'any');
      assert.equal(counts.get('append_answers_stray'), 1);
    }));

  for (const fault of ['internal', 'silence'] as const) {
    it(`does not ask what the server can do, whose answer would be this: ${fault}`, () =>
      using(async ({ standIn, log }) => {
        standIn.state.faults.features.next(fault, { times: 100 });
        const [stream, events] = [freshStream(), someEvents(2)];
        await log.append(stream, events.slice(0, 1), 'noStream');
        await log.setMaxCount(stream, 5);
        const { position } = await log.append(stream, events.slice(1), 0n);
        assert.deepEqual(ids(await log.readStream(stream, { limit: 9 })), ids(events));
        assert.deepEqual(ids(await listen(log, 2)), ids(events));
        assert.equal(await log.end(), position);
        assert.equal(standIn.state.seen.features, 0);
      }));
  }

  it('does not mind that the clocks differ', () =>
    using(async ({ standIn, log }) => {
      standIn.state.clockAheadMillis = 60_000;
      assert.equal((await log.append(freshStream(), someEvents(1), 'noStream')).revision, 0n);
      const client = EventStoreDBClient.connectionString(standIn.connectionString);
      await assert.rejects(client.appendToStream(freshStream(), jsonEvent({ type: 'tests.Late', data: {} })));
      await client.dispose();
    }));

  it('takes a revision that no stream can have for a conflict', () =>
    using(async ({ log }) => {
      const stream = freshStream();
      await log.append(stream, someEvents(3), 'noStream');
      for (const expected of [-1n, -2n, 2n ** 63n, 2n ** 70n]) {
        const conflict = await log.append(stream, someEvents(1), expected).catch((error: unknown) => error);
        assert.ok(conflict instanceof VersionConflict);
        assert.equal(conflict.actual, 2n);
      }
    }));

  it('refuses what only the server itself may write, and more than it takes', () =>
    using(async ({ standIn, log }) => {
      const before = standIn.state.seen.appends;
      const many = range(20).map(() => ({ ...someEvent(), data: new Uint8Array(60_000) }));
      await assert.rejects(log.append('$mine', someEvents(1), 'any'), InvalidAppend);
      await assert.rejects(log.append(freshStream(), [{ ...someEvent(), type: '$mine' }], 'any'), InvalidAppend);
      await assert.rejects(log.append(freshStream(), many, 'any'), InvalidAppend);
      assert.ok(many.length * 60_000 > appendBytesMax);
      assert.equal(standIn.state.seen.appends, before);
    }));

  it('fails when access is denied, and when its stream was deleted for ever', () =>
    using(async ({ standIn, log }) => {
      standIn.state.faults.appends.next('denied');
      await assert.rejects(log.append(freshStream(), someEvents(1), 'noStream'), /denies/);
      const stream = freshStream();
      await log.append(stream, someEvents(1), 'noStream');
      standIn.state.store.tombstone(stream);
      await assert.rejects(log.append(stream, someEvents(1), 0n), InvalidAppend);
      await assert.rejects(log.readStream(stream, { limit: 1 }), { type: 'stream-deleted' });
    }));

  it('says why the server takes it for malformed', () =>
    using(async ({ standIn, log }) => {
      standIn.state.faults.appends.next('malformed');
      const refused = log.append(freshStream(), someEvents(1), 'noStream');
      await assert.rejects(
        refused,
        (error) => error instanceof InvalidAppend && error.message.includes('no such metadata key'),
      );
    }));

  it('does not believe that a repeated append to a deleted stream was stored', () =>
    using(async ({ standIn, log }) => {
      const [stream, event] = [freshStream(), someEvent()];
      const other = await setUp({}, standIn);
      await other.log.append(stream, [event], 'noStream');
      standIn.state.store.softDelete(stream);
      await assert.rejects(log.append(stream, [event], 'noStream'), /without storing/);
      await other.dispose();
    }));
});

describe('appends of several processes to one EventStoreDB', () => {
  it('find what the others wrote before they decide', async () => {
    const one = await setUp();
    const other = await setUp({}, one.standIn);
    const [stream, event] = [freshStream(), someEvent()];
    await one.log.append(stream, someEvents(2), 'noStream');
    await one.log.append(stream, [event], 1n);
    await other.log.append(stream, someEvents(1), 'any');
    for (const expected of ['any', 'exists', 'noStream', 0n, 1n, 3n, 99n] as const) {
      assert.equal((await other.log.append(stream, [event], expected)).revision, 2n);
    }
    await other.log.append(stream, someEvents(1), 'exists');
    assert.equal((await one.log.append(stream, someEvents(1), 'any')).revision, 5n);
    assert.equal((await whole(one.log, stream)).length, 6);
    await other.dispose();
    await one.dispose();
  });

  it('all succeed when they expect nothing', async () => {
    const one = await setUp();
    const others = await Promise.all(range(3).map(() => setUp({}, one.standIn)));
    const [stream, events] = [freshStream(), someEvents(100)];
    const logs = [one, ...others].map(({ log }) => log);
    const calls = events.flatMap((event, index) =>
      logs.slice(index % 4, (index % 4) + 1).map((log) => log.append(stream, [event], 'any')),
    );
    const appended = await Promise.all(calls);
    assert.equal(new Set(appended.map(({ revision }) => revision)).size, 100);
    assert.deepEqual(new Set(ids(await whole(one.log, stream))), new Set(ids(events)));
    for (const { dispose } of [...others, one]) await dispose();
  });

  it('store the same events once, whoever is asked to retry', async () => {
    const one = await setUp();
    const others = await Promise.all(range(3).map(() => setUp({}, one.standIn)));
    const [stream, events] = [freshStream(), someEvents(3)];
    const appended = await Promise.all([one, ...others].map(({ log }) => log.append(stream, events, 'any')));
    assert.equal(new Set(appended.map(({ position }) => position)).size, 1);
    assert.equal((await whole(one.log, stream)).length, 3);
    for (const { dispose } of [...others, one]) await dispose();
  });
});

describe('an append that is refused for what cannot be read yet', () => {
  const behind = async (work: (one: EventLog, other: Setting, stream: string) => Promise<void>): Promise<void> => {
    const one = await setUp();
    const other = await setUp({}, one.standIn);
    const stream = freshStream();
    await one.log.append(stream, someEvents(1), 'noStream');
    await whole(other.log, stream);
    await work(one.log, other, stream);
    await other.dispose();
    await one.dispose();
  };

  it('is not stored a second time', () =>
    behind(async (one, other, stream) => {
      const [theirs, shared] = [someEvent(), someEvent()];
      await one.append(stream, [theirs], 0n);
      const { position } = await one.append(stream, [shared], 1n);
      other.standIn.state.faults.reads.next('behind', { times: 3 });
      assert.equal((await other.log.append(stream, [shared], 'any')).position, position);
      assert.equal((await whole(one, stream)).length, 3);
    }));

  it('conflicts once it can be', () =>
    behind(async (one, other, stream) => {
      await one.append(stream, someEvents(2), 0n);
      other.standIn.state.faults.reads.next('behind', { times: 3 });
      await assert.rejects(other.log.append(stream, someEvents(1), 0n), VersionConflict);
      assert.equal((await other.log.readStream(stream, { limit: 9 })).length, 3);
    }));

  it('is stored after what can never be read', () =>
    behind(async (one, other, stream) => {
      await one.append(stream, someEvents(1), 0n);
      const client = EventStoreDBClient.connectionString(other.standIn.connectionString);
      await client.setStreamMetadata(stream, { truncateBefore: 2 });
      await client.dispose();
      assert.equal((await other.log.append(stream, someEvents(1), 'any')).revision, 2n);
    }));
});

describe('what EventStoreDB gives back', () => {
  const folder = join('test', 'fixtures', 'events');

  it('is byte for byte what our codec writes, stored as JSON', () =>
    using(async ({ standIn, log }) => {
      const files = readdirSync(folder).filter((name) => name.endsWith('.json'));
      assert.ok(files.length > 0);
      const stream = freshStream();
      for (const name of files) {
        // As the sample files are written: two texts.
        const sample = JSON.parse(readFileSync(join(folder, name), 'utf8')) as Record<'data' | 'metadata', string>;
        const [data, metadata] = [Buffer.from(sample.data), Buffer.from(sample.metadata)];
        await log.append(stream, [{ ...someEvent(), data, metadata }], 'any');
        const [stored] = await log.readStream(stream, { direction: 'backwards', limit: 1 });
        assert.ok(stored && data.equals(stored.data) && metadata.equals(stored.metadata), name);
        assert.equal(standIn.state.store.log.at(-1)?.contentType, 'application/json');
      }
    }));

  it('is byte for byte what was stored, whatever JSON makes of it', () =>
    using(async ({ log }) => {
      const texts = [
        '{ "a": 1 }',
        '{"a":1,"a":2}',
        '{"n":12345678901234567890}',
        '{"n":1.0}',
        '{"2":0,"1":0}',
        '[1]',
        'null',
      ];
      const more = [
        '"x"',
        '7',
        ' 7',
        '{"a":"\\u0041"}',
        '{"a":"\\ud800"}',
        '\ufeff{}',
        '{"__proto__":1}',
        '-0',
        '{',
        '',
        '{"e":"é🙂"}',
      ];
      const bytes = [...texts, ...more].map((text) => Buffer.from(text));
      const wild = [...bytes, Buffer.from([0xff]), Buffer.from([0xff, 0x7b, 0x7d]), Buffer.from([0x22, 0xff, 0x22])];
      const stream = freshStream();
      const events = wild.map((one) => ({ ...someEvent(), data: one, metadata: one }));
      await log.append(stream, events, 'noStream');
      for (const [index, stored] of (await whole(log, stream)).entries()) {
        assert.ok(wild[index]?.equals(stored.data), `data ${wild[index]?.toString() ?? ''}`);
        assert.ok(wild[index]?.equals(stored.metadata), `metadata ${wild[index]?.toString() ?? ''}`);
      }
    }));

  it('has positions beyond what a double can hold', () =>
    using(async ({ log }) => {
      const { position } = await log.append(freshStream(), someEvents(1), 'any');
      assert.ok(position > BigInt(Number.MAX_SAFE_INTEGER));
      assert.equal((await log.readAll({ direction: 'backwards', limit: 1 }))[0]?.position, position);
    }));

  it('leaves out what is the server’s own', () =>
    using(async ({ standIn, log }) => {
      assert.equal(await log.end(), beforeAll);
      await log.setMaxCount(freshStream(), 3);
      assert.deepEqual(await log.readAll({ limit: 10 }), []);
      assert.equal(await log.end(), beforeAll);
      const { position } = await log.append(freshStream(), someEvents(1), 'any');
      for (const count of range(20)) await log.setMaxCount(freshStream(), 3 + count);
      assert.equal(await log.end(), position);
      assert.ok(standIn.state.store.log.length > 20);
      assert.equal((await listen(log, 1)).length, 1);
    }));

  it('belongs to one prefix', async () => {
    const one = await setUp({ prefix: 'one-' });
    const other = await setUp({ prefix: 'other-' }, one.standIn);
    const [stream, [mine, theirs]] = [freshStream(), someEvents(2)];
    assert.ok(mine && theirs);
    const { position } = await one.log.append(stream, [mine], 'noStream');
    await other.log.append(stream, [theirs], 'noStream');
    assert.equal(await one.log.end(), position);
    assert.deepEqual(ids(await one.log.readAll({ limit: 9 })), [mine.id]);
    assert.deepEqual(ids(await other.log.readAll({ direction: 'backwards', limit: 9 })), [theirs.id]);
    assert.deepEqual(await listen(other.log, 1), await other.log.readStream(stream, { limit: 9 }));
    assert.equal((await one.log.readStream(stream, { limit: 1 }))[0]?.stream, stream);
    await other.dispose();
    await one.dispose();
  });

  it('does not bring back what a max count has cut when a larger one is set', () =>
    using(async ({ log }) => {
      const stream = freshStream();
      await log.append(stream, someEvents(10), 'noStream');
      for (const maxCount of [3, 6, 20]) await log.setMaxCount(stream, maxCount);
      await log.append(stream, someEvents(1), 9n);
      assert.deepEqual(
        (await whole(log, stream)).map(({ revision }) => revision),
        [7n, 8n, 9n, 10n],
      );
    }));

  it('does not bring a deleted stream back when a max count is set', () =>
    using(async ({ standIn, log }) => {
      const stream = freshStream();
      await log.append(stream, someEvents(3), 'noStream');
      standIn.state.store.softDelete(stream);
      await log.setMaxCount(stream, 5);
      assert.deepEqual(await whole(log, stream), []);
      const [event] = someEvents(1);
      assert.ok(event);
      assert.equal((await log.append(stream, [event], 'any')).revision, 3n);
      assert.deepEqual(ids(await whole(log, stream)), [event.id]);
      assert.equal(await log.maxCountOf(stream), 5);
    }));

  it('keeps what else is in the metadata of a stream, and writes no max count twice', () =>
    using(async ({ standIn, log }) => {
      const stream = freshStream();
      const client = EventStoreDBClient.connectionString(standIn.connectionString);
      await client.setStreamMetadata(stream, { acl: { readRoles: ['$admins'] } });
      await client.dispose();
      await log.setMaxCount(stream, 5);
      const length = standIn.state.store.log.length;
      await log.setMaxCount(stream, 5);
      assert.equal(standIn.state.store.log.length, length);
      assert.deepEqual(standIn.state.store.metadata(stream), { $acl: { $r: ['$admins'] }, $maxCount: 5 });
    }));
});

describe('a read of EventStoreDB', () => {
  for (const fault of readFaults) {
    it(`is whole when the server does this: ${fault}`, () =>
      using(async ({ standIn, log, counts }) => {
        const stream = freshStream();
        await fill(log, stream, 300);
        standIn.state.faults.reads.next(fault, { times: 2 });
        assert.equal((await log.readStream(stream, { limit: 1_000 })).length, 300);
        standIn.state.faults.reads.next(fault);
        assert.equal((await log.readAll({ limit: 1_000 })).filter(ours).length, 300);
        assert.equal(standIn.state.faults.reads.happened, 3);
        // Where many tests share the processors, the server may be silent for once by itself.
        assert.ok((counts.get('reads_tried_again') ?? 0) >= 3);
      }));
  }

  it('is tried again when the server fails, unless it may be for a position at which no event is', () =>
    using(async ({ standIn, log }) => {
      const { reads } = standIn.state.faults;
      reads.next('failed', { times: 2 });
      assert.deepEqual(await log.readStream(freshStream(), { limit: 1 }), []);
      reads.next('failed');
      await assert.rejects(log.readAll({ limit: 1 }), /ReadAllResult/);
      assert.equal(reads.happened, 3);
    }));

  it('fails in time when the server cannot be reached', () =>
    using(
      async ({ standIn, log }) => {
        standIn.kill();
        await assert.rejects(log.readStream(freshStream(), { limit: 1 }), LogUnreachable);
        await standIn.start();
        assert.deepEqual(await log.readStream(freshStream(), { limit: 1 }), []);
      },
      { patienceMillis: 300 },
    ));

  it('leaves no call open, however many there are', () =>
    using(async ({ standIn, log }) => {
      const stream = freshStream();
      await fill(log, stream, 100);
      standIn.state.faults.reads.next('dropMidway', { times: 5 });
      await Promise.all(range(400).map(() => log.readStream(stream, { limit: 10 })));
      await Promise.all(range(400).map(() => log.end()));
      assert.ok(standIn.state.seen.openCalls <= 1, standIn.state.seen.openCalls.toString());
      // Whoever asks at the same time shares the look at the end.
      assert.ok(standIn.state.seen.reads < 600, standIn.state.seen.reads.toString());
    }, patient));
});

describe('a subscription to EventStoreDB', () => {
  for (const fault of subscribeFaults) {
    it(`misses and doubles nothing when the server does this: ${fault}`, () =>
      using(async ({ standIn, log, counts }) => {
        await fill(log, freshStream(), 300);
        for (const skip of [3, 4]) standIn.state.faults.subscriptions.next(fault, { skip });
        const heard = listen(log, 600);
        await fill(log, freshStream(), 300);
        assert.deepEqual(ids(await heard), ids((await wholeLog(log, beforeAll)).filter(ours)));
        assert.ok((counts.get(countedFaults[fault]) ?? 0) >= 2, JSON.stringify([...counts]));
      }));
  }

  it('is cut by bursts and goes on at once, without an alarm', () =>
    using(
      async ({ log, counts, alarms }) => {
        const batches = log.subscribe(beforeAll);
        const live = batches[Symbol.asyncIterator]().next();
        await log.append(freshStream(), someEvents(1), 'noStream');
        await live;
        const heard = heardBy(batches, 2_000);
        for (let burst = 0; burst < 20; burst += 1) await log.append(freshStream(), someEvents(100), 'noStream');
        assert.equal((await heard).length, 2_000);
        assert.ok((counts.get('subscriptions_too_slow') ?? 0) > 0);
        assert.deepEqual(alarms, []);
      },
      // Patient, so that a machine that is busy with other tests raises none.
      { alarmFailures: 1, answerMillis: 30_000, silenceMillis: 30_000 },
    ));

  it('goes on where a later server tells that it fell behind', () =>
    using(async ({ standIn, log, counts }) => {
      standIn.state.cutsSlowSubscriptions = false;
      const heard = listen(log, 500);
      for (let burst = 0; burst < 5; burst += 1) await log.append(freshStream(), someEvents(100), 'noStream');
      assert.equal((await heard).length, 500);
      assert.equal(counts.size, 0);
    }));

  it('comes back by itself when the server does, and raises an alarm meanwhile', () =>
    using(
      async ({ standIn, log, alarms }) => {
        await log.append(freshStream(), someEvents(5), 'any');
        standIn.kill();
        const heard = listen(log, 10);
        while (!alarms.some(({ doing }) => doing === 'following the log')) await new Promise((go) => setImmediate(go));
        await standIn.start();
        await log.append(freshStream(), someEvents(5), 'any');
        assert.equal((await heard).length, 10);
      },
      { alarmFailures: 2, patienceMillis: 200 },
    ));

  it('is never awaited for longer than a request waits, and not by all nodes for as long', () => {
    const pauses = range(50).map((failures) => longPauseMillis(failures + 20));
    assert.ok(Math.max(...pauses) < waitMillisMax);
    assert.ok(new Set(pauses).size > 1);
  });

  it('goes on past a checkpoint after every event', () =>
    using(async ({ standIn, log }) => {
      standIn.state.checkpointEveryEvents = 1;
      const handed = someEvents(10);
      await log.append(freshStream(), handed.slice(0, 5), 'noStream');
      const heard = listen(log, 10);
      while (standIn.state.seen.subscriptions === 0) await new Promise((go) => setImmediate(go));
      await log.append(freshStream(), handed.slice(5), 'noStream');
      // What the client makes of a listener that fails; after that it brings nothing more.
      const over = new AbortController();
      const unheard = once(process, 'unhandledRejection', over).then(([error]) => assert.fail(String(error)));
      assert.deepEqual(ids(await Promise.race([heard, unheard])), ids(handed));
      // Only what came after it had begun comes through the subscription.
      assert.ok(standIn.state.seen.checkpoints >= 5);
      over.abort();
    }));

  it('misses nothing when the event after which it begins was scavenged', () =>
    using(async ({ standIn, log }) => {
      const [counted, stream, events] = [freshStream(), freshStream(), someEvents(3)];
      const { position: first } = await log.append(counted, someEvents(1), 'noStream');
      await log.setMaxCount(counted, 1);
      const { position: second } = await log.append(counted, someEvents(1), 'any');
      await log.append(stream, events, 'noStream');
      const { position: last } = await log.append(counted, someEvents(1), 'any');
      standIn.state.store.scavenge();
      for (const after of [first, second]) {
        const heard: StoredEvent[] = [];
        for await (const batch of log.subscribe(after)) {
          heard.push(...batch);
          if (heard.at(-1)?.position === last) break;
        }
        assert.deepEqual(ids(heard.slice(0, -1)), ids(events));
      }
    }));

  it('misses nothing when the machine that it reads from lags behind', () =>
    using(async ({ standIn, log }) => {
      const { position: before } = await log.append(freshStream(), someEvents(1), 'noStream');
      const handed = someEvents(2);
      const { position: last } = await log.append(freshStream(), handed, 'noStream');
      // It begins the shared subscription at the end, so that what is before has to be read.
      const atEnd = log.subscribe(last);
      while (standIn.state.seen.subscriptions === 0) await new Promise((go) => setImmediate(go));
      standIn.state.faults.reads.next('behind', { times: 3 });
      const heard = await heardBy(log.subscribe(before), 2);
      assert.deepEqual(ids(heard), ids(handed));
      atEnd.close();
    }, patient));

  it('can be closed while it looks for the place to begin after', () =>
    using(async ({ standIn, log }) => {
      const { position } = await log.append(freshStream(), someEvents(1), 'any');
      standIn.state.faults.reads.next('silence', { times: 100 });
      const subscription = log.subscribe(position);
      const next = subscription[Symbol.asyncIterator]().next();
      while (standIn.state.faults.reads.happened === 0) await new Promise((go) => setImmediate(go));
      subscription.close();
      assert.equal((await next).done, true);
      assert.equal(standIn.state.faults.reads.happened, 1);
    }));

  it('is one on the server for all who are at the end, and makes each event out once', () =>
    using(async ({ standIn, log }) => {
      standIn.state.cutsSlowSubscriptions = false;
      const { position } = await log.append(freshStream(), someEvents(1), 'any');
      const all = range(20).map(() => log.subscribe(position));
      const heard = Promise.all(all.map((one) => heardBy(one, 300)));
      await fill(log, freshStream(), 300);
      const [first = [], ...others] = await heard;
      assert.equal(first.length, 300);
      for (const other of others) assert.ok(other.every((event, index) => event === first[index]));
      assert.equal(standIn.state.seen.subscriptions, 1);
      for (const one of all) one.close();
    }, patient));

  it('goes on for those at the end while others are far behind', () =>
    using(async ({ standIn, log }) => {
      standIn.state.cutsSlowSubscriptions = false;
      await fill(log, freshStream(), 1_500);
      const late = log.subscribe(beforeAll)[Symbol.asyncIterator]();
      const first = batchOf(await late.next());
      const atEnd = heardBy(log.subscribe(await log.end()), 1_500);
      await fill(log, freshStream(), 1_500);
      assert.equal((await atEnd).length, 1_500);
      const caughtUp: StoredEvent[] = [...first];
      while (caughtUp.length < 3_000) caughtUp.push(...batchOf(await late.next()));
      assert.deepEqual(ids(caughtUp), ids(standIn.state.store.log.filter(({ type }) => type.startsWith('tests.'))));
      assert.equal(standIn.state.seen.subscriptions, 1);
      await late.return?.();
    }, patient));

  it('leaves no call open when it is left', () =>
    using(async ({ standIn, log }) => {
      await fill(log, freshStream(), 200);
      for (let round = 0; round < 110; round += 1) assert.ok((await listen(log, 1)).length > 0);
      const closed = log.subscribe(beforeAll);
      await closed[Symbol.asyncIterator]().next();
      closed.close();
      while (standIn.state.seen.openCalls > 0) await new Promise((go) => setImmediate(go));
      assert.ok(standIn.state.seen.subscriptions <= 111);
    }, patient));

  it('holds a fast log up for nobody who is slow', () =>
    using(async ({ standIn, log }) => {
      const slow = log.subscribe(beforeAll)[Symbol.asyncIterator]();
      const first = slow.next();
      await fill(log, freshStream(), 5_000);
      assert.equal((await listen(log, 5_000)).length, 5_000);
      const heard: StoredEvent[] = [...batchOf(await first)];
      while (heard.length < 5_000) heard.push(...batchOf(await slow.next()));
      assert.deepEqual(ids(heard), ids(standIn.state.store.log.filter(({ type }) => type.startsWith('tests.'))));
      await slow.return?.();
    }));
});

describe('any mixture of faults', () => {
  const faultsMillisMax = 60_000;
  type Mishap =
    | { readonly of: 'appends'; readonly fault: AppendFault; readonly skip: number }
    | { readonly of: 'reads'; readonly fault: ReadFault; readonly skip: number }
    | { readonly of: 'subscriptions'; readonly fault: SubscribeFault; readonly skip: number }
    | { readonly of: 'server' };
  const skip = fc.nat(60);
  const mishap: fc.Arbitrary<Mishap> = fc.oneof(
    fc.record({ of: fc.constant('appends' as const), fault: fc.constantFrom(...keepingOrder, ...mixingUp), skip }),
    fc.record({ of: fc.constant('reads' as const), fault: fc.constantFrom(...readFaults), skip }),
    fc.record({ of: fc.constant('subscriptions' as const), fault: fc.constantFrom(...subscribeFaults), skip }),
    fc.record({ of: fc.constant('server' as const) }),
  );
  const plan = ({ state }: StandIn, one: Mishap): void => {
    if (one.of === 'appends') state.faults.appends.next(one.fault, one);
    if (one.of === 'reads') state.faults.reads.next(one.fault, one);
    if (one.of === 'subscriptions') state.faults.subscriptions.next(one.fault, one);
  };

  it('loses, doubles and reorders nothing', async () => {
    const property = fc.asyncProperty(fc.array(mishap, { minLength: 1, maxLength: 6 }), async (mishaps) => {
      const one = await setUp({ answerMillis: 150 });
      const other = await setUp({ answerMillis: 150 }, one.standIn);
      for (const each of mishaps) plan(one.standIn, each);
      const heard = listen(other.log, 260);
      const [shared, events] = [freshStream(), someEvents(60)];
      const handed = handIn(one.log);
      const contended = events.map((event, index) =>
        (index % 2 === 0 ? one : other).log.append(shared, [event], 'any'),
      );
      for (const { of } of mishaps.filter((each) => each.of === 'server')) {
        await Promise.race([handed[of.length * 10]?.appended, contended[0]]);
        one.standIn.kill();
        await one.standIn.start();
      }
      await Promise.all([...handed.map(({ appended }) => appended), ...contended]);
      const told = await heard;
      one.standIn.state.faults.reads.clear();
      assert.deepEqual(new Set(ids(await whole(one.log, shared))), new Set(ids(events)));
      const isShared = (event: StoredEvent): boolean => event.stream === shared;
      assert.equal(told.filter(isShared).length, 60);
      const stored = (await wholeLog(one.log, beforeAll)).filter(ours);
      assert.deepEqual(ids(told), ids(stored));
      await holdsStreams(one.log, handed);
      await other.dispose();
      await one.dispose();
    });
    // What waits for ever for an event that was lost ends as a failure, which prints the seed.
    await fc.assert(property, { ...propertyRun(8), endOnFailure: true, timeout: faultsMillisMax });
  });
});

describe('the connection to EventStoreDB', () => {
  it('warns of an option that nobody knows, and keeps its password to itself', (test) => {
    const warn = test.mock.method(console, 'warn', () => undefined);
    connection('esdb://me:secret@127.0.0.1:1?tls=false&nonsense=1').close();
    const said = warn.mock.calls.map(({ arguments: given }) => String(given)).join('\n');
    assert.match(said, /"nonsense"/);
    assert.doesNotMatch(said, /secret/);
  });

  it('finds the leader of a cluster by its gossip', async () => {
    const standIn = await startStandIn();
    const { port } = standIn.state;
    const hosts = `127.0.0.1:${port.toString()},localhost:${port.toString()}`;
    const log = await eventStoreDbEventLog({ connectionString: `esdb://${hosts}?tls=false` });
    assert.equal((await log.append(freshStream(), someEvents(1), 'any')).revision, 0n);
    await log.close();
    standIn.kill();
  });

  it('is refused in time when nobody is there', async () => {
    const standIn = await startStandIn();
    standIn.kill();
    const { connectionString } = standIn;
    await assert.rejects(eventStoreDbEventLog({ connectionString, patienceMillis: 200 }), LogUnreachable);
  });

  const certificate = selfSigned();
  it(
    'passes the CA file, the user and the password on',
    { skip: certificate === undefined && 'openssl is not installed' },
    async () => {
      assert.ok(certificate);
      const standIn = await startStandIn({ tls: certificate });
      const at = `127.0.0.1:${standIn.state.port.toString()}`;
      const connectionString = `esdb://me:pa%24s@${at}?tlsCAFile=${encodeURIComponent(certificate.file)}`;
      const log = await eventStoreDbEventLog({ connectionString });
      await log.append(freshStream(), someEvents(1), 'any');
      assert.equal(standIn.state.seen.authorization, `Basic ${Buffer.from('me:pa$s').toString('base64')}`);
      await log.close();
      standIn.kill();
      rmSync(certificate.folder, { recursive: true });
    },
  );
});

describe('the stand-in for EventStoreDB', () => {
  const using = async (work: (client: EventStoreDBClient, standIn: StandIn) => Promise<void>): Promise<void> => {
    const standIn = await startStandIn();
    const client = EventStoreDBClient.connectionString(standIn.connectionString);
    await work(client, standIn);
    await client.dispose();
    standIn.kill();
  };
  const events = (count: number) =>
    range(count).map(() => jsonEvent({ id: randomUUID(), type: 'tests.One', data: {} }));
  const count = async (client: EventStoreDBClient, stream: string): Promise<number> => {
    let found = 0;
    for await (const one of client.readStream(stream)) if (one.event !== undefined) found += 1;
    return found;
  };

  it('knows a retry with the same expectation, and one without', () =>
    using(async (client) => {
      const [stream, some] = [freshStream(), events(2)];
      const first = await client.appendToStream(stream, some, { expectedRevision: NO_STREAM });
      await client.appendToStream(stream, events(1), { expectedRevision: 1n });
      const again = await client.appendToStream(stream, some, { expectedRevision: NO_STREAM });
      const without = await client.appendToStream(stream, some, { expectedRevision: ANY });
      assert.deepEqual([again.position, without.position], [first.position, first.position]);
      await assert.rejects(client.appendToStream(stream, some, { expectedRevision: 0n }));
      await assert.rejects(client.appendToStream(stream, [...some, ...events(1)], { expectedRevision: ANY }));
    }));

  it('doubles what the real server doubles', () =>
    using(async (client) => {
      const [stream, [one, two]] = [freshStream(), events(2)];
      assert.ok(one && two);
      await client.appendToStream(stream, [one], { expectedRevision: NO_STREAM });
      await client.appendToStream(stream, [two, one], { expectedRevision: ANY });
      await client.appendToStream(stream, [one], { expectedRevision: 2n });
      assert.equal(await count(client, stream), 4);
    }));

  it('carries a hundred calls on a connection', () =>
    using(async (client, standIn) => {
      const open = range(100).map(() => client.subscribeToAll());
      for (const one of open) one.on('error', () => undefined);
      await Promise.all(open.map((one) => new Promise((resolve) => one.once('confirmation', resolve))));
      const waiting = client.readAll({ maxCount: 1 });
      const read = new Promise<boolean>((resolve) => waiting.once('data', () => resolve(true)));
      assert.equal(standIn.state.seen.reads, 0);
      // Ended by the server: a call that the client leaves frees its place at the client before it does at the server.
      standIn.state.faults.subscriptions.next('tooSlow');
      const none = new Uint8Array();
      const event = {
        id: randomUUID(),
        type: 'tests.One',
        contentType: 'application/json',
        data: none,
        metadata: none,
      };
      standIn.state.append(freshStream(), 'any', [event]);
      assert.equal(await read, true);
      await Promise.all(open.map((one) => one.unsubscribe()));
    }));
});
