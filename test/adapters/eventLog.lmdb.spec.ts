import assert from 'node:assert/strict';
import { execFile, spawn, spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { lmdbEventLog } from '../../src/adapters/eventLog/lmdb.js';
import type { Millis } from '../../src/kernel/ids.js';
import { DamagedRecord, type EventLog, type StoredEvent } from '../../src/kernel/ports/eventLog.js';
import { fill, freshStream, someEvent, someEvents, whole, wholeLog } from '../contracts/eventLog.js';

/** Hundreds are worth while after a change to the adapter. */
const killRounds = Number(process.env['EVENT_LOG_KILL_ROUNDS'] ?? 5);

const folders: string[] = [];
const freshFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'event-log-'));
  folders.push(folder);
  return folder;
};
const open = (folder: string): Promise<EventLog> => lmdbEventLog({ folder, now: () => Date.now() as Millis });
const script = (name: string): string => join(import.meta.dirname, name);

describe('EventLog: LMDB only', () => {
  after(() => {
    for (const folder of folders) rmSync(folder, { recursive: true });
  });

  it(`has every acknowledged append, once and whole, after ${killRounds.toString()} kills`, async () => {
    const folder = freshFolder();
    const acknowledged: Acknowledged[] = [];
    for (let round = 0; round < killRounds; round += 1) {
      acknowledged.push(...(await appendUntilKilled(folder, randomInt(1, 400))));
      const log = await open(folder);
      await checkAll(log, acknowledged);
      await log.close();
    }
  });

  const canTrace = spawnSync('strace', ['-o', '/dev/null', 'true']).status === 0;
  it('acknowledges nothing before it is synced', { skip: !canTrace && 'needs strace' }, async () => {
    const calls = await tracedAppends(freshFolder());
    let unsynced = false;
    for (const call of calls) {
      if (call.includes('log/data.mdb')) unsynced = !call.includes('fdatasync') && (unsynced || isOfData(call));
      else assert.ok(!unsynced, 'an acknowledgement before its sync');
    }
    assert.ok(calls.some(isAcknowledgement));
  });

  it('reports a flipped bit in any byte of a record, with its position', async () => {
    const folder = freshFolder();
    const { position, stream, record } = await logWithRecord(folder);
    const file = join(folder, 'log', 'data.mdb');
    const intact = readFileSync(file);
    const copies = occurrences(intact, record);
    assert.ok(copies.length > 0);
    for (let byte = 0; byte < record.length; byte += 1) {
      const flipped = Buffer.from(intact);
      for (const copy of copies) flipped[copy + byte] = (flipped[copy + byte] ?? 0) ^ (1 << randomInt(8));
      writeFileSync(file, flipped);
      await reportsDamage(folder, stream, position);
    }
    writeFileSync(file, intact);
    const log = await open(folder);
    assert.equal((await whole(log, stream)).length, 3);
    await log.close();
  });

  const hasLimits = spawnSync('prlimit', ['--version']).status === 0;
  it(
    'rejects what a full disk loses, and goes on when there is room',
    { skip: !hasLimits && 'needs prlimit' },
    async () => {
      const limited = 'trap "" XFSZ; ulimit -S -f 2048; exec "$0" "$@"';
      const run = promisify(execFile);
      await run('bash', ['-c', limited, process.execPath, script('eventLogFullDisk.js'), freshFolder()]);
    },
  );

  it('does not grow for ever by a stream with a max count', async () => {
    const folder = freshFolder();
    const log = await open(folder);
    const stream = freshStream();
    await log.append(stream, someEvents(3), 'noStream');
    await log.setMaxCount(stream, 1);
    for (let index = 0; index < 1_500; index += 1) {
      await Promise.all([1, 2, 3].map(() => log.append(stream, [someEvent(1_000)], 'any')));
    }
    assert.ok((await wholeLog(log, 0n)).length < 20);
    await log.close();
    // What was written is five megabytes.
    assert.ok(bytesOf(folder) < 1_000_000, `${bytesOf(folder).toString()} bytes`);
  });

  it('builds its index again when that is gone', async () => {
    const folder = freshFolder();
    const first = await open(folder);
    const [stream, events] = [freshStream(), someEvents(5)];
    const appended = await first.append(stream, events, 'noStream');
    await fill(first, stream, 20_000);
    await first.close();
    rmSync(join(folder, 'index'), { recursive: true });
    const log = await open(folder);
    assert.equal((await whole(log, stream)).length, 20_005);
    assert.deepEqual(await log.append(stream, events, 'any'), appended);
    await log.close();
  });

  it('opens at once however long the log is', async () => {
    const folder = freshFolder();
    const log = await open(folder);
    for (let index = 0; index < 10; index += 1) await fill(log, freshStream(), 10_000);
    await log.close();
    const start = performance.now();
    const again = await open(folder);
    const millis = performance.now() - start;
    assert.equal((await again.readAll({ direction: 'backwards', limit: 1 }))[0]?.position, 100_000n);
    await again.close();
    assert.ok(millis < 100, `${millis.toString()} ms`);
  });

  it('gives live subscribers the same objects', async () => {
    const log = await open(freshFolder());
    const [one, other] = [1, 2].map(() => firstOf(log));
    await log.append(freshStream(), someEvents(1), 'noStream');
    const heard = await one;
    assert.ok(heard !== undefined && heard === (await other));
    await log.close();
  });
});

const firstOf = async (log: EventLog): Promise<StoredEvent | undefined> => {
  for await (const [event] of log.subscribe(0n)) return event;
  return undefined;
};

type Acknowledged = {
  readonly stream: string;
  readonly revision: bigint;
  readonly position: bigint;
  readonly id: string;
  readonly count: number;
};

