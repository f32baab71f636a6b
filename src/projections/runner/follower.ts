import type { Position } from '../../kernel/event.js';
import type { DocumentStore } from '../../kernel/ports/documentStore.js';
import type { Timers } from '../../kernel/ports/leases.js';
import { wakeablePauses } from '../../kernel/timing.js';
import type { Running } from '../progress/running.js';
import { hintOf } from '../progress/commitHints.js';
import { GivenUp, retrying, type Patience } from './retrying.js';
import type { ProjectionProgress } from '../progress/progress.js';

export type ProjectionFollowerNeeds = {
  readonly store: Pick<DocumentStore, 'checkpoint'>;
  readonly timers: Timers;
  readonly progress: ProjectionProgress;
  readonly patience: Patience;
  /** False while this node projects: then it knows better. */
  readonly isFollowing: () => boolean;
};

/** Keeps up with the documents that another node projects. Costs nothing while nobody waits. */
export interface ProjectionFollower {
  /** Somebody waits: asks the store now, and again until nobody does. */
  look(): void;
  /** Asks the store once. */
  read(): Promise<void>;
  /** Takes a hint of the projecting node. */
  hear(this: void, hint: Uint8Array): void;
}

/** How often the store is asked while somebody waits: at once, then at growing distances. */
export const pollMillisMin = 10;
export const pollMillisMax = 100;

/** The node that projects says that this projection has stopped there; its log says why. */
export class StoppedElsewhere extends Error {
  constructor(projection: string) {
    super(`the projection ${projection} has stopped on the node that runs it`);
    this.name = 'StoppedElsewhere';
  }
}

export const projectionFollower = (needs: ProjectionFollowerNeeds): ProjectionFollower => {
  const { store, timers, progress: standing, patience, isFollowing } = needs;
  const { running } = standing;
  let polling = false;
  const { pause, wake } = wakeablePauses(timers);

  const read = async (): Promise<void> => {
    const stored = await Promise.all(running.map(({ checkpoint }) => store.checkpoint(checkpoint)));
    if (!isFollowing()) return;
    for (const [index, one] of running.entries()) advance(one, stored[index]);
    standing.changed();
  };
  const isWanted = (): boolean => !patience.signal.aborted && isFollowing() && standing.anybodyWaits();
  const poll = async (): Promise<void> => {
    let pauseMillis = pollMillisMin;
    while (isWanted()) {
      await retrying('reading checkpoints', read, patience);
      if (!isWanted()) return;
      const woken = await pause(pauseMillis);
      pauseMillis = woken ? pollMillisMin : Math.min(2 * pauseMillis, pollMillisMax);
    }
  };
  const pollOnce = async (): Promise<void> => {
    polling = true;
    try {
      await poll();
    } catch (error) {
      if (!(error instanceof GivenUp)) throw error;
    } finally {
      polling = false;
    }
  };

  return {
    read,
    look: () => {
      if (polling) wake();
      else void pollOnce();
    },
    hear: (bytes) => {
      if (!isFollowing()) return;
      const { checkpoints, stopped } = hintOf(bytes);
      const positions = new Map(checkpoints.map(({ projection, position }) => [projection, position]));
      for (const one of running) {
        one.stopped = stopped.includes(one.checkpoint) ? { error: new StoppedElsewhere(one.name) } : undefined;
        advance(one, positions.get(one.checkpoint));
      }
      standing.changed();
      // A reader that has heard all it waited for ends the poll that it began.
      if (!standing.anybodyWaits()) wake();
    },
  };
};

const advance = (one: Running, position: Position | undefined): void => {
  if (position === undefined || position <= one.committed) return;
  one.committed = position;
  one.folded = position;
};
