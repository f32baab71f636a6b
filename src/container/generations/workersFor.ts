import { availableParallelism } from 'node:os';
import type { BuildWishes } from '../../admin/projections.js';

/** The first worker has all documents of many streams, so more than a few wait for it. */
const workersDefaultMax = 4;

/**
 * One for each two cores, because collecting garbage and writing take a second one beside each worker. A projection of the
 * operator's own has one process, so one worker feeds it.
 */
export const workersFor = ({ workers, module }: Pick<BuildWishes, 'workers' | 'module'>): number => {
  if (module !== undefined) return 1;
  return workers ?? Math.max(1, Math.min(workersDefaultMax, Math.floor(availableParallelism() / 2)));
};
