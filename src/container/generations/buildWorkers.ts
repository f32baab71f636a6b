import { Worker } from 'node:worker_threads';
import type { Config } from '../../config.js';
import type { Projection } from '../../kernel/document.js';
import { beforeAll, type Position } from '../../kernel/event.js';
import { fencedCommits } from '../../kernel/fencedCommits.js';
import type { DocumentStore } from '../../kernel/ports/documentStore.js';
import type { FollowedLog } from '../../kernel/ports/eventLog.js';
import type { Generation } from '../../kernel/ports/generations.js';
import { raised, whileHeld, type Tenure } from '../../kernel/tenure.js';
import { pause } from '../../kernel/timing.js';
import { workersCheckpoint } from '../../projections/progress/checkpoints.js';
import { projectionProgress, type ProjectionProgress } from '../../projections/progress/progress.js';
import { lowestCommitted, lowestOf } from '../../projections/progress/waiters.js';
import { begin, type Alarm } from '../../projections/runner/foldingEngine.js';
import { GivenUp, retrying, type FailedTry, type Patience } from '../../projections/runner/retrying.js';
import { checkpointed, projectionsLease, type Projections, type Sharing } from '../../projections/runner/runner.js';
import { BuildStopped } from './buildEnd.js';
import type { WorkerNews, WorkerOrder, WorkerTask } from './workerMessages.js';

export type BuildWorkersNeeds = Pick<WorkerTask, 'config' | 'generation' | 'share'> & {
  readonly config: Config;
  readonly generation: Generation;
  /** Open in this thread. */
  readonly store: DocumentStore;
  readonly log: FollowedLog;
  readonly projections: readonly Projection[];
  readonly workers: number;
  /** The program of each thread. */
  readonly program?: URL;
  /** Default: `workerEndMillisMax`. */
  readonly endMillisMax?: number;
  /** Absent: no other process works on the documents. */
  readonly sharing?: Sharing;
  /** More events were read by all workers. */
  readonly counted: (events: number) => void;
  readonly onAlarm: (alarm: Alarm) => void;
  /** A worker is no more, so the build cannot go on. */
  readonly onEnd: (error: BuildStopped) => void;
  readonly onTrouble: (trouble: FailedTry) => void;
};

/** As far as a build needs them. */
export type BuildingProjections = Pick<Projections, 'reached' | 'position' | 'role' | 'close'>;

/** Documents that wait for the checkpoint are folded again after a crash, which changes nothing. */
export const checkpointMillis = 100;

/** How long a worker may take to store what it has under way before it is ended: that is lost, and folded again. */
export const workerEndMillisMax = 30_000;

/** Of the memory of each worker, besides what LMDB maps: it holds two commits of documents and those that were used last. */
export const workerHeapMebibytesMax = 1_024;

/**
 * All projections, folded by several threads: each folds its portion of the documents, and a checkpoint is where the slowest of
 * them is. A document knows its position, so after a crash what is folded again changes nothing. Throws `DocumentsAheadOfLog`.
 */
export const buildWorkers = async (needs: BuildWorkersNeeds): Promise<BuildingProjections> => {
  const { sharing, generation } = needs;
  const progress = projectionProgress(await checkpointed(needs));
  const closing = new AbortController();
  let role: ReturnType<Projections['role']> = 'follows';
  const work = async (tenure: Tenure): Promise<void> => {
    role = 'projects';
    try {
      await foldInThreads({ ...needs, progress }, tenure);
    } finally {
      // A lease that ran out is taken again, and folding goes on from the checkpoints.
      role = 'follows';
    }
  };
  const onTrouble = (error: unknown): void => {
    needs.onTrouble({ doing: 'holding the lease', failures: 1, error });
  };
  const failed = (error: unknown): void => {
    ended(needs, progress, String(error));
  };
  const working =
    sharing === undefined
      ? { alone: work({ fence: undefined, signal: closing.signal }).catch(failed) }
      : { tenancy: await whileHeld(projectionsLease(generation.name), { ...sharing, onTrouble }, work) };
  return {
    role: () => role,
    reached: (position, names) => progress.reached(position, names),
    position: () => lowestCommitted(progress.running),
    close: async () => {
      closing.abort(new GivenUp());
      progress.close();
      await working.alone;
      await working.tenancy?.close();
    },
  };
};

