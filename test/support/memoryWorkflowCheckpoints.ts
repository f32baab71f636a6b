import type { Position } from '../../src/kernel/event.js';
import { Fenced } from '../../src/kernel/ports/documentStore.js';
import type { WorkflowCheckpoints } from '../../src/kernel/ports/workflowCheckpoints.js';

/** Kept for as long as the process runs. */
export const memoryWorkflowCheckpoints = (): WorkflowCheckpoints => {
  const kept = new Map<string, { readonly position: Position; readonly fence: bigint }>();
  return {
    read: (name) => Promise.resolve(kept.get(name)?.position),
    // Async, so that a refusal is a rejection.
    keep: async ({ projection: name, position, fence }) => {
      const before = kept.get(name) ?? { position: 0n, fence: 0n };
      if (fence !== undefined && before.fence > fence) throw new Fenced(name);
      kept.set(name, {
        position: position > before.position ? position : before.position,
        fence: fence ?? before.fence,
      });
    },
    close: () => Promise.resolve(),
  };
};
