import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { beforeAll, type Position } from '../../src/kernel/event.js';
import { partIn, partOfStored } from '../../src/kernel/parts.js';
import {
  batchEventsMax,
  eventBytesMax,
  eventsPerAppendMax,
  InvalidAppend,
  PartlyAppended,
  streamNameLengthMax,
  VersionConflict,
  type Appended,
  type EventLog,
  type ExpectedRevision,
  type NewEvent,
  type StoredEvent,
  type StreamAppend,
} from '../../src/kernel/ports/eventLog.js';
import { propertyRun } from '../support/propertyRun.js';

export type LogUnderTest = {
  readonly log: EventLog;
  /** Closes the log and opens it again on what it stored. Only called when the harness `canReopen`. */
  reopen(): Promise<EventLog>;
  /** Closes the log if it is open, and clears up. */
  dispose(): Promise<void>;
};

/** Of a log that keeps what it stored somewhere else. `cleanUp` comes after it was closed. */
export const reopenable = async (
  open: () => Promise<EventLog>,
  cleanUp: () => Promise<void> | void = () => undefined,
): Promise<LogUnderTest> => {
  const first = await open();
  let log = first;
  return {
    log: first,
    reopen: async () => {
      await log.close();
      log = await open();
      return log;
    },
    dispose: async () => {
      await log.close();
      await cleanUp();
    },
  };
};

export type EventLogHarness = {
  readonly canReopen: boolean;
  /** How many command sequences the model test tries. */
  readonly modelRuns: number;
  /** Whether an append to several streams is all or nothing. */
  readonly isAtomic: boolean;
};

/**
 * What the port promises. The log may hold events of others, and its positions may have gaps: every test works on
 * streams with fresh names and looks only at those.
 */
export const eventLogContract = (
  name: string,
  makeLog: () => Promise<LogUnderTest>,
  harness: EventLogHarness,
): void => {
  describe(`EventLog: ${name}`, () => {
    let underTest: LogUnderTest;
    let log: EventLog;
    before(async () => {
      underTest = await makeLog();
      log = underTest.log;
    });
    after(() => underTest.dispose());

    appending(() => log);
    retrying(() => log);
    refusing(() => log);
    reading(() => log);
    subscribing(() => log);
    appendingToSeveral(() => log);
    if (harness.isAtomic) appendingAtomically(() => log);
    else appendingInParts(() => log);
    cutting(() => log);
    closing(makeLog);
    if (harness.canReopen) reopening(makeLog);
    modelled(makeLog, harness);
  });
};

