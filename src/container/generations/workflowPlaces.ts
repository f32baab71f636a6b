import { beforeAll, type Position } from '../../kernel/event.js';
import type { DocumentStore } from '../../kernel/ports/documentStore.js';
import type { EventLog } from '../../kernel/ports/eventLog.js';
import type { FormerDocuments } from '../../kernel/ports/generations.js';
import type { WorkflowCheckpoints } from '../../kernel/ports/workflowCheckpoints.js';
import type { AnyWorkflow } from '../../workflows/registry.js';
import { workflowCheckpoint, type WorkflowNeeds } from '../../workflows/runner.js';

export type WorkflowPlaceNeeds = {
  readonly checkpoints: WorkflowCheckpoints;
  /** The generation that serves. */
  readonly documents: DocumentStore;
  /** Where releases without generations kept the checkpoints of workflows. */
  readonly former: FormerDocuments;
  readonly log: Pick<EventLog, 'end'>;
};

/** Where each of the workflows keeps its checkpoint. Those that have none get one, once and before anything follows the log. */
export const workflowPlaces = async (
  needs: WorkflowPlaceNeeds,
  workflows: readonly AnyWorkflow[],
): Promise<(workflow: AnyWorkflow) => WorkflowNeeds['documents']> => {
  const { checkpoints, documents } = needs;
  await placed(
    needs,
    workflows.filter(({ belongsTo }) => belongsTo === 'deployment'),
  );
  const ofDeployment: WorkflowNeeds['documents'] = {
    checkpoint: async (name) => (await checkpoints.read(name)) ?? beforeAll,
    commit: async (_, marks) => {
      for (const mark of marks) await checkpoints.keep(mark);
    },
  };
  return ({ belongsTo }) => (belongsTo === 'deployment' ? ofDeployment : documents);
};

const placed = async (
  { checkpoints, former, log }: WorkflowPlaceNeeds,
  workflows: readonly AnyWorkflow[],
): Promise<void> => {
  const missing: AnyWorkflow[] = [];
  for (const workflow of workflows) {
    if ((await checkpoints.read(workflowCheckpoint(workflow))) === undefined) missing.push(workflow);
  }
  if (missing.length === 0) return;
  const before = await formerPositions(former, missing.map(workflowCheckpoint));
  const end = await log.end();
  for (const workflow of missing) {
    const projection = workflowCheckpoint(workflow);
    const beginning = workflow.begins === 'start' ? beforeAll : end;
    await checkpoints.keep({ projection, position: before.get(projection) ?? beginning });
  }
};

/** Opens the documents as they are, so nothing of them is changed. */
const formerPositions = async (
  former: FormerDocuments,
  names: readonly string[],
): Promise<ReadonlyMap<string, Position>> => {
  const positions = new Map<string, Position>();
  if (!(await former.isThere())) return positions;
  const documents = former.documents();
  try {
    await documents.open(await documents.collections());
    for (const name of names) {
      const position = await documents.checkpoint(name);
      if (position > beforeAll) positions.set(name, position);
    }
  } finally {
    await documents.close();
  }
  return positions;
};
