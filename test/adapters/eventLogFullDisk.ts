import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import { lmdbEventLog } from '../../src/adapters/eventLog/lmdb.js';
import type { Millis } from '../../src/kernel/ids.js';
import { VersionConflict, type EventLog, type NewEvent } from '../../src/kernel/ports/eventLog.js';
import { fill, freshStream, someEvents, whole, wholeLog } from '../contracts/eventLog.js';

// Run as a process of its own whose files may not grow beyond a limit: that is a full disk, until the limit is lifted.
const lift = (): void => {
  execFileSync('prlimit', ['--pid', process.pid.toString(), '--fsize=unlimited']);
};

const untilFull = async (log: EventLog, stream: string): Promise<readonly (readonly NewEvent[])[]> => {
  for (;;) {
    const appends = [someEvents(90), someEvents(90), someEvents(1)];
    const outcomes = await Promise.allSettled(appends.map((events) => log.append(stream, events, 'any')));
    const failed = outcomes.filter((outcome) => outcome.status === 'rejected');
    if (failed.length === 0) continue;
    for (const { reason } of failed) assert.ok(reason instanceof Error && !(reason instanceof VersionConflict));
    return appends;
  }
};

const again = async (log: EventLog, stream: string, events: readonly NewEvent[]): Promise<bigint> => {
  for (;;) {
    try {
      return (await log.append(stream, events, 'any')).revision;
    } catch (error) {
      assert.ok(error instanceof Error && !(error instanceof VersionConflict));
      await pause(10); // The log opens again by itself; there is no event to wait for.
    }
  }
};

const run = async (folder: string): Promise<void> => {
  let log = await lmdbEventLog({ folder, now: () => Date.now() as Millis });
  const stream = freshStream();
  const lost = await untilFull(log, stream);
  const before = await whole(log, stream);
  assert.deepEqual(
    before.map(({ revision }) => revision),
    before.map((_, index) => BigInt(index)),
  );
  lift();
  for (const events of lost) await again(log, stream, events);
  await fill(log, stream, 5_000);
  const length = before.length + lost.flat().length + 5_000;
  for (let round = 0; round < 2; round += 1) {
    const stored = await whole(log, stream);
    assert.deepEqual(
      stored.map(({ revision }) => revision),
      Array.from({ length }, (_, index) => BigInt(index)),
    );
    assert.equal(new Set(stored.map(({ id }) => id)).size, length);
    assert.equal((await wholeLog(log, 0n)).length, length);
    await log.close();
    log = await lmdbEventLog({ folder, now: () => Date.now() as Millis });
  }
  await log.close();
};

await run(process.argv[2] ?? '');