const appending = (the: () => EventLog): void => {
  it('stores an append and gives the place of its last event', async () => {
    const [log, stream] = [the(), freshStream()];
    const appended = await log.append(stream, someEvents(3), 'noStream');
    const stored = await whole(log, stream);
    assert.equal(appended.revision, 2n);
    assert.equal(appended.position, stored[2]?.position);
    assert.deepEqual(revisions(stored), [0n, 1n, 2n]);
  });

  it('keeps every byte of an event', async () => {
    const [log, stream] = [the(), `größe-${randomUUID()} 漢字 🙂`];
    const everyByte = Uint8Array.from({ length: 256 }, (_, index) => index);
    const event = { id: randomUUID(), type: 'tests.Größe🙂.v1', data: everyByte, metadata: everyByte.toReversed() };
    await log.append(stream, [event], 'any');
    const [stored] = await whole(log, stream);
    assert.ok(stored);
    assert.deepEqual(
      { ...stored, data: undefined, metadata: undefined },
      {
        ...event,
        stream,
        revision: 0n,
        position: stored.position,
        at: stored.at,
        data: undefined,
        metadata: undefined,
      },
    );
    assert.ok(Buffer.from(stored.data).equals(event.data));
    assert.ok(Buffer.from(stored.metadata).equals(event.metadata));
  });

  it('keeps empty and largest bodies, and the largest append', async () => {
    const [log, stream] = [the(), freshStream()];
    const largest = { ...someEvent(), data: new Uint8Array(eventBytesMax).fill(7) };
    const empty = { ...someEvent(), data: new Uint8Array(0), metadata: new Uint8Array(0) };
    await log.append(stream, [largest, empty], 'noStream');
    await log.append(stream, someEvents(eventsPerAppendMax), 1n);
    const stored = await whole(log, stream);
    assert.deepEqual(
      stored.slice(0, 2).map(({ data }) => data.length),
      [eventBytesMax, 0],
    );
    assert.equal(stored.length, 2 + eventsPerAppendMax);
  });

  it('takes the longest stream name', async () => {
    const [log, stream] = [the(), `s-${randomUUID()}`.padEnd(streamNameLengthMax, 'ü')];
    await log.append(stream, someEvents(1), 'noStream');
    assert.equal((await whole(log, stream))[0]?.stream, stream);
  });

  it('accepts what is expected and refuses what is not', async () => {
    const [log, stream] = [the(), freshStream()];
    await conflicts(log, stream, 'exists', 'noStream');
    await conflicts(log, stream, 0n, 'noStream');
    await log.append(stream, someEvents(2), 'noStream');
    await conflicts(log, stream, 'noStream', 1n);
    await conflicts(log, stream, 0n, 1n);
    await conflicts(log, stream, 2n, 1n);
    await log.append(stream, someEvents(1), 1n);
    await log.append(stream, someEvents(1), 'exists');
    await log.append(stream, someEvents(1), 'any');
    assert.equal((await whole(log, stream)).length, 5);
  });

  it('lets exactly one of 50 writers have a revision', async () => {
    const [log, stream] = [the(), freshStream()];
    await log.append(stream, someEvents(1), 'noStream');
    const outcomes = await Promise.allSettled(range(50).map(() => log.append(stream, someEvents(1), 0n)));
    const lost = outcomes.filter((outcome) => outcome.status === 'rejected');
    assert.equal(lost.length, 49);
    for (const { reason } of lost) assert.ok(reason instanceof VersionConflict && reason.actual === 1n);
    assert.equal((await whole(log, stream)).length, 2);
  });

  it('lets who lost a race read at once what it lost to', async () => {
    const [log, stream] = [the(), freshStream()];
    const winner = log.append(stream, someEvents(1), 'noStream');
    const seen = await log.append(stream, someEvents(1), 'noStream').catch(() => whole(log, stream));
    assert.deepEqual(revisions(seen as readonly StoredEvent[]), [0n]); // The append cannot have succeeded.
    await winner;
  });

  it('takes appends that build on each other without waiting', async () => {
    const [log, stream] = [the(), freshStream()];
    const expectations = range(50).map((index): ExpectedRevision => (index === 0 ? 'noStream' : BigInt(index - 1)));
    const appended = await Promise.all(expectations.map((expected) => log.append(stream, someEvents(1), expected)));
    assert.deepEqual(
      appended.map(({ revision }) => revision),
      range(50).map(BigInt),
    );
  });

  it('gives positions in the order of the calls, across streams', async () => {
    const log = the();
    const streams = range(20).map(() => freshStream());
    const calls = range(200).map((index) => log.append(streams[(index * 7) % 20] ?? '', someEvents(2), 'any'));
    const positions = (await Promise.all(calls)).map(({ position }) => position);
    assert.deepEqual(positions, positions.toSorted(ascending));
    assert.equal(new Set(positions).size, 200);
  });

  it('stores an append whole and in a row within its stream', async () => {
    const [log, stream] = [the(), freshStream()];
    const batches = range(20).map(() => someEvents(5));
    await Promise.all(batches.map((events) => log.append(stream, events, 'any')));
    assert.deepEqual(ids(await whole(log, stream)), ids(batches.flat()));
  });
};

const retrying = (the: () => EventLog): void => {
  const everyExpectation = (actual: bigint): readonly ExpectedRevision[] => [
    'noStream',
    'any',
    'exists',
    0n,
    actual,
    999n,
  ];

  it('answers a retry with the first answer, at once, whatever it expects', async () => {
    const [log, stream, events] = [the(), freshStream(), someEvents(3)];
    const first = await log.append(stream, events, 'noStream');
    for (const expected of everyExpectation(2n)) assert.deepEqual(await log.append(stream, events, expected), first);
    assert.equal((await whole(log, stream)).length, 3);
  });

  it('answers a retry of an append that is still on its way', async () => {
    const [log, stream, events] = [the(), freshStream(), someEvents(2)];
    const expectations: readonly ExpectedRevision[] = ['noStream', 'noStream', 'any', 1n];
    const appended = await Promise.all(expectations.map((expected) => log.append(stream, events, expected)));
    assert.equal(new Set(appended.map(({ position }) => position)).size, 1);
    assert.equal((await whole(log, stream)).length, 2);
  });

  it('answers a retry 2,000 events later, whatever it expects', async () => {
    const [log, stream, early, late] = [the(), freshStream(), someEvents(2), someEvents(3)];
    const first = await log.append(stream, early, 'noStream');
    await fill(log, stream, 1_000);
    const second = await log.append(stream, late, 'any');
    await fill(log, stream, 2_000);
    for (const expected of everyExpectation(3_004n)) {
      assert.deepEqual(await log.append(stream, early, expected), first);
      assert.deepEqual(await log.append(stream, late, expected), second);
    }
    assert.equal((await whole(log, stream)).length, 3_005);
  });

  it('answers a retry of a part of an append with the place of that part', async () => {
    const [log, stream, events] = [the(), freshStream(), someEvents(3)];
    await log.append(stream, events, 'noStream');
    const again = await log.append(stream, events.slice(0, 2), 'any');
    assert.equal(again.revision, 1n);
  });

  it('keeps the first content when the same id comes with another', async () => {
    const [log, stream, event] = [the(), freshStream(), someEvent()];
    await log.append(stream, [event], 'noStream');
    await log.append(stream, [{ ...event, data: utf8('{"other":true}') }], 'any');
    const [stored] = await whole(log, stream);
    assert.equal(text(stored?.data), text(event.data));
  });

  it('stores the same id once in each stream', async () => {
    const [log, event] = [the(), someEvent()];
    for (const stream of [freshStream(), freshStream()]) {
      await log.append(stream, [event], 'noStream');
      assert.deepEqual(ids(await whole(log, stream)), [event.id]);
    }
  });

  it('refuses an append of which it holds a part', async () => {
    const [log, stream, [a, b, c]] = [the(), freshStream(), someEvents(3)];
    assert.ok(a && b && c);
    await log.append(stream, [a, b], 'noStream');
    await isInvalid(log.append(stream, [a, c], 'any'));
    await isInvalid(log.append(stream, [c, a], 'any'));
    await isInvalid(log.append(stream, [b, c], 1n));
    assert.deepEqual(ids(await whole(log, stream)), [a.id, b.id]);
  });
};

