import type { WorkflowCheckpoints } from '../../../kernel/ports/workflowCheckpoints.js';
import { checkFences, writeCheckpoints } from '../mongo/checkpoints.js';
import type { CheckpointRecord } from '../mongo/schema.js';
import { connectMongo, databaseIn } from '../../mongo/connection.js';

export type MongoWorkflowCheckpointsOptions = {
  /** `mongodb://…` or `mongodb+srv://…`. Its path names the database; without one it is `osmium`. */
  readonly url: string;
  /** Stands before the name of the collection. */
  readonly prefix?: string;
};

/** How long the server is waited for; the workflow tries again after that. */
export const operationMillisMax = 10_000;
const connectionsMax = 4;

/** In a collection beside the leases. Rejects when the server cannot be reached. */
export const mongoWorkflowCheckpoints = async ({
  url,
  prefix = '',
}: MongoWorkflowCheckpointsOptions): Promise<WorkflowCheckpoints> => {
  const appName = 'osmium workflows';
  const { client, readConcern } = await connectMongo({ url, appName, connectionsMax, operationMillisMax });
  const records = client
    .db(databaseIn(url))
    .collection<CheckpointRecord>(`${prefix}osmium.workflows`, { readConcern, useBigInt64: true });
  const reading = { maxTimeMS: operationMillisMax };
  return {
    read: async (name) => (await records.findOne({ _id: name }, reading))?._p,
    keep: async (checkpoint) => {
      await checkFences(records, [checkpoint], reading);
      await writeCheckpoints(records, [checkpoint], reading);
    },
    close: () => client.close(),
  };
};
