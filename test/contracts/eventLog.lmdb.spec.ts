import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lmdbEventLog } from '../../src/adapters/eventLog/lmdb.js';
import type { Millis } from '../../src/kernel/ids.js';
import { eventLogContract, reopenable } from './eventLog.js';

const now = () => Date.now() as Millis;

eventLogContract(
  'LMDB',
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'event-log-'));
    return reopenable(
      () => lmdbEventLog({ folder, now }),
      () => rm(folder, { recursive: true }),
    );
  },
  { canReopen: true, modelRuns: 60, isAtomic: true },
);