const refusing = (the: () => EventLog): void => {
  const tooLarge = new Uint8Array(eventBytesMax + 1);
  const twice = someEvent();
  const invalid: Readonly<Record<string, readonly NewEvent[]>> = {
    'no event': [],
    'an id that is no UUID': [{ ...someEvent(), id: 'abc' }],
    'an empty type': [{ ...someEvent(), type: '' }],
    'too much data': [{ ...someEvent(), data: tooLarge }],
    'too many events': someEvents(eventsPerAppendMax + 1),
    'the same id twice': [twice, someEvent(), twice],
  };
  for (const [what, events] of Object.entries(invalid)) {
    it(`refuses ${what} and writes nothing`, async () => {
      const [log, stream] = [the(), freshStream()];
      await isInvalid(log.append(stream, events, 'any'));
      if (events.length > 0) await isInvalid(log.append(stream, [someEvent(), ...events], 'any'));
      assert.deepEqual(await whole(log, stream), []);
    });
  }

  it('refuses a stream without a name or with one that is too long', async () => {
    await isInvalid(the().append('', someEvents(1), 'any'));
    await isInvalid(the().append('s'.repeat(streamNameLengthMax + 1), someEvents(1), 'any'));
  });

  it('goes on after a refusal', async () => {
    const [log, stream] = [the(), freshStream()];
    await isInvalid(log.append(stream, [], 'any'));
    assert.equal((await log.append(stream, someEvents(1), 'noStream')).revision, 0n);
  });
};

const reading = (the: () => EventLog): void => {
  it('reads a stream that does not exist as empty', async () => {
    const stream = freshStream();
    assert.deepEqual(await the().readStream(stream, { limit: 10 }), []);
    assert.deepEqual(await the().readStream(stream, { direction: 'backwards', limit: 10 }), []);
  });

  it('reads a stream at its bounds, forwards and backwards', async () => {
    const [log, stream] = [the(), freshStream()];
    await log.append(stream, someEvents(10), 'noStream');
    const read = async (from: bigint | undefined, direction: 'forwards' | 'backwards', limit: number) =>
      revisions(await log.readStream(stream, { ...(from === undefined ? {} : { from }), direction, limit }));
    assert.deepEqual(await read(undefined, 'forwards', 2), [0n, 1n]);
    assert.deepEqual(await read(8n, 'forwards', 5), [8n, 9n]);
    assert.deepEqual(await read(9n, 'forwards', 5), [9n]);
    assert.deepEqual(await read(10n, 'forwards', 5), []);
    assert.deepEqual(await read(undefined, 'backwards', 2), [9n, 8n]);
    assert.deepEqual(await read(1n, 'backwards', 5), [1n, 0n]);
    assert.deepEqual(await read(0n, 'backwards', 5), [0n]);
    assert.deepEqual(await read(99n, 'backwards', 1), [9n]);
  });

  it('reads a long stream in pages, both ways', async () => {
    const [log, stream] = [the(), freshStream()];
    await fill(log, stream, 500);
    const forwards = await whole(log, stream);
    const backwards: StoredEvent[] = [];
    for (let from: bigint | undefined; from !== -1n; from = (backwards.at(-1)?.revision ?? 0n) - 1n) {
      const range = from === undefined ? {} : { from };
      backwards.push(...(await log.readStream(stream, { ...range, direction: 'backwards', limit: 77 })));
    }
    assert.deepEqual(revisions(forwards), range(500).map(BigInt));
    assert.deepEqual(ids(backwards), ids(forwards).toReversed());
  });

  it('does not mix up streams whose names begin alike', async () => {
    const [log, stream] = [the(), freshStream()];
    const names = [stream, `${stream}0`, `${stream}.`, `${stream}-`];
    for (const one of names) await log.append(one, someEvents(2), 'noStream');
    for (const one of names)
      assert.deepEqual(new Set((await whole(log, one)).map((event) => event.stream)), new Set([one]));
  });

  it('gives the same event in the stream, in the log and to a subscriber', async () => {
    const [log, stream] = [the(), freshStream()];
    const start = await log.end();
    await log.append(stream, someEvents(3), 'noStream');
    const inStream = await whole(log, stream);
    const inLog = (await wholeLog(log, start)).filter((event) => event.stream === stream);
    const heard = await collect(log, start, isIn(stream), 3);
    assert.deepEqual(inLog.map(comparable), inStream.map(comparable));
    assert.deepEqual(heard.map(comparable), inStream.map(comparable));
  });

  it('reads the log from a position, exclusive, both ways', async () => {
    const [log, stream] = [the(), freshStream()];
    await log.append(stream, someEvents(5), 'noStream');
    const stored = await whole(log, stream);
    const [first, third] = [stored[0]?.position ?? 0n, stored[2]?.position ?? 0n];
    const ours = (events: readonly StoredEvent[]) => revisions(events.filter(isIn(stream)));
    assert.deepEqual(ours(await log.readAll({ from: third, limit: 100 })), [3n, 4n]);
    assert.deepEqual(ours(await log.readAll({ from: third, direction: 'backwards', limit: 2 })), [1n, 0n]);
    assert.deepEqual(ours(await log.readAll({ from: first, direction: 'backwards', limit: 100 })), []);
    assert.deepEqual(ours(await log.readAll({ direction: 'backwards', limit: 2 })), [4n, 3n]);
  });

  it('reads the whole log in order, in pages of any size', async () => {
    const log = the();
    await fill(log, freshStream(), 50);
    const all = await wholeLog(log, beforeAll, 1_000);
    const positions = all.map(({ position }) => position);
    assert.deepEqual(positions, positions.toSorted(ascending));
    assert.ok(positions.every((position) => position > beforeAll));
    // From a position that the log gave: it may know no other.
    const small = await wholeLog(log, positions.at(-21) ?? beforeAll, 3);
    assert.deepEqual(
      small.map(({ position }) => position),
      positions.slice(-20),
    );
    assert.deepEqual(await log.readAll({ from: await log.end(), limit: 10 }), []);
  });

  it('knows its end', async () => {
    const log = the();
    const { position } = await log.append(freshStream(), someEvents(2), 'any');
    assert.equal(await log.end(), position);
    assert.equal((await log.readAll({ direction: 'backwards', limit: 1 }))[0]?.position, position);
  });
};

