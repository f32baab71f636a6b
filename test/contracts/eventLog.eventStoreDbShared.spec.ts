import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { logsAmongOthers } from '../support/eventStoreDb/logsAmongOthers.js';
import { startStandIn } from '../support/eventStoreDb/standIn.js';
import { eventLogContract } from './eventLog.js';

const { state, connectionString, kill } = await startStandIn({ others: 50_000 });
const onePageBeforeTheEnd = state.store.log.at(-1_000)?.position ?? 0n;

describe('EventLog: EventStoreDB, over the stand-in server, among 50,000 events of others', () => {
  after(kill);

  eventLogContract('EventStoreDB', logsAmongOthers(connectionString), {
    canReopen: true,
    modelRuns: 5,
    isAtomic: false,
  });

  it('has looked at next to none of what was there before', () => {
    assert.ok(state.oldestLookedAt >= onePageBeforeTheEnd);
  });
});
