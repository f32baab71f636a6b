import { fileWorkflowCheckpoints } from '../../src/adapters/documents/workflowCheckpoints/files.js';
import { freshFolder } from '../support/dataFolders.js';
import { workflowCheckpointsContract } from './workflowCheckpoints.js';

workflowCheckpointsContract(
  'files',
  (t) => {
    const folder = freshFolder(t);
    return Promise.resolve(() => Promise.resolve(fileWorkflowCheckpoints(folder)));
  },
  { shared: false },
);
