import type { EventCodec } from '../../kernel/codec.js';
import type { Projection } from '../../kernel/document.js';
import type { Position } from '../../kernel/event.js';
import type { DocumentStore, Peek } from '../../kernel/ports/documentStore.js';
import type { FollowedLog } from '../../kernel/ports/eventLog.js';
import type { Leases, Timers } from '../../kernel/ports/leases.js';
import type { PubSub } from '../../kernel/ports/pubSub.js';
import type { Clock } from '../../kernel/ports/system.js';
import { whileHeld, type Tenancy, type Tenure } from '../../kernel/tenure.js';
import { checkpointOf, workersCheckpoint } from '../progress/checkpoints.js';
import { runningOf, type Alarm, type MakeFoldingEngine } from './foldingEngine.js';
import { type Running } from '../progress/running.js';
import { projectionFollower, type ProjectionFollower } from './follower.js';
import { projectionsTopic } from '../progress/commitHints.js';
import { lagHere, lagsElsewhere } from '../progress/lag.js';
import { project } from './leader.js';
import { GivenUp, type Patience, type FailedTry } from './retrying.js';
import { projectionProgress, type FoldedProgress, type ProjectionProgress } from '../progress/progress.js';
import { going, lowestCommitted } from '../progress/waiters.js';

export type ProjectionNeeds = {
  readonly log: FollowedLog;
  readonly codec: EventCodec;
  /** Open, with the collections of the projections. */
  readonly store: DocumentStore;
  readonly projections: readonly Projection[];
  readonly clock: Clock;
  /** Absent: no other process works on the store. */
  readonly sharing?: Sharing;
  /** Default: they are folded in this process. */
  readonly engine?: MakeFoldingEngine;
  /** A projection stopped at an event, for good: a person has to look at it. The others go on. */
  readonly onAlarm: (alarm: Alarm) => void;
  /** The log, the store or the vault failed. It is tried again until it succeeds; nothing is skipped. */
  readonly onTrouble: (trouble: FailedTry) => void;
};

/** The needs of nodes with one store, so that one of them projects and the others follow. */
export type Sharing = {
  /** The name of the generation that is in the store. Nodes with another one neither wait for these nor disturb them. */
  readonly generation: string;
  readonly leases: Leases;
  readonly timers: Timers;
  readonly uptime: Pick<Timers, 'now'>;
  readonly pubSub: PubSub;
};

/** One for all projections of a generation: they are folded from one reading of the log, and that is most of the work. */
export const projectionsLease = (generation: string): string => `projections ${generation}`;

/** Of the documents that releases without generations keep. */
export const formerProjectionsLease = 'projections';

/** All projections, following the log: here, or on the node that holds their lease. */
export interface Projections {
  /**
   * Undefined when the documents of these projections (default: of all) reflect all events up to `position`; otherwise
   * resolves once they do. Rejects with `ProjectionStopped` when one of them has stopped before it, and with
   * `ProjectionsClosed`. Holds on every node, whichever one projects.
   */
  reached(this: void, position: Position, names?: readonly string[]): Promise<void> | undefined;
  /** All projections that have not stopped are at least here. */
  position(): Position;
  /**
   * The same of what is folded in memory, stored or not: for queries that read by key alone, through `peek`. Where nodes
   * share the read models only what is stored counts.
   */
  readonly folded: FoldedProgress;
  /** A document with all that is folded; undefined when the store has it, and on nodes that share the read models. */
  readonly peek: Peek;
  role(): Role;
  status(): Promise<readonly ProjectionStatus[]>;
  /**
   * Waits for the commit that is under way; then another node may go on. Events folded but not stored will be folded
   * again after the next start.
   */
  close(): Promise<void>;
}

/** Whether this node projects, or follows the one that does. */
export type Role = 'projects' | 'follows';

export type ProjectionStatus = {
  readonly name: string;
  readonly position: Position;
  /**
   * How old what is missing is: 0 when nothing is. On the node that projects it is the age of the last event in the
   * documents, undefined when no event came since the start; on one that follows, the age of the first that is missing.
   */
  readonly lagMillis: number | undefined;
  /** Why it stopped. */
  readonly stopped?: unknown;
};

/** The stored documents hold events that the log does not have: it was restored from an older backup. Rebuild them. */
export class DocumentsAheadOfLog extends Error {
  constructor(projection: string, position: Position, end: Position) {
    super(
      `the documents of ${projection} are at ${position.toString()}, the log ends at ${end.toString()}: the log is an ` +
        'older copy; put the newer one back, or delete the read models, which are folded from the log again',
    );
    this.name = 'DocumentsAheadOfLog';
  }
}

