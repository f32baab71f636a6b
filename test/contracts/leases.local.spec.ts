import { localLeases } from '../../src/adapters/leases/local.js';
import { memoryIdMark } from '../../src/adapters/leases/memoryIdMark.js';
import { leasesContract } from './leases.js';

leasesContract(
  'local',
  () => {
    const leases = localLeases(memoryIdMark());
    return { node: () => leases, pass: () => undefined };
  },
  { shared: false },
);
