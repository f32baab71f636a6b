import { beforeAll, type Position } from '../../kernel/event.js';
import type { Clock } from '../../kernel/ports/system.js';
import { whileHeld, type Tenure } from '../../kernel/tenure.js';
import { bytesOf } from '../progress/commitHints.js';
import { lagHere, lagsElsewhere } from '../progress/lag.js';
import { projectionProgress } from '../progress/progress.js';
import type { Running } from '../progress/running.js';
import { projectionFollower } from '../runner/follower.js';
import { GivenUp, type Patience } from '../runner/retrying.js';
import type { ProjectionStatus, Sharing } from '../runner/runner.js';
import { searchCheckpoint, searchProjection } from './documents.js';
import { indexing, type Indexing, type IndexingNeeds, type WantedElsewhere } from './indexing.js';

export type SearchIndexNeeds = IndexingNeeds & {
  readonly clock: Clock;
  /** Absent: no other process works on the store. */
  readonly sharing?: Sharing;
};

/** The index of all messages by their words, following the log here or on the node that holds its lease. */
export interface SearchIndex {
  /**
   * Undefined when the index holds all events up to `position`, otherwise resolves once it does. Rejects when it is
   * closed. Nothing but a search waits for it.
   */
  reached(this: void, position: Position): Promise<void> | undefined;
  status(this: void): Promise<ProjectionStatus>;
  /** Ends the work in hand. Messages that are not stored are indexed again after the next start. */
  close(this: void): Promise<void>;
}

export const searchLease = (generation: string): string => `search ${generation}`;
const topicOf = (generation: string): string => `search ${generation}`;
/** Where nodes say that a search waits. */
const wantedTopicOf = (generation: string): string => `search wanted ${generation}`;

/** Begins at the stored checkpoint. Resolves once the first look at the lease is done. */
export const startSearchIndex = async (needs: SearchIndexNeeds): Promise<SearchIndex> => {
  const { store, log, clock, timers, sharing, onTrouble } = needs;
  const running = await runningFrom(needs);
  const progress = projectionProgress([running]);
  const closing = new AbortController();
  const patience: Patience = { signal: closing.signal, onTrouble };
  let isIndexing = false;
  let forgotten = (): void => undefined;
  needs.sealer.onForgotten(() => {
    forgotten();
  });
  const onForgotten: Indexing['onForgotten'] = (listener) => {
    forgotten = listener;
  };
  const follower = projectionFollower({ store, timers, progress, patience, isFollowing: () => !isIndexing });
  const wanted = wantedElsewhere();
  const work = async (tenure: Tenure): Promise<void> => {
    isIndexing = true;
    try {
      const told = { onForgotten, wanted, committed: telling(needs, running) };
      await indexing({ ...needs, ...told, running, progress }, tenure);
    } finally {
      isIndexing = false;
      if (progress.anybodyWaits()) follower.look();
    }
  };
  const end =
    sharing === undefined
      ? alone(work, closing.signal)
      : await shared(sharing, { work, hear: follower.hear, wanted: wanted.hear, onTrouble });
  return {
    reached: (position) => {
      const waiting = progress.reached(position);
      if (waiting !== undefined && !isIndexing) {
        follower.look();
        want(needs, position);
      }
      return waiting;
    },
    status: async () => {
      if (!isIndexing) await follower.read();
      const lagMillis = isIndexing
        ? lagHere(running, await log.end(), clock.now())
        : (await lagsElsewhere(log, [running], clock.now()))[0];
      const { committed: position, stopped } = running;
      const status = { name: searchProjection, position, lagMillis };
      return stopped === undefined ? status : { ...status, stopped: stopped.error };
    },
    close: async () => {
      closing.abort(new GivenUp());
      progress.close();
      await end();
    },
  };
};

const runningFrom = async ({ store }: SearchIndexNeeds): Promise<Running> => {
  const committed = await store.checkpoint(searchCheckpoint);
  return {
    name: searchProjection,
    checkpoint: searchCheckpoint,
    committed,
    folded: committed,
    stopped: undefined,
    foldedAt: undefined,
    committedAt: undefined,
  };
};

type Work = (tenure: Tenure) => Promise<void>;

/** Where no other process can take the lease. */
const alone = (work: Work, signal: AbortSignal): (() => Promise<void>) => {
  const working = work({ fence: undefined, signal });
  return () => working;
};

type SharedWork = {
  readonly work: Work;
  readonly hear: (hint: Uint8Array) => void;
  readonly wanted: (wish: Uint8Array) => void;
  readonly onTrouble: SearchIndexNeeds['onTrouble'];
};

const shared = async (
  sharing: Sharing,
  { work, hear, wanted, onTrouble }: SharedWork,
): Promise<() => Promise<void>> => {
  const { generation, pubSub } = sharing;
  const unsubscribe = await pubSub.subscribe(topicOf(generation), hear);
  const unsubscribeWishes = await pubSub.subscribe(wantedTopicOf(generation), wanted);
  const needs = {
    ...sharing,
    onTrouble: (error: unknown) => {
      onTrouble({ doing: 'holding the lease of the search', failures: 1, error });
    },
  };
  const tenancy = await whileHeld(searchLease(generation), needs, work);
  return async () => {
    await tenancy.close();
    await unsubscribe();
    await unsubscribeWishes();
  };
};

/** A node that does not hear it stores the index by itself, a little later. */
const want = ({ sharing, onTrouble }: SearchIndexNeeds, position: Position): void => {
  sharing?.pubSub
    .publish(wantedTopicOf(sharing.generation), new TextEncoder().encode(position.toString()))
    .catch((error: unknown) => {
      onTrouble({ doing: 'telling other nodes of the search', failures: 1, error });
    });
};

const wantedElsewhere = (): WantedElsewhere & { readonly hear: (wish: Uint8Array) => void } => {
  let highest: Position = beforeAll;
  let risen = (): void => undefined;
  return {
    position: () => highest,
    onRise: (listener) => {
      risen = listener;
    },
    hear: (wish) => {
      const position = BigInt(new TextDecoder().decode(wish));
      if (position <= highest) return;
      highest = position;
      risen();
    },
  };
};

const telling = ({ sharing, onTrouble }: SearchIndexNeeds, { checkpoint }: Running): Indexing['committed'] => {
  if (sharing === undefined) return () => undefined;
  return (position) => {
    const hint = bytesOf({ checkpoints: [{ projection: checkpoint, position }], stopped: [] });
    sharing.pubSub.publish(topicOf(sharing.generation), hint).catch((error: unknown) => {
      onTrouble({ doing: 'telling other nodes of the search', failures: 1, error });
    });
  };
};