const subscribing = (the: () => EventLog): void => {
  it('tells of what is stored and of what comes, from the start', async () => {
    const [log, stream] = [the(), freshStream()];
    await log.append(stream, someEvents(3), 'noStream');
    const heard = collect(log, beforeAll, isIn(stream), 6);
    await log.append(stream, someEvents(3), 2n);
    assert.deepEqual(revisions(await heard), range(6).map(BigInt));
  });

  it('tells of what comes after a position in the middle, exclusive', async () => {
    const [log, stream] = [the(), freshStream()];
    await log.append(stream, someEvents(4), 'noStream');
    const middle = (await whole(log, stream))[1]?.position ?? 0n;
    assert.deepEqual(revisions(await collect(log, middle, isIn(stream), 2)), [2n, 3n]);
  });

  it('tells only of what comes, from the end', async () => {
    const [log, stream] = [the(), freshStream()];
    await log.append(stream, someEvents(4), 'noStream');
    const heard = collect(log, await log.end(), () => true, 1);
    await log.append(stream, someEvents(1), 3n);
    assert.deepEqual(revisions((await heard).filter(isIn(stream))), [4n]);
  });

  it('tells each event once and in order while it catches up', async () => {
    const [log, stream] = [the(), freshStream()];
    const start = await log.end();
    await fill(log, stream, 3_000);
    const heard = collect(log, start, isIn(stream), 5_000);
    await fill(log, stream, 2_000);
    assert.deepEqual(revisions(await heard), range(5_000).map(BigInt));
  });

  it('tells two subscribers the same, each at its own pace', async () => {
    const [log, stream] = [the(), freshStream()];
    const start = await log.end();
    const quick = collect(log, start, isIn(stream), 3_000);
    const slow = log.subscribe(start);
    await fill(log, stream, 3_000);
    const heard = await quick;
    assert.deepEqual(revisions(heard), range(3_000).map(BigInt));
    assert.deepEqual(ids(await take(slow, isIn(stream), 3_000)), ids(heard));
  });

  it('does not wait for a subscriber that never asks', async () => {
    const [log, stream] = [the(), freshStream()];
    const idle = log.subscribe(await log.end());
    await fill(log, stream, 1_000);
    assert.equal((await whole(log, stream)).length, 1_000);
    idle.close();
  });

  it('tells of nothing that a read does not find', async () => {
    const [log, stream] = [the(), freshStream()];
    const subscription = log.subscribe(await log.end());
    const work = fill(log, stream, 200);
    let next = 0n;
    for await (const batch of subscription) {
      assert.ok(batch.length > 0);
      const last = batch.at(-1);
      assert.ok(last && last.position <= (await log.end()));
      for (const event of batch.filter(isIn(stream))) {
        assert.equal(event.revision, next);
        next += 1n;
      }
      if (next > 0n)
        assert.equal((await log.readStream(stream, { from: next - 1n, limit: 1 }))[0]?.revision, next - 1n);
      if (next === 200n) break;
    }
    await work;
  });

  it('ends when it is closed, also while it waits', async () => {
    const log = the();
    const subscription = log.subscribe(await log.end());
    const ended = drained(subscription);
    subscription.close();
    assert.deepEqual(await ended, []);
    const never = log.subscribe(beforeAll);
    never.close();
    assert.deepEqual(await drained(never), []);
  });

  it('can be left in the middle', async () => {
    const [log, stream] = [the(), freshStream()];
    const start = await log.end();
    await fill(log, stream, 10);
    for await (const batch of log.subscribe(start)) {
      assert.ok(batch.length > 0);
      break;
    }
    assert.equal((await log.append(stream, someEvents(1), 'exists')).revision, 10n);
  });
};

