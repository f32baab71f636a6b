import type { Millis } from '../../../kernel/ids.js';
import type { NewEvent, StoredEvent } from '../../../kernel/ports/eventLog.js';
import { deferred, nextTurn, pause, type Deferred } from '../../../kernel/timing.js';
import type { StoredPlace } from '../appendRules.js';
import type { Head } from './head.js';
import { arrived, type Heads } from './heads.js';
import { firstKept, putSettings, type LogStore, type LogTables, type Settings } from './logStore.js';
import { packedId, segmentsOf, unwritten, type Segment, type Unwritten } from './record.js';
import type { StreamIndex } from './streamIndex.js';

/**
 * Group commit: while one commit is on its way to the disk, everything that is handed in gathers for the next. So
 * however many append at once, they share the waiting, and one that appends alone waits for nobody.
 */
export interface AppendCommitter {
  /** All that is put before the end of this turn goes to the disk in one commit. */
  append(): Appending;
  change(head: Head, settings: Settings): Promise<void>;
  /** The position of the last event on disk; 0 when there is none. */
  readonly durable: number;
  /** Set while the store is being opened again after a failed commit. */
  readonly recovering: Promise<void> | undefined;
  /** Throws while the log is recovering, because its content is not known then. */
  checkReady(): void;
  /** Waits for what is on its way. */
  close(): Promise<void>;
}

export type Appending = {
  /**
   * Gives the events, with their packed ids, their places at once, in the order of the calls. The place is that of the
   * last one; it holds once `settled` resolves.
   */
  readonly put: (head: Head, events: readonly NewEvent[], ids: readonly string[]) => StoredPlace;
  readonly settled: Promise<void>;
};

export type CommitterNeeds = {
  readonly store: LogStore;
  readonly index: StreamIndex;
  readonly known: Heads;
  readonly now: () => Millis;
  /** Position of the last event on disk. */
  readonly last: () => number;
  /** Called with what has just become durable, before anybody who appended it is told. */
  readonly arrived: (events: readonly StoredEvent[]) => void;
  /** Opens everything again after a failed commit. */
  readonly reopen: () => Promise<void>;
};

/** A commit takes at most about this many events; further ones wait for the next. */
const commitEventsMax = 8_192;

/** How many cut events a commit removes from a stream, besides as many as it brings: a bound on its work. */
const sweptMax = 64;

/** Between two attempts to open a log whose disk fails. */
const reopenMillis = 250;

type Batch = {
  readonly records: Unwritten[];
  readonly touched: Map<Head, Touched>;
  readonly changes: Map<string, Settings>;
  readonly settled: Deferred<void>;
};

/** A stream as this batch leaves it: its head may be further on by the time the batch is written. */
type Touched = { revision: number; appended: number };

type State = {
  readonly queue: Batch[];
  durable: number;
  /** The last one given out. */
  position: number;
  running: Promise<void> | undefined;
  recovering: Promise<void> | undefined;
  closed: boolean;
};

export const committer = (needs: CommitterNeeds): AppendCommitter => {
  const last = needs.last();
  const empty = { running: undefined, recovering: undefined, closed: false };
  const state: State = { queue: [], durable: last, position: last, ...empty };
  return {
    get durable() {
      return state.durable;
    },
    get recovering() {
      return state.recovering;
    },
    checkReady: () => {
      if (state.recovering !== undefined) throw new Error('the log is recovering from a failed write; append again');
    },
    append: () => {
      const batch = gathering(needs, state);
      return {
        put: (head, events, ids) => {
          for (const [index, event] of events.entries()) {
            put({ needs, state, batch }, head, event, ids[index] ?? packedId(event.id));
          }
          head.settled = batch.settled.promise;
          touch(batch, head, events.length);
          return { revision: head.revision, position: state.position };
        },
        settled: batch.settled.promise,
      };
    },
    change: (head, settings) => {
      const batch = gathering(needs, state);
      head.settings = settings;
      head.settled = batch.settled.promise;
      batch.changes.set(head.stream, settings);
      return batch.settled.promise;
    },
    close: async () => {
      state.closed = true;
      await state.running;
      await state.recovering?.catch(() => undefined);
    },
  };
};

type Gathering = { readonly needs: CommitterNeeds; readonly state: State; readonly batch: Batch };

