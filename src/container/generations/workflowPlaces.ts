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

/** A workflow was at events that the log does not have, and would pass over those that come in their place. */
export class WorkflowAheadOfLog extends Error {
  constructor(name: string, position: Position, end: Position) {
    super(
      `${name} is at ${position.toString()}, the log ends at ${end.toString()}: the log is an older copy; put the newer ` +
        'one back, or delete state/workflows (on MongoDB the collection osmium.workflows): workflows begin anew',
    );
    this.name = 'WorkflowAheadOfLog';
  }
}

/** Where each of the workflows keeps its checkpoint. Those that have none get one, once and before anything follows the log. Throws `WorkflowAheadOfLog`. */
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
  const there: { readonly name: string; readonly position: Position }[] = [];
  for (const workflow of workflows) {
    const name = workflowCheckpoint(workflow);
    const position = await checkpoints.read(name);
    if (position === undefined) missing.push(workflow);
    else there.push({ name, position });
  }
  // Asked after the checkpoints: another node may move them meanwhile.
  const end = await log.end();
  const ahead = there.find(({ position }) => position > end);
  if (ahead !== undefined) throw new WorkflowAheadOfLog(ahead.name, ahead.position, end);
  if (missing.length === 0) return;
  const before = await formerPositions(former, missing.map(workflowCheckpoint));
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
