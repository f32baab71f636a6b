import { memoryLeaseRecords, memoryLeases } from '../../src/adapters/leases/memory.js';
import { nodeTimers } from '../support/nodeTimers.js';
import { leasesContract } from './leases.js';

leasesContract(
  'memory',
  () => {
    const [records, timers] = [memoryLeaseRecords(), nodeTimers()];
    return { node: () => memoryLeases(records, timers), pass: timers.pass };
  },
  { shared: true },
);
