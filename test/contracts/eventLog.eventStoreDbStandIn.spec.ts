import { eventStoreDbEventLog } from '../../src/adapters/eventLog/eventStoreDb.js';
import { startStandIn } from '../support/eventStoreDb/standIn.js';
import { eventLogContract, reopenable } from './eventLog.js';

eventLogContract(
  'EventStoreDB, over the stand-in server',
  async () => {
    const standIn = await startStandIn();
    const open = () => eventStoreDbEventLog({ connectionString: standIn.connectionString });
    return reopenable(open, () => {
      standIn.kill();
    });
  },
  { canReopen: true, modelRuns: 15, isAtomic: false },
);
