import { memoryEventLog } from '../../src/adapters/eventLog/memory.js';
import type { Millis } from '../../src/kernel/ids.js';
import { eventLogContract } from './eventLog.js';

eventLogContract(
  'memory',
  () => {
    const log = memoryEventLog({ now: () => Date.now() as Millis });
    return Promise.resolve({ log, reopen: () => Promise.resolve(log), dispose: () => log.close() });
  },
  { canReopen: false, modelRuns: 100, isAtomic: true },
);