type Folding = BuildWorkersNeeds & { readonly progress: ProjectionProgress };

const foldInThreads = async (needs: Folding, { fence, signal }: Tenure): Promise<void> => {
  const ending = new AbortController();
  const end = (): void => {
    ending.abort(new GivenUp());
  };
  signal.addEventListener('abort', end);
  if (signal.aborted) end();
  const commit = fencedCommits(needs.store, fence, end);
  const patience: Patience = { signal: ending.signal, onTrouble: needs.onTrouble };
  try {
    await takeOver(needs, fence === undefined ? undefined : commit);
    const places: Places = new Map();
    const storing: Storing = { commit, patience };
    const checkpoints = lowestCheckpoints(needs, places, storing);
    const { permitted, beyond } = await permissions(needs, storing);
    const moving: Moving = { places, moved: checkpoints.moved, beyond };
    const crew = Array.from({ length: needs.workers }, (_, worker) =>
      startWorker(needs, { worker, fence, permitted }, newsOf(needs, worker, moving)),
    );
    await raised(ending.signal);
    await Promise.all(crew.map((one) => one.end()));
    await checkpoints.settled();
  } finally {
    signal.removeEventListener('abort', end);
  }
};

/** From here on a former holder of the lease writes nothing more. */
const takeOver = async (
  { progress: { running }, store }: Folding,
  commit: DocumentStore['commit'] | undefined,
): Promise<void> => {
  await commit?.(
    [],
    running.map(({ checkpoint }) => ({ projection: checkpoint, position: beforeAll })),
  );
  for (const one of running) begin(one, await store.checkpoint(one.checkpoint));
};

const workerProgram = new URL('./buildWorker.js', import.meta.url);

type Started = { readonly end: () => Promise<void> };

const startWorker = (
  needs: Folding,
  { worker, fence, permitted }: Pick<WorkerTask, 'fence' | 'permitted'> & { readonly worker: number },
  heard: Heard,
): Started => {
  const { config, generation, share, workers, program = workerProgram, endMillisMax = workerEndMillisMax } = needs;
  const task: WorkerTask = { config, generation, share, fence, permitted, portion: { worker, workers } };
  const thread = new Worker(program, {
    workerData: task,
    resourceLimits: { maxOldGenerationSizeMb: workerHeapMebibytesMax },
  });
  let isEnding = false;
  const gone = new Promise<void>((resolve) => {
    thread.once('exit', (code) => {
      resolve();
      if (!isEnding) ended(needs, needs.progress, `${name} has ended with ${code.toString()}`);
    });
  });
  const name = `worker ${(worker + 1).toString()} of ${workers.toString()}`;
  const tell = (order: WorkerOrder): void => {
    thread.postMessage(order);
  };
  thread.on('message', (news: WorkerNews) => {
    heard(news, tell);
  });
  thread.once('error', (error) => {
    ended(needs, needs.progress, `${name} has failed: ${String(error)}`);
  });
  return {
    end: async () => {
      isEnding = true;
      tell({ kind: 'end' });
      const left = new AbortController();
      const ended = gone.then(() => {
        left.abort();
      });
      await pause(endMillisMax, left.signal);
      await thread.terminate();
      await ended;
    },
  };
};

type Place = Extract<WorkerNews, { readonly kind: 'stored' }>;
/** Where each worker is, that has told of it. */
type Places = Map<number, Place>;
type Moving = {
  readonly places: Places;
  readonly moved: () => void;
  readonly beyond: (position: Position, answer: (order: WorkerOrder) => void) => void;
};
type Heard = (news: WorkerNews, answer: (order: WorkerOrder) => void) => void;

