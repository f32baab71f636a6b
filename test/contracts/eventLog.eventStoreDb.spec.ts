import { randomUUID } from 'node:crypto';
import { it } from 'node:test';
import { eventStoreDbEventLog } from '../../src/adapters/eventLog/eventStoreDb.js';
import { eventLogContract, reopenable } from './eventLog.js';

const url = process.env['EVENTSTORE_URL'] ?? '';

if (url === '') {
  it('EventLog: EventStoreDB', { skip: 'needs EVENTSTORE_URL=esdb://…; its streams get a prefix of their own' });
} else {
  eventLogContract(
    'EventStoreDB',
    () => {
      const prefix = `contract-${randomUUID()}-`;
      return reopenable(() => eventStoreDbEventLog({ connectionString: url, prefix }));
    },
    { canReopen: true, modelRuns: 30 },
  );
}