/** One event for each stream; those of `wrong` are believed to have events. */
const parts = (streams: readonly string[], wrong: readonly string[] = []): readonly StreamAppend[] =>
  streams.map((stream, index) => ({
    stream,
    events: [{ ...someEvent(), metadata: utf8(JSON.stringify(partIn(index + 1, streams.length))) }],
    expected: wrong.includes(stream) ? 5n : 'noStream',
  }));

const streamsOf = (count: number): readonly string[] => range(count).map(freshStream);
const eventsIn = async (log: EventLog, streams: readonly string[]): Promise<readonly number[]> =>
  Promise.all(streams.map(async (stream) => (await whole(log, stream)).length));

const appendingToSeveral = (the: () => EventLog): void => {
  it('appends to several streams in a row, in the order of the calls', async () => {
    const [log, streams, before, after] = [the(), streamsOf(20), freshStream(), freshStream()];
    const start = await log.end();
    const first = log.append(before, someEvents(1), 'noStream');
    const all = log.appendAll(parts(streams));
    const last = log.append(after, someEvents(1), 'noStream');
    const places = [await first, ...(await all), await last].map(({ position }) => position);
    assert.deepEqual(places, places.toSorted(ascending));
    const ours = new Set([before, ...streams, after]);
    const stored = (await wholeLog(log, start)).filter(({ stream }) => ours.has(stream));
    assert.deepEqual(
      stored.map(({ stream }) => stream),
      [before, ...streams, after],
    );
  });

  it('takes a retry of an append to several streams for the same append', async () => {
    const [log, streams] = [the(), streamsOf(3)];
    const appends = parts(streams);
    const [one, other] = await Promise.all([log.appendAll(appends), log.appendAll(appends)]);
    assert.deepEqual(one, other);
    assert.deepEqual(await log.appendAll(appends), one);
    assert.deepEqual(await eventsIn(log, streams), [1, 1, 1]);
  });

  it('appends what is missing of an append to several streams that is made again', async () => {
    const [log, streams] = [the(), streamsOf(3)];
    const appends = parts(streams);
    const [, second] = appends;
    assert.ok(second);
    const before = await log.append(second.stream, second.events, 'noStream');
    const places = await log.appendAll(appends);
    assert.deepEqual(places[1], before);
    assert.deepEqual(await eventsIn(log, streams), [1, 1, 1]);
  });

  it('refuses an append to no stream, to one twice and of too many events, and writes nothing', async () => {
    const [log, streams] = [the(), streamsOf(2)];
    const [one, other] = parts(streams);
    assert.ok(one && other);
    await isInvalid(log.appendAll([]));
    await isInvalid(log.appendAll([one, other, one]));
    await isInvalid(log.appendAll([one, { ...other, events: someEvents(eventsPerAppendMax) }]));
    await isInvalid(log.appendAll([one, { ...other, events: [] }]));
    assert.deepEqual(await eventsIn(log, streams), [0, 0]);
  });

  it('says which stream was not as expected when none was', async () => {
    const [log, streams] = [the(), streamsOf(2)];
    await assert.rejects(
      log.appendAll(parts(streams, streams)),
      (error) => error instanceof VersionConflict && error.stream === streams[0],
    );
    assert.deepEqual(await eventsIn(log, streams), [0, 0]);
  });
};

const appendingAtomically = (the: () => EventLog): void => {
  it('appends to no stream when one is not as expected', async () => {
    const [log, streams] = [the(), streamsOf(7)];
    const wrong = streams.slice(3, 4);
    await assert.rejects(
      log.appendAll(parts(streams, wrong)),
      (error) => error instanceof VersionConflict && error.stream === wrong[0],
    );
    assert.deepEqual(await eventsIn(log, streams), [0, 0, 0, 0, 0, 0, 0]);
  });

  it('tells of an append to several streams in one batch, also when it is read later', async () => {
    const log = the();
    const start = await log.end();
    const live = log.subscribe(start);
    for (const singles of [450, 470, 490]) {
      await fill(log, freshStream(), singles);
      await log.appendAll(parts(streamsOf(eventsPerAppendMax)));
    }
    const end = await log.end();
    // Enough to be read from where it is stored.
    await fill(log, freshStream(), 4_000);
    for (const batches of [live, log.subscribe(start)]) {
      for await (const batch of batches) {
        assert.ok(batch.length <= batchEventsMax + eventsPerAppendMax);
        const [last] = batch.slice(-1);
        assert.ok(last);
        const part = partOfStored(last.metadata);
        assert.equal(part?.index, part?.of);
        if (last.position >= end) break;
      }
    }
  });
};

