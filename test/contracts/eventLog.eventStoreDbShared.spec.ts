import assert from 'node:assert/strict';
import { after, it } from 'node:test';
import { logsAmongOthers } from '../support/eventStoreDb/logsAmongOthers.js';
import { startStandIn } from '../support/eventStoreDb/standIn.js';
import { eventLogContract } from './eventLog.js';

const { state, connectionString, kill } = await startStandIn({ others: 50_000 });
const oneReadBeforeTheEnd = state.store.log.at(-1_000)?.position ?? 0n;
after(kill);

eventLogContract(
  'EventStoreDB, over the stand-in server with 50,000 events of others',
  logsAmongOthers(connectionString),
  {
    canReopen: true,
    modelRuns: 5,
  },
);

it('EventLog: EventStoreDB, whatever the suite does, looks at next to none of what was there before', () => {
  assert.ok(state.oldestLookedAt >= oneReadBeforeTheEnd);
});
