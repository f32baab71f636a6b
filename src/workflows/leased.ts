import type { Event } from '../kernel/event.js';
import { fencedCommits } from '../kernel/fencedCommits.js';
import { raised, whileHeld, type Tenancy, type TenureNeeds } from '../kernel/tenure.js';
import { startWorkflow, workflowCheckpoint, type Workflow, type WorkflowNeeds } from './runner.js';

export type LeasedWorkflowNeeds = WorkflowNeeds &
  Omit<TenureNeeds, 'onTrouble'> & {
    /** The name of the generation on which a workflow works that belongs to documents. */
    readonly generation: string;
  };

/**
 * Runs the workflow on one node at a time. For a moment it may be two, when a node lost its lease in the middle of a
 * reaction. The commands of both have the same ids, so a command that is given twice is carried out once.
 */
export const startLeasedWorkflow = <E extends Event>(
  workflow: Workflow<E>,
  needs: LeasedWorkflowNeeds,
): Promise<Tenancy> => {
  const ofDeployment = workflowCheckpoint(workflow);
  const name = workflow.belongsTo === 'documents' ? `${ofDeployment} ${needs.generation}` : ofDeployment;
  const onTrouble = (error: unknown): void => {
    needs.alarm({ workflow: workflow.name, position: undefined, failures: 1, error });
  };
  return whileHeld(name, { ...needs, onTrouble }, async ({ fence, signal }) => {
    const ending = new AbortController();
    const end = (): void => {
      ending.abort();
    };
    const commit = fencedCommits(needs.documents, fence, end);
    const checkpoint = (projection: string) => needs.documents.checkpoint(projection);
    const running = startWorkflow(workflow, { ...needs, documents: { checkpoint, commit } });
    await raised(AbortSignal.any([signal, ending.signal]));
    await running.stop();
  });
};
