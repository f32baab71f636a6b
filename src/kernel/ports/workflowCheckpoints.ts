import type { Position } from '../event.js';
import type { Checkpoint } from './documentStore.js';

/**
 * The places of the deployment's workflows in the log. They stand beside the leases and not with any documents: the
 * deeds of a workflow in the world are done, and do not depend on the documents that serve.
 */
export interface WorkflowCheckpoints {
  /** Undefined for a workflow that has none. */
  read(this: void, name: string): Promise<Position | undefined>;

  /**
   * Never moves a checkpoint back. Throws `Fenced` when the stored fence is higher than the one it comes with; then
   * nothing was written. Survives the death of the process when resolved; after a loss of power an older one may be there.
   */
  keep(this: void, checkpoint: Checkpoint): Promise<void>;

  close(this: void): Promise<void>;
}