/** Starts from the stored checkpoints. Throws `DocumentsAheadOfLog`, or the errors of the store or the log. */
export const startProjections = async (needs: ProjectionNeeds): Promise<Projections> => {
  const held = projectionProgress(await checkpointed(needs));
  const closing = new AbortController();
  const patience: Patience = { signal: closing.signal, onTrouble: needs.onTrouble };
  if (needs.sharing === undefined) {
    const projecting = project({ ...needs, progress: held }, { fence: undefined, signal: closing.signal });
    return handle({ needs, held, closing, role: () => 'projects', end: () => projecting });
  }
  return shared(needs, needs.sharing, { held, closing, patience });
};

/** All projections where their checkpoints are. Throws `DocumentsAheadOfLog`. */
export const checkpointed = async ({
  projections,
  store,
  log,
}: Pick<ProjectionNeeds, 'projections' | 'store' | 'log'>): Promise<readonly Running[]> => {
  const started = await Promise.all(
    projections.map(async (projection) => runningOf(projection, await store.checkpoint(checkpointOf(projection)))),
  );
  const ofWorkers = await store.checkpoint(workersCheckpoint);
  const end = await log.end();
  for (const { name, committed } of [...started, { name: 'a build by several workers', committed: ofWorkers }]) {
    if (committed > end) throw new DocumentsAheadOfLog(name, committed, end);
  }
  return started;
};

type Started = { readonly held: ProjectionProgress; readonly closing: AbortController; readonly patience: Patience };

const shared = async (needs: ProjectionNeeds, sharing: Sharing, started: Started): Promise<Projections> => {
  const { held, closing, patience } = started;
  const { generation, pubSub, timers } = sharing;
  let role: Role = 'follows';
  const follow = projectionFollower({
    store: needs.store,
    timers,
    progress: held,
    patience,
    isFollowing: () => role === 'follows',
  });
  const work = async (tenure: Tenure): Promise<void> => {
    role = 'projects';
    try {
      await project({ ...needs, progress: held, followed: { generation, pubSub } }, tenure);
    } finally {
      role = 'follows';
      if (held.anybodyWaits()) follow.look();
    }
  };
  const unsubscribe = await pubSub.subscribe(projectionsTopic(generation), follow.hear);
  const onTrouble = (error: unknown): void => {
    needs.onTrouble({ doing: 'holding the lease', failures: 1, error });
  };
  const tenancy: Tenancy = await whileHeld(projectionsLease(generation), { ...sharing, onTrouble }, work);
  const end = async (): Promise<void> => {
    await tenancy.close();
    await unsubscribe();
  };
  return handle({ needs, held, closing, role: () => role, end, follow });
};

type Parts = {
  readonly needs: ProjectionNeeds;
  readonly held: ProjectionProgress;
  readonly closing: AbortController;
  readonly role: () => Role;
  readonly end: () => Promise<void>;
  readonly follow?: ProjectionFollower;
};

const handle = ({ needs, held, closing, role, end, follow }: Parts): Projections => {
  const all = held.running;
  const reached: Projections['reached'] = (position, names) => {
    const waiting = held.reached(position, names);
    if (waiting !== undefined && role() === 'follows') follow?.look();
    return waiting;
  };
  return {
    role,
    reached,
    position: () => lowestCommitted(going(all)),
    folded: follow === undefined ? held.folded : storedAsFolded(held, reached),
    peek: held.peek,
    status: async () => {
      if (role() === 'projects') {
        const logEnd = await needs.log.end();
        return all.map((one) => statusOf(one, lagHere(one, logEnd, needs.clock.now())));
      }
      await follow?.read();
      const lags = await lagsElsewhere(needs.log, all, needs.clock.now());
      return all.map((one, index) => statusOf(one, lags[index]));
    },
    close: async () => {
      closing.abort(new GivenUp());
      held.close();
      await end();
    },
  };
};

/** Another node may know better than the memory of this one, so nothing counts there before it is stored. */
const storedAsFolded = ({ running }: ProjectionProgress, reached: FoldedProgress['reached']): FoldedProgress => ({
  position: () => lowestCommitted(going(running)),
  reached,
});

const statusOf = ({ name, committed, stopped }: Running, lagMillis: number | undefined): ProjectionStatus => {
  const status = { name, position: committed, lagMillis };
  return stopped === undefined ? status : { ...status, stopped: stopped.error };
};