const appendingInParts = (the: () => EventLog): void => {
  it('says how many streams took their events, and of the others why not', async () => {
    const [log, streams] = [the(), streamsOf(5)];
    const error: unknown = await log.appendAll(parts(streams, streams.slice(3))).catch((failure: unknown) => failure);
    assert.ok(error instanceof PartlyAppended, String(error));
    assert.match(error.message, /^3 of 5 /);
    const [first, , third, fourth] = error.outcomes;
    assert.ok(first && 'position' in first && third && 'position' in third && first.position < third.position);
    assert.ok(fourth instanceof VersionConflict && fourth.stream === streams[3]);
    assert.deepEqual(await eventsIn(log, streams), [1, 1, 1, 0, 0]);
  });
};

const cutting = (the: () => EventLog): void => {
  it('leaves out what a max count cuts, at once, and goes on counting', async () => {
    const [log, stream] = [the(), freshStream()];
    await log.append(stream, someEvents(5), 'noStream');
    await log.setMaxCount(stream, 2);
    assert.deepEqual(revisions(await whole(log, stream)), [3n, 4n]);
    assert.deepEqual(revisions(await log.readStream(stream, { from: 0n, limit: 1 })), [3n]);
    assert.deepEqual(revisions(await log.readStream(stream, { direction: 'backwards', limit: 9 })), [4n, 3n]);
    assert.deepEqual(await log.readStream(stream, { from: 2n, direction: 'backwards', limit: 9 }), []);
    assert.equal((await log.append(stream, someEvents(1), 4n)).revision, 5n);
    assert.deepEqual(revisions(await whole(log, stream)), [4n, 5n]);
    await conflicts(log, stream, 'noStream', 5n);
  });

  it('takes a max count for a stream that does not exist yet', async () => {
    const [log, stream] = [the(), freshStream()];
    await log.setMaxCount(stream, 1);
    await conflicts(log, stream, 'exists', 'noStream');
    assert.equal(await log.maxCountOf(stream), 1);
    assert.equal(await log.maxCountOf(freshStream()), undefined);
    for (let index = 0; index < 100; index += 1) await log.append(stream, someEvents(1), 'any');
    assert.deepEqual(revisions(await whole(log, stream)), [99n]);
  });

  it('recognises a retry in a stream with a max count', async () => {
    const [log, stream, event] = [the(), freshStream(), someEvent()];
    await log.setMaxCount(stream, 1);
    await log.append(stream, someEvents(3), 'noStream');
    const first = await log.append(stream, [event], 2n);
    assert.deepEqual(await log.append(stream, [event], 'any'), first);
    assert.deepEqual(ids(await whole(log, stream)), [event.id]);
  });

  it('tells a subscriber of the newest events of a stream with a max count', async () => {
    const [log, stream] = [the(), freshStream()];
    const start = await log.end();
    await log.setMaxCount(stream, 1);
    for (let index = 0; index < 20; index += 1) await log.append(stream, someEvents(1), 'any');
    const { position } = await log.append(freshStream(), someEvents(1), 'any');
    const heard = await until(log.subscribe(start), position);
    assert.equal(heard.filter(isIn(stream)).at(-1)?.revision, 19n);
  });
};

const closing = (makeLog: () => Promise<LogUnderTest>): void => {
  it('waits for what is in flight when it closes, ends subscriptions, and refuses what comes later', async () => {
    const underTest = await makeLog();
    const { log } = underTest;
    const stream = freshStream();
    const subscription = log.subscribe(await log.end());
    const ended = drained(subscription);
    const inFlight = range(20).map(() => log.append(stream, someEvents(1), 'any'));
    await log.close();
    assert.equal((await Promise.all(inFlight)).length, 20);
    await ended;
    await assert.rejects(log.append(stream, someEvents(1), 'any'));
    await assert.rejects(log.readStream(stream, { limit: 1 }));
    await assert.rejects(log.readAll({ limit: 1 }));
    await assert.rejects(log.end());
    assert.throws(() => log.subscribe(beforeAll));
    await underTest.dispose();
  });
};

