import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { lmdbEventLog } from '../../src/adapters/eventLog/lmdb.js';
import type { Millis } from '../../src/kernel/ids.js';
import type { EventLog, NewEvent } from '../../src/kernel/ports/eventLog.js';

const stream = 'reads-1.2';

const newEvent = (): NewEvent => ({
  id: randomUUID(),
  type: 'reads.MarkerMoved.v1',
  data: Buffer.from('{}'),
  metadata: Buffer.from('{}'),
});

const open = (folder: string): Promise<EventLog> => lmdbEventLog({ folder, now: () => Date.now() as Millis });

/** Opens the log, does this with it, and closes it, which writes the index. */
const opened = async (folder: string, work: (log: EventLog) => Promise<void>): Promise<void> => {
  const log = await open(folder);
  await work(log);
  await log.close();
};

const appendUpTo = async (log: EventLog, from: number, to: number): Promise<void> => {
  for (let revision = from; revision <= to; revision += 1) {
    await log.append(stream, [newEvent()], revision === 0 ? 'noStream' : BigInt(revision - 1));
    if (revision === 0) await log.setMaxCount(stream, 1);
  }
};

const folderFor = (t: TestContext): string => {
  const folder = mkdtempSync(join(tmpdir(), 'osmium-gaps-'));
  t.after(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return join(folder, 'log');
};

/** Twice, because what was gathered in memory is read from disk the second time. */
const goesOnAt = async (folder: string, last: bigint): Promise<void> => {
  for (const revision of [last, last + 1n]) {
    await opened(folder, async (log) => {
      const read = await log.readStream(stream, { limit: 10 });
      assert.deepEqual(
        read.map((event) => event.revision),
        [revision],
      );
    });
    await opened(folder, async (log) => {
      assert.equal((await log.append(stream, [newEvent()], revision)).revision, revision + 1n);
    });
  }
};

describe('a stream whose max count has cut what the index does not know', () => {
  it('goes on where it was when the index has to be made anew', async (t) => {
    const folder = folderFor(t);
    await opened(folder, (log) => appendUpTo(log, 0, 5));
    rmSync(join(folder, 'index'), { recursive: true });
    await goesOnAt(folder, 5n);
  });

  it('goes on where it was when the index was behind, as after a crash', async (t) => {
    const folder = folderFor(t);
    await opened(folder, (log) => appendUpTo(log, 0, 2));
    cpSync(join(folder, 'index'), join(folder, 'before'), { recursive: true });
    await opened(folder, (log) => appendUpTo(log, 3, 5));
    rmSync(join(folder, 'index'), { recursive: true });
    cpSync(join(folder, 'before'), join(folder, 'index'), { recursive: true });
    await goesOnAt(folder, 5n);
  });

  it('goes on where it was when it is behind more than once', async (t) => {
    const folder = folderFor(t);
    await opened(folder, (log) => appendUpTo(log, 0, 1));
    for (const [from, to] of [
      [2, 60],
      [61, 130],
    ] as const) {
      cpSync(join(folder, 'index'), join(folder, 'before'), { recursive: true });
      await opened(folder, (log) => appendUpTo(log, from, to));
      rmSync(join(folder, 'index'), { recursive: true });
      cpSync(join(folder, 'before'), join(folder, 'index'), { recursive: true });
      rmSync(join(folder, 'before'), { recursive: true });
      await opened(folder, () => Promise.resolve());
    }
    await goesOnAt(folder, 130n);
  });
});
