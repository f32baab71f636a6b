import { localLeases } from '../../src/adapters/leases/local.js';
import { leasesContract } from './leases.js';

leasesContract(
  'local',
  () => {
    const leases = localLeases();
    return { node: () => leases, pass: () => undefined };
  },
  { shared: false },
);
