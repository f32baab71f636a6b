import {
  batchEventsMax,
  DamagedRecord,
  type FollowedLog,
  type StoredEvent,
  type Subscription,
} from '../../kernel/ports/eventLog.js';
import { nextTurn } from '../../kernel/timing.js';
import type { Committer } from './committer.js';
import { decoded, type Decoding } from './decoding.js';
import type { FoldingEngine } from './foldingEngine.js';
import { GivenUp, pauseAfter, type Patience } from './retrying.js';
import { lowestCommitted } from '../progress/waiters.js';

export type EventReaderNeeds = {
  readonly log: FollowedLog;
  readonly folding: FoldingEngine;
  readonly committing: Committer;
  /** Events were folded. */
  readonly onFolded: () => void;
  readonly decoding: Decoding;
  readonly patience: Patience;
};

/**
 * Reads the log from the lowest checkpoint on and folds it. Resolves when nothing will be folded any more: the signal
 * was raised, the log was closed, or all projections have stopped.
 */
export const readEvents = async (needs: EventReaderNeeds): Promise<void> => {
  const { log, folding, patience } = needs;
  const { signal, onTrouble } = patience;
  let subscription: Subscription | undefined;
  let after = lowestCommitted(folding.running);
  let failures = 0;
  const isOver = (): boolean => signal.aborted || folding.running.every(({ stopped }) => stopped !== undefined);

  const follow = async (): Promise<void> => {
    subscription = log.subscribe(after);
    for await (const records of subscription) {
      await take(needs, records);
      failures = 0;
      after = records.at(-1)?.position ?? after;
      if (isOver()) return;
    }
  };
  const followOn = async (): Promise<void> => {
    while (!isOver()) {
      try {
        await follow();
        return;
      } catch (error) {
        if (isOver() || error instanceof GivenUp) return;
        if (error instanceof DamagedRecord) {
          folding.stopAll(error.position, error);
          return;
        }
        failures += 1;
        onTrouble({ doing: 'reading the log', failures, error });
        await pauseAfter(failures, signal);
      }
    }
  };
  const unsubscribe = (): void => subscription?.close();
  signal.addEventListener('abort', unsubscribe);
  await followOn();
  signal.removeEventListener('abort', unsubscribe);
};

/** Folded in one go, because the log cuts no request in two: a reader sees all of it or nothing. */
const take = async (
  { folding, committing, decoding, onFolded }: EventReaderNeeds,
  records: readonly StoredEvent[],
): Promise<void> => {
  await folding.fold(records, decoded(records, decoding));
  onFolded();
  await committing.folded(records.length);
  // Then there are more, and other work on this thread waits for no more than a batch.
  if (records.length >= batchEventsMax) await nextTurn();
};
