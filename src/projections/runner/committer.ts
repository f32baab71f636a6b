import type { DocumentStore } from '../../kernel/ports/documentStore.js';
import type { Batch, FoldingEngine } from './foldingEngine.js';
import { GivenUp, retrying, type Patience } from './retrying.js';

/**
 * Stores the folder's batches, one commit after another: while one is under way, the next one grows. A batch that
 * nobody waits for is left to grow for a moment more, because each commit takes the disk from the log and wakes
 * threads.
 */
export interface Committer {
  /**
   * More events were folded. A promise when so much waits for the next commit that no more should be folded before it
   * has begun.
   */
  folded(events: number): Promise<void> | undefined;
  /** Resolves when all that is folded is stored, or the signal was raised. Also in the middle of a fold. */
  flush(this: void): Promise<void>;
  /** Somebody waits for events that are folded already, so the batch is not left to grow. */
  hurry(this: void): void;
  /** Stores what is left, unless the signal was raised, and waits until no commit is under way. */
  idle(): Promise<void>;
}

/** How many events wait for a commit before folding waits as well. */
export const commitEventsMax = 2_000;
/** How long folded events grow into one commit when nobody waits for them: nobody notices but the disk. */
export const growMillisMax = 50;

export type BatchCommitterNeeds = {
  readonly commit: DocumentStore['commit'];
  readonly folding: Pick<FoldingEngine, 'nextBatch' | 'stored'>;
  /** Whether somebody waits for nothing but the storing of folded events. */
  readonly isAwaited: () => boolean;
  /** The batch is stored. */
  readonly onStored: (batch: Batch) => void;
  readonly patience: Patience;
};

export const committer = (needs: BatchCommitterNeeds): Committer => {
  const { folding, onStored, patience } = needs;
  let underWay: Promise<void> | undefined;
  let waitingEvents = 0;
  const { grow, ripen } = growth(() => {
    hurry();
  });

  const begin = (): void => {
    ripen();
    waitingEvents = 0;
    const batch = folding.nextBatch();
    underWay = batch === undefined ? undefined : commit(batch);
  };
  const commit = async (batch: Batch): Promise<void> => {
    try {
      await retrying('storing documents', () => needs.commit(batch.writes, batch.checkpoints), patience);
      folding.stored(batch);
      onStored(batch);
    } catch (error) {
      if (!(error instanceof GivenUp)) throw error;
    }
    underWay = undefined;
    if (!patience.signal.aborted && waitingEvents > 0) beginOrGrow();
  };
  const beginOrGrow = (): void => {
    if (waitingEvents >= commitEventsMax || needs.isAwaited()) begin();
    else grow();
  };
  const hurry = (): void => {
    // Events that come while a commit is under way are looked at when that ends.
    if (underWay === undefined && waitingEvents > 0 && !patience.signal.aborted) begin();
  };
  const settled = async (): Promise<void> => {
    while (underWay !== undefined) await underWay;
  };
  patience.signal.addEventListener('abort', ripen);

  return {
    folded: (events) => {
      waitingEvents += events;
      if (underWay === undefined) beginOrGrow();
      return waitingEvents >= commitEventsMax ? underWay : undefined;
    },
    hurry,
    flush: async () => {
      await settled();
      if (!patience.signal.aborted) begin();
      await settled();
    },
    idle: async () => {
      patience.signal.removeEventListener('abort', ripen);
      hurry();
      while (underWay !== undefined) {
        await underWay;
        hurry();
      }
      ripen();
    },
  };
};

type Growth = { readonly grow: () => void; readonly ripen: () => void };

/** The moment for which a batch is left to grow. */
const growth = (isOver: () => void): Growth => {
  let growing: NodeJS.Timeout | undefined;
  return {
    grow: () => {
      growing ??= setTimeout(isOver, growMillisMax);
    },
    ripen: () => {
      clearTimeout(growing);
      growing = undefined;
    },
  };
};