const reopening = (makeLog: () => Promise<LogUnderTest>): void => {
  it('has everything when it is opened again', async () => {
    const underTest = await makeLog();
    const { log } = underTest;
    const [stream, cut, events] = [freshStream(), freshStream(), someEvents(5)];
    const first = await log.append(stream, events, 'noStream');
    await fill(log, stream, 700);
    await log.setMaxCount(cut, 2);
    await log.append(cut, someEvents(6), 'any');
    const [before, end] = [await whole(log, stream), await log.end()];
    const again = await underTest.reopen();
    assert.equal(await again.maxCountOf(cut), 2);
    assert.deepEqual((await whole(again, stream)).map(comparable), before.map(comparable));
    assert.deepEqual(revisions(await whole(again, cut)), [4n, 5n]);
    assert.equal(await again.end(), end);
    assert.deepEqual(await again.append(stream, events, 'any'), first);
    await conflicts(again, stream, 700n, 704n);
    assert.ok((await again.append(stream, someEvents(1), 704n)).position > end);
    await underTest.dispose();
  });
};

/** An array per stream: what the log must look like from outside. */
type Model = { readonly streams: Map<string, { readonly events: NewEvent[]; first: number; maxCount: number }> };
type Step =
  | { readonly do: 'append'; readonly stream: number; readonly count: number; readonly expected: Expectation }
  | { readonly do: 'retry'; readonly stream: number; readonly from: number; readonly expected: Expectation }
  | { readonly do: 'read'; readonly stream: number; readonly from: number; readonly backwards: boolean }
  | { readonly do: 'cut'; readonly stream: number; readonly maxCount: number }
  | { readonly do: 'reopen' };
type Expectation = 'noStream' | 'exists' | 'any' | 'right' | 'wrong';

const modelled = (makeLog: () => Promise<LogUnderTest>, { canReopen, modelRuns }: EventLogHarness): void => {
  it('behaves like an array of events whatever is done to it', async () => {
    const underTest = await makeLog();
    let { log } = underTest;
    const property = fc.asyncProperty(fc.array(step({ canReopen }), { maxLength: 40 }), async (steps) => {
      const [model, prefix]: [Model, string] = [{ streams: new Map() }, freshStream()];
      const start = await log.end();
      for (const one of steps) {
        if (one.do === 'reopen') log = await underTest.reopen();
        else await doStep(log, model, `${prefix}.${one.stream.toString()}`, one);
      }
      await checkModel(log, model, start);
    });
    await fc.assert(property, propertyRun(modelRuns));
    await underTest.dispose();
  });
};

const step = ({ canReopen }: { readonly canReopen: boolean }): fc.Arbitrary<Step> => {
  const stream = fc.nat(2);
  const expected = fc.constantFrom<Expectation>('noStream', 'exists', 'any', 'right', 'right', 'wrong');
  const steps: fc.Arbitrary<Step>[] = [
    fc.record({ do: fc.constant('append' as const), stream, count: fc.integer({ min: 1, max: 60 }), expected }),
    fc.record({ do: fc.constant('append' as const), stream, count: fc.integer({ min: 1, max: 3 }), expected }),
    fc.record({ do: fc.constant('retry' as const), stream, from: fc.nat(99), expected }),
    fc.record({ do: fc.constant('read' as const), stream, from: fc.nat(99), backwards: fc.boolean() }),
    fc.record({ do: fc.constant('cut' as const), stream, maxCount: fc.integer({ min: 1, max: 9 }) }),
  ];
  if (canReopen) steps.push(fc.constant({ do: 'reopen' as const }));
  return fc.oneof(...steps);
};

const doStep = async (log: EventLog, model: Model, stream: string, one: Exclude<Step, { do: 'reopen' }>) => {
  const held = model.streams.get(stream) ?? { events: [], first: 0, maxCount: Number.POSITIVE_INFINITY };
  model.streams.set(stream, held);
  const last = held.events.length - 1;
  if (one.do === 'cut') {
    await log.setMaxCount(stream, one.maxCount);
    held.maxCount = one.maxCount;
  } else if (one.do === 'read') {
    const visible = held.events.map((_, index) => BigInt(index)).slice(held.first);
    const from = BigInt(one.from);
    const wanted = one.backwards
      ? visible.filter((revision) => revision <= from).toReversed()
      : visible.filter((revision) => revision >= from);
    const direction = one.backwards ? 'backwards' : 'forwards';
    assert.deepEqual(revisions(await log.readStream(stream, { from, direction, limit: 7 })), wanted.slice(0, 7));
  } else if (one.do === 'retry') {
    // Ids of what a max count has cut need not be remembered.
    const from = Math.max(held.first, Math.min(one.from, last));
    const events = held.events.slice(from, from + 3);
    if (events.length === 0) return;
    const appended = await log.append(stream, events, revisionFor(one.expected, last));
    assert.equal(appended.revision, BigInt(from + events.length - 1));
  } else {
    const events = someEvents(one.count);
    const outcome = await log.append(stream, events, revisionFor(one.expected, last)).catch((error: unknown) => error);
    if (isRight(one.expected, last)) {
      held.events.push(...events);
      assert.equal((outcome as Appended).revision, BigInt(held.events.length - 1)); // Anything else fails the comparison.
    } else {
      assert.ok(outcome instanceof VersionConflict, String(outcome));
      assert.equal(outcome.actual, last === -1 ? 'noStream' : BigInt(last));
    }
  }
  held.first = Math.max(held.first, held.events.length - held.maxCount);
};

