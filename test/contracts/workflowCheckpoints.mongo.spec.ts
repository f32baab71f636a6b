import { mongoWorkflowCheckpoints } from '../../src/adapters/documents/workflowCheckpoints/mongo.js';
import { dropCollections, freshName, mongoUrl as url, needsMongo } from '../support/mongoServer.js';
import { workflowCheckpointsContract } from './workflowCheckpoints.js';

workflowCheckpointsContract(
  'mongo',
  (t) => {
    const prefix = freshName();
    t.after(() => dropCollections(prefix));
    return Promise.resolve(() => mongoWorkflowCheckpoints({ url, prefix }));
  },
  { shared: true, skip: url === '' && needsMongo },
);
