import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { eventStoreDbEventLog } from '../../src/adapters/eventLog/eventStoreDb.js';
import { lmdbEventLog } from '../../src/adapters/eventLog/lmdb.js';
import { memoryEventLog } from '../../src/adapters/eventLog/memory.js';
import { copyLog } from '../../src/cli/logCopy.js';
import { logPlace } from '../../src/admin/logPlace.js';
import { beforeAll } from '../../src/kernel/event.js';
import type { Millis } from '../../src/kernel/ids.js';
import type { EventLog, StoredEvent } from '../../src/kernel/ports/eventLog.js';
import { freshStream, someEvent, someEvents, whole, wholeLog } from '../contracts/eventLog.js';
import { startStandInProcess } from '../support/eventStoreDb/process.js';
import { osmium } from './osmium.js';

const now = () => Date.now() as Millis;
const memory = (): EventLog => memoryEventLog({ now });

/** Streams that talk across each other, one with a max count that has cut something. */
const written = async (log: EventLog, count: number): Promise<{ readonly capped: string }> => {
  const [streams, capped] = [Array.from({ length: 7 }, freshStream), freshStream()];
  await log.setMaxCount(capped, 3);
  for (let index = 0; index < count; index += 1) {
    await log.append(streams[index % 7] ?? '', someEvents(1 + (index % 3)), 'any');
    if (index % 5 === 0) await log.append(capped, someEvents(1), 'any');
  }
  const bytes = Uint8Array.from({ length: 256 }, (_, index) => index);
  await log.append(streams[0] ?? '', [{ ...someEvent(), data: bytes, metadata: bytes.toReversed() }], 'any');
  return { capped };
};

const content = ({ id, type, stream, data, metadata }: StoredEvent) =>
  [id, type, stream, Buffer.from(data).toString('latin1'), Buffer.from(metadata).toString('latin1')].join(' ');

const contents = async (log: EventLog, without: string): Promise<readonly string[]> =>
  (await wholeLog(log, beforeAll)).filter(({ stream }) => stream !== without).map(content);

const options = (from: EventLog, to: EventLog) => ({
  from,
  to,
  progress: () => undefined,
  signal: new AbortController().signal,
});

const folder = (t: TestContext): string => {
  const made = mkdtempSync(join(tmpdir(), 'log-copy-'));
  t.after(() => rmSync(made, { recursive: true }));
  return made;
};

describe('the copy of a log', () => {
  it('has the ids, bytes, order and max counts of the original, and nothing that was cut', async () => {
    const [from, to] = [memory(), memory()];
    const { capped } = await written(from, 60);
    const { copied, found, verified, capped: cappedStreams } = await copyLog(options(from, to));
    assert.deepEqual([found, verified, cappedStreams], [0, copied, 1]);
    assert.deepEqual(await contents(to, capped), await contents(from, capped));
    assert.deepEqual((await whole(to, capped)).map(content), (await whole(from, capped)).map(content));
    assert.equal(await to.maxCountOf(capped), 3);
    assert.equal((await wholeLog(to, beforeAll)).filter(({ stream }) => stream === capped).length, 3);
  });

  it('copies nothing twice', async () => {
    const [from, to] = [memory(), memory()];
    await written(from, 20);
    const { copied } = await copyLog(options(from, to));
    const again = await copyLog(options(from, to));
    assert.deepEqual([again.copied, again.found, again.verified], [0, copied, copied]);
  });

  it('is refused by a target that holds something else, which stays as it was', async () => {
    const [from, to] = [memory(), memory()];
    await written(from, 20);
    await to.append(freshStream(), someEvents(1), 'noStream');
    await assert.rejects(copyLog(options(from, to)), /stands where the source has/);
    assert.equal((await wholeLog(to, beforeAll)).length, 1);
  });

  it('is refused by a target that holds more', async () => {
    const [from, to] = [memory(), memory()];
    await written(from, 20);
    await copyLog(options(from, to));
    await to.append(freshStream(), someEvents(1), 'noStream');
    await assert.rejects(copyLog(options(from, to)), /is not in the source/);
  });

  it('is found out when a byte differs', async () => {
    const [from, to, stream, event] = [memory(), memory(), freshStream(), someEvent()];
    await from.append(stream, [event], 'noStream');
    await to.append(stream, [{ ...event, data: Buffer.from('{}') }], 'noStream');
    await assert.rejects(copyLog(options(from, to)), /other bytes/);
  });
});

describe('osmium log copy', () => {
  it('goes on where it was killed, to another engine and back', async (t) => {
    const [data, back] = [folder(t), folder(t)];
    const source = await lmdbEventLog({ folder: join(data, 'log'), now });
    const { capped } = await written(source, 900);
    const original = await contents(source, capped);
    await source.close();
    const standIn = await startStandInProcess({ latencyMillis: 5 });
    t.after(() => standIn.stop());
    const { connectionString } = standIn;

    const args = ['log', 'copy', '--from', `lmdb:${data}`, '--to', connectionString];
    const killed = osmium(args);
    await killed.prints(/copying: 1000 events/);
    killed.stop('SIGKILL');
    await killed.ended;
    const there = await contentsOf(connectionString, capped);
    assert.ok(there.length > 500 && there.length < original.length, there.length.toString());
    assert.deepEqual(there, original.slice(0, there.length));

    const { code, output } = await osmium(args).ended;
    assert.equal(code, 0);
    assert.match(output, /^copied +\d+ events, [1-9]\d* were there already\nverified +\d+ events/);
    assert.deepEqual(await contentsOf(connectionString, capped), original);

    const returned = await osmium(['log', 'copy', '--from', connectionString, '--to', `lmdb:${back}`]).ended;
    assert.equal(returned.code, 0, returned.errors);
    const copy = await lmdbEventLog({ folder: join(back, 'log'), now });
    assert.deepEqual(await contents(copy, capped), original);
    assert.equal(await copy.maxCountOf(capped), 3);
    await copy.close();
  });

  it('says what is wrong, in a line, and makes no log where there was none', async (t) => {
    const [empty, to] = [folder(t), folder(t)];
    const { code, errors } = await osmium(['log', 'copy', '--from', `lmdb:${empty}`, '--to', `lmdb:${to}`]).ended;
    assert.deepEqual([code, errors.trim().split('\n').length], [1, 1]);
    assert.match(errors, /there is no log in/);
    const unknown = await osmium(['log', 'copy', '--from', 'redis://x', '--to', `lmdb:${to}`]).ended;
    assert.equal(unknown.code, 2);
  });
});

describe('the place of a log', () => {
  it('is a data folder or a server', () => {
    assert.deepEqual(logPlace('lmdb:./data'), { engine: 'lmdb', dataDir: './data' });
    for (const connectionString of ['esdb://u:p@a:2113,b:2113?tls=true', 'esdb+discover://c'])
      assert.deepEqual(logPlace(connectionString), { engine: 'eventStoreDb', connectionString });
    for (const text of ['', 'lmdb:', './data', 'esdb:', 'mongodb://x']) assert.equal(logPlace(text), undefined);
  });
});

const contentsOf = async (connectionString: string, without: string): Promise<readonly string[]> => {
  const log = await eventStoreDbEventLog({ connectionString });
  try {
    return await contents(log, without);
  } finally {
    await log.close();
  }
};