const isRight = (expected: Expectation, last: number): boolean =>
  expected === 'any' ||
  expected === 'right' ||
  (expected === 'noStream' ? last === -1 : expected === 'exists' && last >= 0);

const revisionFor = (expected: Expectation, last: number): ExpectedRevision => {
  if (expected === 'right') return last === -1 ? 'noStream' : BigInt(last);
  return expected === 'wrong' ? BigInt(last + 1) : expected;
};

const checkModel = async (log: EventLog, { streams }: Model, start: Position): Promise<void> => {
  const all = await wholeLog(log, start);
  for (const [stream, { events, first }] of streams) {
    const stored = await whole(log, stream);
    assert.deepEqual(ids(stored), ids(events.slice(first)));
    assert.deepEqual(
      stored.map(({ data }) => text(data)),
      events.slice(first).map(({ data }) => text(data)),
    );
    const inLog = ids(all.filter(isIn(stream)));
    assert.deepEqual(inLog.slice(inLog.length - (events.length - first)), ids(stored));
  }
};

export const someEvent = (bytes = 40): NewEvent => {
  const id = randomUUID();
  return {
    id,
    type: 'tests.Happened.v1',
    data: utf8(JSON.stringify({ id, fill: 'x'.repeat(bytes) })),
    metadata: utf8('{}'),
  };
};
export const someEvents = (count: number): readonly NewEvent[] => range(count).map(() => someEvent());
export const freshStream = (): string => `test-${randomUUID()}`;

/** Appends `count` events, a hundred at a time. */
export const fill = async (log: EventLog, stream: string, count: number): Promise<void> => {
  const sizes = range(Math.ceil(count / 100)).map((index) => Math.min(100, count - index * 100));
  await Promise.all(sizes.map((size) => log.append(stream, someEvents(size), 'any')));
};

/** The whole stream, in pages. */
export const whole = async (log: EventLog, stream: string): Promise<readonly StoredEvent[]> => {
  const events: StoredEvent[] = [];
  for (let from = 0n; ; from = (events.at(-1)?.revision ?? 0n) + 1n) {
    const page = await log.readStream(stream, { from, limit: 90 });
    if (page.length === 0) return events;
    events.push(...page);
  }
};

export const wholeLog = async (log: EventLog, start: Position, limit = 500): Promise<readonly StoredEvent[]> => {
  const events: StoredEvent[] = [];
  for (let from = start; ; from = events.at(-1)?.position ?? start) {
    const page = await log.readAll({ from, limit });
    assert.ok(page.length <= limit);
    if (page.length === 0) return events;
    events.push(...page);
  }
};

/** Subscribes at once, then listens until it has heard `count` events that it wants. */
const collect = (
  log: EventLog,
  start: Position,
  wanted: (event: StoredEvent) => boolean,
  count: number,
): Promise<readonly StoredEvent[]> => take(log.subscribe(start), wanted, count);

type Batches = AsyncIterable<readonly StoredEvent[]>;

const take = async (batches: Batches, wanted: (event: StoredEvent) => boolean, count: number) => {
  const heard: StoredEvent[] = [];
  for await (const batch of batches) {
    heard.push(...batch.filter(wanted));
    if (heard.length >= count) break;
  }
  return heard;
};

export const until = async (batches: Batches, position: Position): Promise<readonly StoredEvent[]> => {
  const heard: StoredEvent[] = [];
  for await (const batch of batches) {
    heard.push(...batch);
    if ((batch.at(-1)?.position ?? 0n) >= position) break;
  }
  return heard;
};

const drained = (batches: Batches): Promise<readonly StoredEvent[]> =>
  take(batches, () => true, Number.POSITIVE_INFINITY);

const isIn =
  (stream: string) =>
  (event: StoredEvent): boolean =>
    event.stream === stream;

const conflicts = async (log: EventLog, stream: string, expected: ExpectedRevision, actual: bigint | 'noStream') => {
  const attempt = log.append(stream, someEvents(1), expected);
  await assert.rejects(attempt, (error) => {
    assert.ok(error instanceof VersionConflict, String(error));
    assert.deepEqual([error.stream, error.expected, error.actual], [stream, expected, actual]);
    return true;
  });
};

const isInvalid = (attempt: Promise<unknown>): Promise<void> => assert.rejects(attempt, InvalidAppend);

const comparable = (event: StoredEvent) => ({ ...event, data: text(event.data), metadata: text(event.metadata) });
const text = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString('latin1');
const utf8 = (value: string): Uint8Array => new TextEncoder().encode(value);
const ids = (events: readonly { readonly id: string }[]): readonly string[] => events.map(({ id }) => id);
const revisions = (events: readonly StoredEvent[]): readonly bigint[] => events.map(({ revision }) => revision);
const range = (count: number): readonly number[] => Array.from({ length: count }, (_, index) => index);
const ascending = (a: bigint, b: bigint): number => (a < b ? -1 : a > b ? 1 : 0);
