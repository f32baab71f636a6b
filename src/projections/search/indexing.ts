import { boundedMap } from '../../kernel/boundedMap.js';
import type { EventCodec } from '../../kernel/codec.js';
import { beforeAll, type Position } from '../../kernel/event.js';
import { fencedCommits } from '../../kernel/fencedCommits.js';
import { DamagedRecord, type EventLog, type FollowedLog, type StoredEvent } from '../../kernel/ports/eventLog.js';
import type { Timers } from '../../kernel/ports/leases.js';
import type { DestroyedKey, Sealer } from '../../kernel/ports/sealer.js';
import { raised, type Tenure } from '../../kernel/tenure.js';
import { deferred, nextTurn, pause } from '../../kernel/timing.js';
import type { ProjectionProgress } from '../progress/progress.js';
import type { Running } from '../progress/running.js';
import { pauseAfter, type FailedTry } from '../runner/retrying.js';
import { isDamage } from './damage.js';
import { searchCheckpoint } from './documents.js';
import { erasure, type Erasure } from './erasure.js';
import type { DamagedDocument } from './heldDocuments.js';
import { messageChanges, type MessageChanges } from './messageChanges.js';
import { postingIndex, type IndexedChange, type PostingIndex, type SearchStore } from './postingIndex.js';
import { eventOfPosition } from './postingLists.js';

export type IndexingNeeds = {
  readonly log: FollowedLog & Pick<EventLog, 'readStream'>;
  readonly codec: EventCodec;
  readonly sealer: Sealer;
  /** Open, with the collections of the index. */
  readonly store: SearchStore;
  readonly timers: Timers;
  /** All keys that were ever destroyed. */
  readonly destroyed: () => AsyncIterable<DestroyedKey>;
  /** The log, the store or the vault failed. It is tried again until it succeeds. */
  readonly onTrouble: (trouble: FailedTry) => void;
  /** An event or a document of the index does not read. The rest goes on without it. Told once for each, as far as that is remembered. */
  readonly onDamage: (damage: Damage) => void;
};

/** `what`: the type of the event, or the collection and key of the document; the position is that of the log. */
export type Damage = { readonly what: string; readonly position: Position; readonly error?: unknown };

export type Indexing = IndexingNeeds & {
  readonly running: Running;
  readonly progress: ProjectionProgress;
  /** Tells other nodes of a commit. */
  readonly committed: (position: Position) => void;
  /** Takes what is to be called when keys were destroyed, in the place of the one before. */
  readonly onForgotten: (listener: () => void) => void;
  /** The searches on other nodes. */
  readonly wanted: WantedElsewhere;
};

/** Up to where searches on other nodes wait for the index. */
export interface WantedElsewhere {
  position(this: void): Position;
  /** Takes what is to be called when it rises, in the place of the one before. */
  onRise(this: void, listener: () => void): void;
}

/** The index is stored so often while nobody waits for it. */
export const commitMillis = 500;
/** Where events changed nothing, and nodes may wait that were not heard. */
export const restingCommitMillis = 5_000;
/** The thread is held no longer than this, and then left to others for as long. */
export const sliceMillisMax = 2;
export const restMillis = 2;
/** While a search waits it is held no longer than this, and others have one turn of it. */
export const awaitedSliceMillisMax = 2;
/** Messages that are folded together: their documents are read at once. */
export const messagesPerFold = 32;
/** Events that may be folded again after a crash. */
export const foldedEventsMax = 4_096;