/** Lets a process append, kills it at its n-th acknowledgement, and gives all that it acknowledged. */
const appendUntilKilled = async (folder: string, acknowledgements: number): Promise<readonly Acknowledged[]> => {
  const child = spawn(process.execPath, [script('eventLogAppender.js'), folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const acknowledged: Acknowledged[] = [];
  for await (const line of createInterface(child.stdout)) {
    const [stream = '', revision = '', position = '', id = '', count = ''] = line.split(' ');
    // The line in which the kill fell may be cut.
    if (count === '') continue;
    acknowledged.push({ stream, revision: BigInt(revision), position: BigInt(position), id, count: Number(count) });
    if (acknowledged.length === acknowledgements) child.kill('SIGKILL');
  }
  assert.ok(acknowledged.length >= acknowledgements);
  return acknowledged;
};

/** The system calls by which a process writes to the log and says what it has acknowledged, in their order. */
const tracedAppends = async (folder: string): Promise<readonly string[]> => {
  const trace = join(folder, 'trace');
  const options = ['-f', '-y', '-e', 'trace=write,writev,pwrite64,pwritev,fdatasync', '-o', trace];
  await promisify(execFile)('strace', [...options, process.execPath, script('eventLogAppender.js'), folder, '100']);
  return wholeCalls(readFileSync(trace, 'utf8').split('\n')).filter(
    (call) => call.includes('log/data.mdb') || isAcknowledgement(call),
  );
};

const isAcknowledgement = (call: string): boolean => call.includes('write(1<');

/**
 * When another thread cuts in, strace tells of a call twice: `<unfinished ...>` and, later, `resumed` with the result.
 * A call to a file counts from when it has returned, an acknowledgement from when it began.
 */
const wholeCalls = (lines: readonly string[]): readonly string[] => {
  const begun = new Map<string, string>();
  return lines.flatMap((line) => {
    const thread = line.split(' ', 1)[0] ?? '';
    const start = /^(.*) <unfinished \.\.\.>$/.exec(line)?.[1];
    const rest = /<\.\.\. \w+ resumed>(.*)$/.exec(line)?.[1];
    if (rest !== undefined) return [(begun.get(thread) ?? '') + rest].filter((call) => !isAcknowledgement(call));
    if (start === undefined) return [line];
    begun.set(thread, start);
    return isAcknowledgement(start) ? [start] : [];
  });
};

/** The page that names the newest commit is 128 bytes, written through a handle that syncs by itself. */
const isOfData = (call: string): boolean => !call.endsWith('= 128');

const checkAll = async (log: EventLog, acknowledged: readonly Acknowledged[]): Promise<void> => {
  const all = await wholeLog(log, 0n);
  const byId = new Map(all.map((event) => [event.id, event]));
  assert.equal(byId.size, all.length);
  for (const { stream, revision, position, id } of acknowledged) {
    const event = byId.get(id);
    assert.ok(event, `an acknowledged event of ${stream} is gone`);
    assert.deepEqual([event.stream, event.revision, event.position], [stream, revision, position]);
  }
  // Appends to a stream have 1, 2, 3 … events: one that is stored in part leaves a length that no sum of those has.
  const byStream = new Map<string, StoredEvent[]>();
  for (const event of all) byStream.set(event.stream, [...(byStream.get(event.stream) ?? []), event]);
  for (const [stream, events] of byStream) {
    assert.deepEqual(
      events.map(({ revision }) => revision),
      events.map((_, index) => BigInt(index)),
    );
    assert.ok(isTriangular(events.length), `${events.length.toString()} events in ${stream}`);
    const read = await whole(log, stream);
    assert.deepEqual(read, events);
  }
  assert.equal(await log.end(), all.at(-1)?.position ?? 0n);
};

const isTriangular = (length: number): boolean => Number.isInteger((Math.sqrt(8 * length + 1) - 1) / 2);

/** A log whose middle event of three has a record whose bytes are known, and something after it. */
const logWithRecord = async (folder: string) => {
  const log = await open(folder);
  const stream = freshStream();
  const event = { ...someEvent(), metadata: Buffer.from('{"actor":"5"}') };
  await log.append(stream, [someEvent(), event, someEvent()], 'noStream');
  await log.append(freshStream(), someEvents(3), 'noStream');
  const position = (await whole(log, stream))[1]?.position ?? 0n;
  await log.close();
  const data = readFileSync(join(folder, 'log', 'data.mdb'));
  const body = Buffer.concat([Buffer.from(stream + event.type), event.metadata, event.data]);
  const start = data.indexOf(body) - headerBytes;
  return { stream, position, record: data.subarray(start, start + headerBytes + body.length) };
};

/** Of a record, see `record.ts`. */
const headerBytes = 60;

const occurrences = (bytes: Buffer, wanted: Buffer): readonly number[] => {
  const found: number[] = [];
  for (let at = bytes.indexOf(wanted); at !== -1; at = bytes.indexOf(wanted, at + 1)) found.push(at);
  return found;
};

const reportsDamage = async (folder: string, stream: string, position: bigint): Promise<void> => {
  const log = await open(folder);
  const isReported = (error: unknown): boolean => error instanceof DamagedRecord && error.position === position;
  await assert.rejects(log.readAll({ limit: 10 }), isReported);
  await assert.rejects(log.readAll({ from: position + 1n, direction: 'backwards', limit: 1 }), isReported);
  await assert.rejects(log.readStream(stream, { limit: 10 }), isReported);
  await assert.rejects(firstOf(log), isReported);
  await log.close();
};

const bytesOf = (folder: string): number =>
  statSync(join(folder, 'log', 'data.mdb')).size + statSync(join(folder, 'index', 'data.mdb')).size;
