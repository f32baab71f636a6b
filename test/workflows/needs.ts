import type { WorkflowAlarm, WorkflowNeeds } from '../../src/workflows/runner.js';
import type { Kernel } from '../support/house/kernel.js';

/** What a workflow runs on, without pauses. An alarm fails the test. */
export const needsOn = (
  { log, codec, sealer, store, execute }: Pick<Kernel, 'log' | 'codec' | 'sealer' | 'store' | 'execute'>,
  changes: Partial<WorkflowNeeds> = {},
) => ({
  log,
  codec,
  sealer,
  documents: store,
  execute,
  pause: () => Promise.resolve(),
  alarm: ({ error }: WorkflowAlarm) => {
    throw error;
  },
  ...changes,
});