/** Follows the log into the index for as long as the tenure lasts. A failure begins it again from the last commit. */
export const indexing = async (needs: Indexing, { fence, signal: held }: Tenure): Promise<void> => {
  const ending = new AbortController();
  const signal = AbortSignal.any([held, ending.signal]);
  const breath = breathing(needs, signal);
  const commit = fencedCommits(needs.store, fence, () => {
    ending.abort();
  });
  const { store } = needs;
  const damaged = toldOnce(needs);
  const onDamaged = ({ collection, key, position }: DamagedDocument): void => {
    damaged({ what: `${collection} ${key}`, position: eventOfPosition(position) });
  };
  const index = postingIndex({ store, commit, breath, onDamaged });
  const erasing = erasure({ ...needs, breath });
  const changes = messageChanges(needs);
  const isShared = fence !== undefined;
  const following: Following = { needs, index, breath, erasing, signal, changes, damaged, isShared };
  const isOver = (): boolean => signal.aborted;
  for (let failures = 1; !isOver(); failures += 1) {
    const begun = needs.timers.now();
    try {
      // From here on a former holder of the lease writes nothing more.
      if (fence !== undefined) await commit([], [{ projection: searchCheckpoint, position: beforeAll }]);
      await follow(following);
      return;
    } catch (error) {
      if (isOver()) return;
      if (error instanceof DamagedRecord) return stopBefore(following, error);
      if (needs.timers.now() - begun > calmMillis) failures = 1;
      needs.onTrouble({ doing: 'indexing messages', failures, error });
      await pauseAfter(failures, signal);
    }
  }
};

/** The log does not go on behind such a record until it is restored, and another node would not come further. */
const stopBefore = async ({ needs, damaged, signal }: Following, error: DamagedRecord): Promise<void> => {
  damaged({ what: 'the record', position: error.position, error });
  needs.running.stopped = { error };
  needs.progress.changed();
  await raised(signal);
};

const calmMillis = 60_000;

/** Damages that are remembered, so that each is told once. */
export const damagesMax = 1_000;

const toldOnce = ({ onDamage }: Indexing): Indexing['onDamage'] => {
  const told = boundedMap<string, true>({ entriesMax: damagesMax });
  return (damage) => {
    const name = `${damage.what} ${damage.position.toString()}`;
    if (told.get(name) === undefined) onDamage(damage);
    told.set(name, true);
  };
};

type Following = {
  readonly needs: Indexing;
  readonly index: PostingIndex;
  readonly changes: MessageChanges;
  readonly breath: () => Promise<void> | undefined;
  readonly erasing: Erasure;
  readonly damaged: Indexing['onDamage'];
  readonly signal: AbortSignal;
  /** There are nodes that follow this one. */
  readonly isShared: boolean;
};

const follow = async (following: Following): Promise<void> => {
  const { needs, index, erasing, signal } = following;
  const { running, progress, timers } = needs;
  const from = await index.begin();
  Object.assign(running, { committed: from, folded: from, stopped: undefined });
  progress.changed();
  const subscription = needs.log.subscribe(from);
  const close = (): void => {
    subscription.close();
  };
  signal.addEventListener('abort', close);
  const batches = subscription[Symbol.asyncIterator]();
  const bell = ringing(following);
  try {
    const read = (): Promise<IteratorResult<readonly StoredEvent[]>> => {
      const coming = batches.next();
      // It may fail while something is stored, and is waited for after that.
      coming.catch(() => undefined);
      return coming;
    };
    let next = read();
    let storedAt = timers.now();
    for (;;) {
      const rung = bell.rung(running.folded > running.committed ? storedAt + pace(following) : undefined);
      const batch = await Promise.race([next, rung]);
      if (signal.aborted || batch?.done === true) return;
      if (batch !== undefined) {
        await foldBatch(following, batch.value);
        next = read();
      }
      if (isDue(following, storedAt)) {
        await commitAll(following);
        storedAt = timers.now();
        if (erasing.isDue()) await erasing.run(index);
      }
    }
  } finally {
    bell.stop();
    signal.removeEventListener('abort', close);
    subscription.close();
  }
};

const pace = ({ index, isShared }: Following): number =>
  isShared && !index.isDirty() ? restingCommitMillis : commitMillis;

