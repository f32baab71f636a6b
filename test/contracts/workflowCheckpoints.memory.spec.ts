import { memoryWorkflowCheckpoints } from '../support/memoryWorkflowCheckpoints.js';
import { workflowCheckpointsContract } from './workflowCheckpoints.js';

workflowCheckpointsContract(
  'memory',
  () => {
    const checkpoints = memoryWorkflowCheckpoints();
    return Promise.resolve(() => Promise.resolve(checkpoints));
  },
  { shared: true },
);
