import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { eventStoreDbEventLog } from '../../src/adapters/eventLog/eventStoreDb.js';
import { beforeAll } from '../../src/kernel/event.js';
import { freshStream, someEvents, until, wholeLog } from '../contracts/eventLog.js';
import { logsAmongOthers } from '../support/eventStoreDb/logsAmongOthers.js';
import { writeOthers } from '../support/eventStoreDb/others.js';
import { startStandIn, type StandIn } from '../support/eventStoreDb/standIn.js';

describe('an EventStoreDB log in a database with 50,000 events of others', () => {
  let standIn: StandIn;
  before(async () => {
    standIn = await startStandIn({ others: 50_000 });
  });
  after(() => {
    standIn.kill();
  });

  it('looks at next to none of those that were there before it', async () => {
    const { state, connectionString } = standIn;
    const tenBeforeTheEnd = state.store.log.at(-10)?.position ?? beforeAll;
    const { log, reopen, dispose } = await logsAmongOthers(connectionString)();
    const readsBefore = state.seen.reads;
    assert.equal(await log.end(), beforeAll);
    assert.deepEqual(await wholeLog(log, beforeAll), []);
    assert.deepEqual(await log.readAll({ direction: 'backwards', limit: 9 }), []);
    assert.equal(state.seen.reads - readsBefore, 3);
    const { position } = await log.append(freshStream(), someEvents(3), 'noStream');
    assert.equal((await until(log.subscribe(beforeAll), position)).length, 3);
    const again = await reopen();
    assert.equal(await again.end(), position);
    assert.equal((await wholeLog(again, beforeAll)).length, 3);
    assert.ok(state.oldestLookedAt >= tenBeforeTheEnd);
    await dispose();
  });

  it('finds all of its own among what others write after it', async () => {
    const { state, connectionString } = standIn;
    const { log, dispose } = await logsAmongOthers(connectionString)();
    const stream = freshStream();
    for (const count of [1, 2]) {
      writeOthers(state.store, 1_500);
      await log.append(stream, someEvents(count), 'any');
    }
    writeOthers(state.store, 1_500);
    const stored = await log.readStream(stream, { limit: 9 });
    const [first, last] = [stored[0]?.position ?? beforeAll, stored[2]?.position ?? beforeAll];
    assert.equal(await log.end(), last);
    assert.deepEqual(await wholeLog(log, beforeAll, 2), stored);
    assert.deepEqual(await log.readAll({ direction: 'backwards', limit: 9 }), stored.toReversed());
    assert.deepEqual(await log.readAll({ from: first, direction: 'backwards', limit: 9 }), []);
    assert.deepEqual(await until(log.subscribe(beforeAll), last), stored);
    await dispose();
  });

  it('is not cut off by what others write', async () => {
    const { state, connectionString } = standIn;
    const counts: string[] = [];
    const log = await eventStoreDbEventLog({ connectionString, prefix: 'ours-', count: (what) => counts.push(what) });
    const batches = log.subscribe(beforeAll);
    const live = batches[Symbol.asyncIterator]().next();
    await log.append(freshStream(), someEvents(1), 'noStream');
    await live;
    writeOthers(state.store, 1_000);
    state.events.emit('written');
    const { position } = await log.append(freshStream(), someEvents(1), 'noStream');
    assert.equal((await until(batches, position)).length, 1);
    assert.deepEqual(counts, []);
    await log.close();
  });
});
