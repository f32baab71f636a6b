import type { FreeDisk } from '../../gateway/operations/freeDisk.js';
import type { Position } from '../../kernel/event.js';
import type { FollowedLog } from '../../kernel/ports/eventLog.js';
import { lookMillis } from '../../kernel/ports/leases.js';
import { raised } from '../../kernel/tenure.js';
import { pause } from '../../kernel/timing.js';
import type { Projections } from '../../projections/runner/runner.js';

/** The build cannot go on. Documents and checkpoints are kept, and the generation that serves was not touched. */
export class BuildStopped extends Error {
  constructor(generation: string, why: string) {
    super(`the build of ${generation} was stopped: ${why}`);
    this.name = 'BuildStopped';
  }
}

export type BuildEndNeeds = {
  readonly running: Pick<Projections, 'reached'>;
  readonly log: Pick<FollowedLog, 'end'>;
  readonly disk: Pick<FreeDisk, 'mayBuild'>;
  /** Called once the documents hold all that was in the log. Resolves when the workflows on them have come there as well. */
  readonly finished: (end: Position, ending: AbortSignal) => Promise<void>;
  /** Goes on when all that is in the log is in the documents. */
  readonly follow: boolean;
  /** Somebody stops it. */
  readonly signal: AbortSignal;
};

/** Resolves when the build is over. Rejects when a projection has stopped. */
export const buildEnd = async (needs: BuildEndNeeds): Promise<'built' | 'stopped' | 'disk full'> => {
  const ending = new AbortController();
  const { signal } = needs;
  const catchingUp = caughtUp(needs, ending.signal);
  // Its outcome is dropped when another one came first.
  catchingUp.catch(() => undefined);
  try {
    return await Promise.race([
      raised(signal).then(() => 'stopped' as const),
      fullDisk(needs, ending.signal),
      catchingUp,
    ]);
  } finally {
    ending.abort();
  }
};

/** Never resolves where there is room. */
const fullDisk = async ({ disk }: BuildEndNeeds, ending: AbortSignal): Promise<'disk full'> => {
  while (!ending.aborted && disk.mayBuild()) await pause(lookMillis, ending);
  return 'disk full';
};

const caughtUp = async (needs: BuildEndNeeds, ending: AbortSignal): Promise<'built'> => {
  const { running, log, follow, finished } = needs;
  const end = await log.end();
  await running.reached(end);
  await finished(end, ending);
  while (follow) {
    await pause(lookMillis, ending);
    ending.throwIfAborted();
    await running.reached(await log.end());
  }
  return 'built';
};
