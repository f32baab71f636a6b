import { it } from 'node:test';
import { logsAmongOthers } from '../support/eventStoreDb/logsAmongOthers.js';
import { eventLogContract } from './eventLog.js';

const url = process.env['EVENTSTORE_URL'] ?? '';

if (url === '') {
  it('EventLog: EventStoreDB', { skip: 'needs EVENTSTORE_URL=esdb://…; its streams get a prefix of their own' });
} else eventLogContract('EventStoreDB', logsAmongOthers(url), { canReopen: true, modelRuns: 30, isAtomic: false });
