import assert from 'node:assert/strict';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { keptStatements, statementsMax } from '../../../src/adapters/presence/keptStatements.js';
import { localPresence, stoppedMillisMax } from '../../../src/adapters/presence/local.js';
import { presenceFile, type SavedPresence } from '../../../src/adapters/presence/presenceFile.js';
import { presenceSeal } from '../../../src/adapters/sealer/presenceSeal.js';
import { memoryVault } from '../../../src/adapters/vault/memory.js';
import type { Millis, SessionId, UserId } from '../../../src/kernel/ids.js';
import { statedMillisMax, type StatedPresence } from '../../../src/kernel/ports/presence.js';
import { passingTime } from '../../gateway/presence/passingTime.js';
import { freshFolder } from '../../support/dataFolders.js';

const [user, session, at] = [1n as UserId, 11n as SessionId, 1_000_000 as Millis];
const said: StatedPresence = {
  ...{ user, session, at },
  status: 'idle',
  activities: [{ title: 'Chess', type: 0, startTime: 5n, endTime: 6n }],
};
const saved: SavedPresence = {
  at,
  sessions: [{ user, session, status: 'idle', activities: said.activities, lastActive: at }],
  statements: [[said, statedMillisMax]],
};

const fileIn = async (t: TestContext) => {
  const path = join(freshFolder(t), 'presence.sealed');
  const file = presenceFile(path, await presenceSeal(memoryVault()));
  await file.save(saved);
  return { path, ...file };
};

describe('the file of presence', () => {
  it('gives what was saved, once, and shows nobody else anything of it', async (t) => {
    const { path, take } = await fileIn(t);
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.doesNotMatch(readFileSync(path, 'utf8'), /idle|Chess/);
    assert.deepEqual([await take(), await take()], [saved, undefined]);
  });

  it('gives nothing where it is damaged, and is gone', async (t) => {
    for (const damage of [(text: string) => text.slice(0, -5), () => 'garbage', () => '']) {
      const { path, take } = await fileIn(t);
      writeFileSync(path, damage(readFileSync(path, 'utf8')));
      assert.equal(await take(), undefined);
      assert.equal(statSync(path, { throwIfNoEntry: false }), undefined);
    }
  });

  it('gives nothing under the key of another deployment', async (t) => {
    const { path } = await fileIn(t);
    assert.equal(await presenceFile(path, await presenceSeal(memoryVault())).take(), undefined);
  });
});

/** Who is connected, and what was said, at the beginning of a process so long after the one before. */
const begunAfter = async (millis: number) => {
  const clock = { now: () => (at + millis) as Millis };
  const presence = localPresence({ timers: passingTime(), clock, saved, onError: assert.ifError });
  const [connected = []] = await presence.of([user]);
  return [connected.length, await presence.kept(user, session)];
};

describe('presence of the process before', () => {
  it('is shown on after a short stop, and what was said is kept for ten minutes', async () => {
    assert.deepEqual(await begunAfter(stoppedMillisMax), [1, said]);
    assert.deepEqual(await begunAfter(stoppedMillisMax + 1), [0, said]);
    assert.deepEqual(await begunAfter(statedMillisMax), [0, undefined]);
  });
});

describe('statements that are kept', () => {
  it('are so many at most, the newest', () => {
    const kept = keptStatements(() => 0);
    for (let one = 0; one <= statementsMax; one += 1) kept.keep({ ...said, session: BigInt(one) as SessionId });
    assert.deepEqual([kept.of(0n as SessionId), [...kept.all()].length], [undefined, statementsMax]);
  });
});
