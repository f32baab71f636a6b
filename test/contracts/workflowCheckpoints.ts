import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { WorkflowCheckpoints } from '../../src/kernel/ports/workflowCheckpoints.js';

export type WorkflowCheckpointsOptions = {
  /** Whether other processes keep them too, so that fences are compared. */
  readonly shared: boolean;
  readonly skip?: string | false;
};

export const workflowCheckpointsContract = (
  name: string,
  /** Several times for one test: what the next process finds. */
  open: (t: TestContext) => Promise<() => Promise<WorkflowCheckpoints>>,
  { shared, skip = false }: WorkflowCheckpointsOptions,
): void => {
  describe(`checkpoints of workflows: ${name}`, { skip }, () => {
    it('are there for the next process, each under its name', async (t) => {
      const opened = await open(t);
      const first = await opened();
      assert.equal(await first.read('workflow.a b'), undefined);
      await first.keep({ projection: 'workflow.a b', position: 0n });
      assert.equal(await first.read('workflow.a b'), 0n);
      await first.keep({ projection: 'workflow.a b', position: 2n ** 60n });
      await first.keep({ projection: 'workflow.c', position: 7n });
      await first.close();
      const second = await opened();
      assert.deepEqual(
        [await second.read('workflow.a b'), await second.read('workflow.c'), await second.read('workflow.d')],
        [2n ** 60n, 7n, undefined],
      );
      await second.close();
    });

    it('never move back', async (t) => {
      const checkpoints = await (await open(t))();
      for (const position of [5n, 3n, 6n, 4n]) await checkpoints.keep({ projection: 'workflow.a', position });
      assert.equal(await checkpoints.read('workflow.a'), 6n);
      await checkpoints.close();
    });

    it('are refused from a former holder of the lease', { skip: !shared }, async (t) => {
      const checkpoints = await (await open(t))();
      await checkpoints.keep({ projection: 'workflow.a', position: 5n, fence: 2n });
      await assert.rejects(checkpoints.keep({ projection: 'workflow.a', position: 6n, fence: 1n }), { name: 'Fenced' });
      assert.equal(await checkpoints.read('workflow.a'), 5n);
      await checkpoints.keep({ projection: 'workflow.a', position: 7n, fence: 3n });
      assert.equal(await checkpoints.read('workflow.a'), 7n);
      await checkpoints.close();
    });
  });
};