const put = ({ needs, state, batch }: Gathering, head: Head, event: NewEvent, id: string): void => {
  state.position += 1;
  needs.known.push(head, id, state.position);
  const alone = Number.isFinite(head.settings.maxCount);
  batch.records.push(unwritten({ head, event, id, position: state.position, alone }));
};

/** The batch that is not yet on its way. */
const gathering = (needs: CommitterNeeds, state: State): Batch => {
  let batch = state.queue.at(-1);
  if (batch === undefined || batch.records.length >= commitEventsMax) state.queue.push((batch = emptyBatch()));
  state.running ??= run(needs, state);
  return batch;
};

const run = async (needs: CommitterNeeds, state: State): Promise<void> => {
  // An append of the same turn, or of the turn in which a commit is answered, still comes along.
  for (;;) {
    await nextTurn();
    const batch = state.queue.shift();
    if (batch === undefined) break;
    try {
      const segments = await write(needs, batch);
      state.durable += batch.records.length;
      needs.arrived(segments.flatMap(({ events }) => events));
      settle(batch);
    } catch (error) {
      fail(needs, state, batch, error);
      break;
    }
  }
  state.running = undefined;
};

// Batches that follow on a lost one are lost with it, because their positions and revisions build on those of the lost
// one.
const fail = (needs: CommitterNeeds, state: State, batch: Batch, error: unknown): void => {
  const cause = error instanceof Error ? error : new Error('the commit failed', { cause: error });
  for (const lost of [batch, ...state.queue.splice(0)]) lost.settled.reject(cause);
  state.recovering = recover(needs, state).finally(() => {
    state.recovering = undefined;
  });
  // Nobody may be waiting for the recovery; a caller that waits sees the error.
  state.recovering.catch(() => undefined);
};

const recover = async (needs: CommitterNeeds, state: State): Promise<void> => {
  needs.known.forget();
  while (!(await succeeds(needs.reopen))) {
    if (state.closed) throw new Error('the log was closed while its disk failed');
    await pause(reopenMillis);
  }
  state.durable = needs.last();
  state.position = state.durable;
  // A commit that failed late may have been kept after all.
  needs.arrived([]);
};

const succeeds = async (work: () => Promise<void>): Promise<boolean> => {
  try {
    await work();
    return true;
  } catch {
    return false;
  }
};

const emptyBatch = (): Batch => {
  const settled: Deferred<void> = deferred();
  // Every append waits for it and tells its own caller.
  settled.promise.catch(() => undefined);
  return { records: [], touched: new Map(), changes: new Map(), settled };
};

const write = async (needs: CommitterNeeds, batch: Batch): Promise<readonly Segment[]> => {
  const { store, index, now } = needs;
  await index.room();
  const segments = segmentsOf(batch.records, now());
  await store.commit((tables) => {
    // How the puts went is what the commit tells.
    for (const { first, bytes } of segments) void tables.segments.put(first, bytes);
    for (const [stream, settings] of batch.changes) putSettings(tables, stream, settings);
    for (const [head, touched] of batch.touched) sweep(tables, index, head, touched);
  });
  for (const segment of segments) index.add(segment);
  return segments;
};

/** Removes what the max count of a stream has cut, as far as it lies in segments of its own. */
const sweep = ({ segments }: LogTables, index: StreamIndex, head: Head, { revision, appended }: Touched): void => {
  const cut = firstKept(head.settings, revision);
  const range = { from: head.swept, to: cut - 1, limit: sweptMax + appended, backwards: false };
  if (range.to < range.from) return;
  const entries = index.entries(head.stream, range);
  for (const { alone, segment } of entries) if (alone) void segments.remove(segment);
  // Those of this very commit are not in the index yet: the next one removes them.
  head.swept = (entries.at(-1)?.revision ?? head.swept - 1) + 1;
  index.cut(head.stream, cut);
};

const settle = (batch: Batch): void => {
  for (const { head, revision } of batch.records) arrived(head, revision);
  batch.settled.resolve();
};

const touch = (batch: Batch, head: Head, appended: number): void => {
  // Only streams with a max count have anything to sweep.
  if (!Number.isFinite(head.settings.maxCount)) return;
  const before = batch.touched.get(head);
  batch.touched.set(head, { revision: head.revision, appended: appended + (before?.appended ?? 0) });
};