const isDue = (following: Following, storedAt: number): boolean => {
  const { running, progress, timers, wanted } = following.needs;
  if (progress.isAwaited() || following.erasing.isDue()) return true;
  const isWanted = running.committed < wanted.position() && running.folded >= wanted.position();
  const isFar = running.folded - running.committed >= BigInt(foldedEventsMax);
  return isWanted || isFar || timers.now() - storedAt >= pace(following);
};

const commitAll = async ({ needs, index, isShared, breath }: Following): Promise<void> => {
  const { running, progress } = needs;
  const position = running.folded;
  if (position === running.committed) return;
  await breath();
  // Where nobody else reads the checkpoint, it is seldom written for events that changed nothing.
  const isFar = position - index.committed() >= BigInt(foldedEventsMax);
  if (index.isDirty() || isShared || isFar) await index.commit(position);
  running.committed = position;
  running.committedAt = running.foldedAt;
  progress.changed();
  needs.committed(position);
};

const foldBatch = async (following: Following, batch: readonly StoredEvent[]): Promise<void> => {
  const { needs, index, breath, signal } = following;
  const { running, progress } = needs;
  let some: IndexedChange[] = [];
  const fold = async (upTo: StoredEvent): Promise<void> => {
    await index.fold(some);
    some = [];
    running.folded = upTo.position;
    running.foldedAt = upTo.at;
    progress.foldedOn();
  };
  let last: StoredEvent | undefined;
  for (const stored of batch) {
    const changing = following.changes.concerns(stored) ? changeOf(following, stored) : undefined;
    const change = changing instanceof Promise ? await changing : changing;
    if (change !== undefined) some.push(change);
    last = stored;
    const resting = breath();
    if (resting !== undefined) await resting;
    signal.throwIfAborted();
    if (some.length >= messagesPerFold) await fold(stored);
  }
  if (last !== undefined) await fold(last);
};

/** A message that does not read is left out: it must not keep all others from being found. */
const changeOf = ({ changes, damaged }: Following, stored: StoredEvent): ReturnType<MessageChanges['of']> => {
  const leftOut = (error: unknown): undefined => {
    if (!isDamage(error)) throw error;
    damaged({ what: stored.type, position: stored.position, error });
    return undefined;
  };
  try {
    const change = changes.of(stored);
    return change instanceof Promise ? change.catch(leftOut) : change;
  } catch (error) {
    leftOut(error);
    return undefined;
  }
};

/** Others have the thread as soon as it was held for a slice. */
const breathing = ({ timers, progress }: Indexing, signal: AbortSignal): (() => Promise<void> | undefined) => {
  let begun = timers.now();
  const rested = async (): Promise<void> => {
    await (progress.anybodyWaits() ? nextTurn() : pause(restMillis, signal));
    begun = timers.now();
  };
  return () => {
    const millisMax = progress.anybodyWaits() ? awaitedSliceMillisMax : sliceMillisMax;
    return timers.now() - begun < millisMax ? undefined : rested();
  };
};

/** Wakes the one who waits for the log: when a commit is due, a search waits for one, or the tenure ends. */
const ringing = ({ needs: { progress, timers, onForgotten, wanted }, signal, erasing }: Following) => {
  let bell = deferred<undefined>();
  let cancel = (): void => undefined;
  const ring = (): void => {
    bell.resolve(undefined);
  };
  progress.onAwaited(ring);
  wanted.onRise(ring);
  onForgotten(() => {
    erasing.soon();
    ring();
  });
  signal.addEventListener('abort', ring);
  return {
    rung: (at: number | undefined): Promise<undefined> => {
      bell = deferred<undefined>();
      cancel();
      const millis = at === undefined ? registerLookMillis : Math.max(1, at - timers.now());
      cancel = timers.later(millis, ring);
      if (signal.aborted || progress.isAwaited()) ring();
      return bell.promise;
    },
    stop: () => {
      cancel();
      progress.onAwaited(() => undefined);
      signal.removeEventListener('abort', ring);
    },
  };
};

const registerLookMillis = 10_000;
