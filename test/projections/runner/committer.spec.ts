import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { commitEventsMax, committer, growMillisMax } from '../../../src/projections/runner/committer.js';
import type { Batch, FoldingEngine } from '../../../src/projections/runner/foldingEngine.js';

const empty: Batch = { writes: [], checkpoints: [], marks: [] };

/** A committer whose commits are written down; each takes until `store` is called. */
const setting = (context: TestContext) => {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const closing = new AbortController();
  const given = { commits: 0, isAwaited: false, store: (): void => undefined };
  const folding: Pick<FoldingEngine, 'nextBatch' | 'stored'> = { nextBatch: () => empty, stored: () => undefined };
  const committing = committer({
    commit: () => {
      given.commits += 1;
      return new Promise((resolve) => (given.store = resolve));
    },
    folding,
    isAwaited: () => given.isAwaited,
    onStored: () => undefined,
    patience: { signal: closing.signal, onTrouble: () => undefined },
  });
  const later = (millis: number): void => {
    context.mock.timers.tick(millis);
  };
  return { given, committing, closing, later };
};

describe('a committer', () => {
  it('lets what nobody waits for grow into one commit', (context) => {
    const { given, committing, later } = setting(context);
    void committing.folded(1);
    later(growMillisMax - 1);
    void committing.folded(1);
    assert.equal(given.commits, 0);
    later(1);
    assert.equal(given.commits, 1);
    later(growMillisMax);
    assert.equal(given.commits, 1);
  });

  it('commits at once when somebody begins to wait for what is folded', (context) => {
    const { given, committing } = setting(context);
    void committing.folded(1);
    committing.hurry();
    assert.equal(given.commits, 1);
  });

  it('commits at once what somebody waits for already', (context) => {
    const { given, committing } = setting(context);
    given.isAwaited = true;
    void committing.folded(1);
    assert.equal(given.commits, 1);
  });

  it('commits without a wait when that is as much as a commit takes', async (context) => {
    const { given, committing } = setting(context);
    void committing.folded(commitEventsMax);
    assert.equal(given.commits, 1);
    const full = committing.folded(commitEventsMax);
    given.store();
    await full;
    assert.equal(given.commits, 2);
  });

  it('stores what is left before it is idle', async (context) => {
    const { given, committing } = setting(context);
    void committing.folded(1);
    const idle = committing.idle();
    assert.equal(given.commits, 1);
    void committing.folded(1);
    given.store();
    await turn();
    given.store();
    await idle;
    assert.equal(given.commits, 2);
  });

  it('begins nothing once it is given up', async (context) => {
    const { given, committing, closing, later } = setting(context);
    void committing.folded(1);
    closing.abort();
    later(growMillisMax);
    await committing.idle();
    assert.equal(given.commits, 0);
  });
});
