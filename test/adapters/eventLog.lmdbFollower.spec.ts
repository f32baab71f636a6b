import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { lmdbEventLog } from '../../src/adapters/eventLog/lmdb.js';
import { lmdbLogFollower } from '../../src/adapters/eventLog/lmdbFollower.js';
import { beforeAll } from '../../src/kernel/event.js';
import type { Millis } from '../../src/kernel/ids.js';
import { DamagedRecord } from '../../src/kernel/ports/eventLog.js';
import { freshStream, someEvent } from '../contracts/eventLog.js';

it('a log that another process writes tells its followers of a damaged record', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'followed-log-'));
  t.after(() => {
    rmSync(folder, { recursive: true });
  });
  const log = await lmdbEventLog({ folder, now: () => 0 as Millis });
  const stream = freshStream();
  const { position } = await log.append(stream, [someEvent(), someEvent()], 'noStream');
  await log.close();

  const follower = lmdbLogFollower(folder);
  const following = follower.subscribe(beforeAll)[Symbol.asyncIterator]();
  const first = await following.next();
  assert.deepEqual(first.done === true ? [] : first.value.map((event) => event.position), [position - 1n, position]);

  flipByteIn(join(folder, 'log', 'data.mdb'), stream);
  await assert.rejects(
    () => following.next(),
    (error) => error instanceof DamagedRecord && error.position === position,
  );
  await follower.close();
});

/** In the newest record of the stream, in place, as the disk would do it. */
const flipByteIn = (path: string, stream: string): void => {
  const bytes = readFileSync(path);
  const file = openSync(path, 'r+');
  const at = bytes.lastIndexOf(stream);
  assert.ok(at > 0);
  writeSync(file, Buffer.of((bytes[at] ?? 0) ^ 1), 0, 1, at);
  closeSync(file);
};
