import { availableParallelism } from 'node:os';
import type { BuildWishes } from '../../admin/projections.js';

/** The first worker has all documents of many streams, so more than a few wait for it. */
const workersDefaultMax = 4;

/** One for each core. A projection of the operator's own has one process, so one worker feeds it. */
export const workersFor = ({ workers, module }: Pick<BuildWishes, 'workers' | 'module'>): number => {
  if (module !== undefined) return 1;
  return workers ?? Math.min(workersDefaultMax, availableParallelism());
};