const newsOf = (needs: Folding, worker: number, { places, moved, beyond }: Moving): Heard => {
  const { progress, workers, counted, onAlarm, onTrouble } = needs;
  const readByAll = (): number =>
    places.size < workers ? 0 : Math.min(...[...places.values()].map(({ events }) => events));
  return (news, answer) => {
    if (news.kind === 'trouble') onTrouble(news);
    else if (news.kind === 'waits') beyond(news.position, answer);
    else if (news.kind === 'stored') {
      const before = readByAll();
      places.set(worker, news);
      counted(readByAll() - before);
      moved();
    } else {
      const { projection, position, error } = news;
      for (const one of progress.running) if (one.name === projection) one.stopped ??= { error };
      onAlarm({ projection, position, error });
      progress.changed();
    }
  };
};

/** Nobody waits for it any longer. */
const ended = ({ generation, onEnd }: BuildWorkersNeeds, progress: ProjectionProgress, why: string): void => {
  const error = new BuildStopped(generation.name, why);
  onEnd(error);
  for (const one of progress.running) one.stopped ??= { error };
  progress.changed();
};

type Storing = { readonly commit: DocumentStore['commit']; readonly patience: Patience };

/**
 * How far workers may fold: to the end of the log, once that is stored. So a start with an older copy of the log knows documents
 * of the fastest worker that are beyond its end, also where the checkpoints are not.
 */
const permissions = async ({ log }: Folding, { commit, patience }: Storing) => {
  const store = async (least: Position): Promise<Position> => {
    const end = await log.end();
    const position = end > least ? end : least;
    await commit([], [{ projection: workersCheckpoint, position }]);
    return position;
  };
  const permitted = await store(beforeAll);
  let known = permitted;
  let raising: Promise<void> = Promise.resolve();
  const raise = async (position: Position): Promise<void> => {
    if (known >= position) return;
    known = await retrying('storing how far workers may fold', () => store(position), patience);
  };
  const beyond: Moving['beyond'] = (position, answer) => {
    raising = raising
      .then(() => raise(position))
      .then(() => {
        answer({ kind: 'permitted', position: known });
      })
      .catch(unlessGivenUp);
  };
  return { permitted, beyond };
};

/** Stores checkpoints where the slowest worker is, one commit after another. */
const lowestCheckpoints = ({ progress, workers }: Folding, places: Places, { commit, patience }: Storing) => {
  let underWay: Promise<void> | undefined;
  const placesOf = (checkpoint: string) => [...places.values()].map((one) => one.places.get(checkpoint) ?? beforeAll);
  const ahead = () =>
    places.size < workers
      ? []
      : progress.running
          .map((running) => ({ running, position: lowestOf(placesOf(running.checkpoint)) }))
          .filter(({ running, position }) => position > running.committed);
  const store = async (): Promise<void> => {
    const marks = ahead();
    if (marks.length === 0) return;
    const checkpoints = marks.map(({ running, position }) => ({ projection: running.checkpoint, position }));
    await retrying('storing checkpoints', () => commit([], checkpoints), patience);
    for (const { running, position } of marks) Object.assign(running, { committed: position, folded: position });
    progress.changed();
  };
  const storeAll = async (): Promise<void> => {
    while (ahead().length > 0 && !patience.signal.aborted) {
      await pause(checkpointMillis, patience.signal);
      await store();
    }
  };
  return {
    moved: (): void => {
      underWay ??= storeAll()
        .catch(unlessGivenUp)
        .finally(() => (underWay = undefined));
    },
    /** Once no worker stores any more. */
    settled: async (): Promise<void> => {
      await underWay;
      await store().catch(unlessGivenUp);
    },
  };
};

const unlessGivenUp = (error: unknown): void => {
  if (!(error instanceof GivenUp)) throw error;
};
