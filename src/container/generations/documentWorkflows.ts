import { closedSealer } from '../../adapters/sealer/closedSealer.js';
import { eventKinds } from '../../domain/registry.js';
import { eventCodec } from '../../kernel/codec.js';
import { beforeAll, type Position } from '../../kernel/event.js';
import type { DocumentStore } from '../../kernel/ports/documentStore.js';
import type { FollowedLog } from '../../kernel/ports/eventLog.js';
import { pause } from '../../kernel/timing.js';
import type { ProjectionName } from '../../projections/registry.js';
import type { Projections } from '../../projections/runner/runner.js';
import { workflowsOfDocuments } from '../../workflows/registry.js';
import { startWorkflow, type RunningWorkflow } from '../../workflows/runner.js';

export type DocumentWorkflowsNeeds = {
  readonly log: FollowedLog;
  /** Under the lease of the build, where there is one, so nobody else works on it. */
  readonly store: DocumentStore;
  readonly running: Pick<Projections, 'reached'>;
  readonly opened: (close: () => Promise<void>) => void;
};

const lookMillis = 50;

/**
 * Starts the workflows that work on the documents of a generation, and waits for them. After the documents, since they would
 * wait for a commit at each event otherwise; before a server opens the generation, which would go through the log once more.
 */
export const documentWorkflows =
  ({ log, store, running, opened }: DocumentWorkflowsNeeds) =>
  async (end: Position, ending: AbortSignal): Promise<void> => {
    const reached = (position: Position, names: readonly ProjectionName[]) => running.reached(position, names);
    const started: RunningWorkflow[] = [];
    for (const workflow of workflowsOfDocuments({ documents: store, reached })) {
      const one = startWorkflow(workflow, {
        ...{ log, documents: store, pause, sealer: closedSealer, codec: eventCodec(eventKinds, closedSealer) },
        execute: () => Promise.reject(new Error('a workflow of documents gives no commands')),
        alarm: ({ workflow: name, error }) => {
          process.stderr.write(`osmium: the workflow ${name} failed and is tried again: ${String(error)}\n`);
        },
      });
      opened(() => one.stop());
      started.push(one);
    }
    while (!ending.aborted && started.some((one) => (one.position() ?? beforeAll) < end))
      await pause(lookMillis, ending);
  };
