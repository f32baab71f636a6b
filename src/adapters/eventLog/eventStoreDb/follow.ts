import { setTimeout as pause } from 'node:timers/promises';
import { beforeAll, type Position } from '../../../kernel/event.js';
import type { LogRead, StoredEvent, Subscription } from '../../../kernel/ports/eventLog.js';
import { feed } from '../feed.js';
import { longPauseMillis } from './failures.js';
import { LogUnreachable } from './unreachable.js';
import { tailOf, type Tail, type TailNeeds } from './tail.js';

export type FollowNeeds = Omit<TailNeeds, 'arrived'> & {
  readonly all: (read: LogRead) => Promise<readonly StoredEvent[]>;
  /** See `Reads`. */
  readonly hasReached: (position: Position) => Promise<boolean>;
};

/** All who follow the log in this process. */
export interface Followers {
  subscribe(after: Position): Subscription;
  /** Ends all subscriptions. */
  close(): void;
}

/**
 * Followers at the end of the log share one subscription on the server, and each event is made out once for all of them.
 * A follower that is behind reads pages until memory reaches back far enough; a slow one does the same, so that it holds
 * up nobody and nothing grows.
 */
export const followers = (needs: FollowNeeds): Followers => {
  let tail: Tail | undefined;

  // A page without events means that all of them were removed, but not from a machine of a cluster that lags behind the
  // one that is followed. Believing that one would skip them for ever.
  const page = async (after: Position, limit: number): Promise<readonly StoredEvent[]> => {
    const found = await needs.all({ from: after, limit });
    const end = tail?.position();
    if (found.length > 0 || end === undefined) return found;
    if (!(await needs.hasReached(end))) throw new LogUnreachable('the machine that is read from lags behind');
    return needs.all({ from: after, limit });
  };
  /** Tried again for as long as anybody follows: a server that is away is no reason to end. */
  const read = async (after: Position, limit: number): Promise<readonly StoredEvent[]> => {
    for (let failures = 1; ; failures += 1) {
      try {
        return await page(after, limit);
      } catch (error) {
        if (tail === undefined) throw error;
        needs.telling.alarm({ doing: 'following the log', failures, waiting: 1, error });
        await pause(longPauseMillis(failures), undefined, { ref: false });
      }
    }
  };
  const following = feed({
    end: () => tail?.position() ?? beforeAll,
    read,
    attended: () => {
      tail = tailOf({ ...needs, arrived: (events, after) => following.publish(events, after) });
    },
    unattended: () => {
      tail?.stop();
      tail = undefined;
    },
  });
  return following;
};
