import type { EventCodec } from '../../kernel/codec.js';
import type { Projection } from '../../kernel/document.js';
import { beforeAll } from '../../kernel/event.js';
import { fencedCommits } from '../../kernel/fencedCommits.js';
import type { DocumentStore } from '../../kernel/ports/documentStore.js';
import type { FollowedLog, StoredEvent } from '../../kernel/ports/eventLog.js';
import type { PubSub } from '../../kernel/ports/pubSub.js';
import { raised, type Tenure } from '../../kernel/tenure.js';
import { committer, type Committer } from './committer.js';
import { readEvents } from './eventReader.js';
import {
  begin,
  foldingEngine,
  type Alarm,
  type FoldingEngine,
  type FoldingEngineNeeds,
  type MakeFoldingEngine,
} from './foldingEngine.js';
import { bytesOf, projectionsTopic, type CommitHint } from '../progress/commitHints.js';
import type { Portion } from './portion.js';
import { GivenUp, retrying, type Patience, type FailedTry } from './retrying.js';
import type { ProjectionProgress } from '../progress/progress.js';

export type ProjectionLeaderNeeds = {
  readonly log: FollowedLog;
  readonly codec: EventCodec;
  readonly store: DocumentStore;
  /** In the order of those in `standing`. */
  readonly projections: readonly Projection[];
  readonly progress: ProjectionProgress;
  /** Where nodes that follow this one hear of it. */
  readonly followed?: { readonly generation: string; readonly pubSub: PubSub };
  /** Default: they are folded in this process. */
  readonly engine?: MakeFoldingEngine;
  /** Of several workers, this one folds no more than that. Default: everything. */
  readonly portion?: Portion;
  readonly onAlarm: (alarm: Alarm) => void;
  readonly onTrouble: (trouble: FailedTry) => void;
};

/** Folds the log into the store for as long as the tenure lasts, from the stored checkpoints on. */
export const project = async (needs: ProjectionLeaderNeeds, { fence, signal }: Tenure): Promise<void> => {
  const ending = new AbortController();
  const end = (): void => {
    ending.abort(new GivenUp());
  };
  const patience: Patience = { signal: ending.signal, onTrouble: needs.onTrouble };
  const commit = fencedCommits(needs.store, fence, (error) => {
    needs.onTrouble({ doing: 'storing documents', failures: 1, error });
    end();
  });
  signal.addEventListener('abort', end);
  if (signal.aborted) end();
  try {
    await retrying('taking over', () => takeOver(needs, { fence, commit }), patience);
    await foldOn(needs, { isFollowed: fence !== undefined, commit, patience, tell: publisherOf(needs, fence) });
    if (ending.signal.aborted) return;
    // All have stopped, and would stop there on any other node as well; or the log was closed.
    if (!needs.progress.running.every(({ stopped }) => stopped !== undefined)) needs.progress.close();
    await raised(ending.signal);
  } catch (error) {
    if (!(error instanceof GivenUp)) throw error;
  } finally {
    signal.removeEventListener('abort', end);
  }
};

type TakingOver = Pick<Tenure, 'fence'> & { readonly commit: DocumentStore['commit'] };

/** From here on a former holder writes nothing more, so the checkpoints that are read stay what they are. */
const takeOver = async (
  { store, progress: standing }: ProjectionLeaderNeeds,
  { fence, commit }: TakingOver,
): Promise<void> => {
  const { running } = standing;
  if (fence !== undefined) {
    await commit(
      [],
      running.map(({ checkpoint }) => ({ projection: checkpoint, position: beforeAll })),
    );
  }
  const stored = await Promise.all(running.map(({ checkpoint }) => store.checkpoint(checkpoint)));
  for (const [index, one] of running.entries()) begin(one, stored[index] ?? beforeAll);
  standing.changed();
};

type Folding = {
  /** There are nodes that follow this one. */
  readonly isFollowed: boolean;
  readonly commit: DocumentStore['commit'];
  readonly patience: Patience;
  readonly tell: (checkpoints: CommitHint['checkpoints']) => void;
};

const foldOn = async (needs: ProjectionLeaderNeeds, { isFollowed, commit, patience, tell }: Folding): Promise<void> => {
  const { log, codec, store, progress: standing } = needs;
  const folding = folderFor(needs, {
    factOf: (record) => codec.factOf(record),
    ...(needs.portion === undefined ? {} : { portion: needs.portion }),
    fetch: (collection, keys) => retrying('reading documents', () => store.getMany(collection, keys), patience),
    retry: (doing, work) => retrying(doing, work, patience),
    onAlarm: (alarm) => {
      needs.onAlarm(alarm);
      standing.changed();
      tell([]);
    },
    flush: () => committing.flush(),
  });
  const committing: Committer = committer({
    commit,
    folding,
    patience,
    // Readers that wait on another node cannot be seen from here.
    isAwaited: () => isFollowed || standing.isAwaited(),
    onStored: ({ checkpoints }) => {
      standing.changed();
      tell(checkpoints);
    },
  });
  standing.onAwaited(committing.hurry);
  // Where others may take over at any moment, memory may hold what they know better.
  if (!isFollowed) standing.peekFrom(folding.peek);
  // An engine of another kind reads the records itself.
  const decoding = { codec, wants: (record: StoredEvent) => needs.engine === undefined && folding.wants(record) };
  // A call of it that is under way would be waited for.
  const close = (): void => void folding.close?.();
  patience.signal.addEventListener('abort', close);
  try {
    await readEvents({ log, folding, committing, onFolded: standing.foldedOn, decoding, patience });
    await committing.idle();
  } finally {
    patience.signal.removeEventListener('abort', close);
    await folding.close?.();
  }
};

const folderFor = (
  { projections, progress: standing, engine = foldingEngine }: ProjectionLeaderNeeds,
  needs: FoldingEngineNeeds,
): FoldingEngine => {
  const { running } = standing;
  const started = projections.flatMap((projection, index) => {
    const one = running[index];
    return one === undefined ? [] : [{ projection, running: one }];
  });
  return engine(started, needs);
};

/** Nobody else follows where nobody else could take the lease. */
const publisherOf = (
  { followed, progress: standing, onTrouble }: ProjectionLeaderNeeds,
  fence: bigint | undefined,
): Folding['tell'] => {
  if (followed === undefined || fence === undefined) return () => undefined;
  const { generation, pubSub } = followed;
  return (checkpoints) => {
    const stopped = standing.running.filter((one) => one.stopped !== undefined).map(({ checkpoint }) => checkpoint);
    pubSub.publish(projectionsTopic(generation), bytesOf({ checkpoints, stopped })).catch((error: unknown) => {
      onTrouble({ doing: 'telling other nodes', failures: 1, error });
    });
  };
};
