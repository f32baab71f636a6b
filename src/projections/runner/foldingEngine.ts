import type { EventCodec } from '../../kernel/codec.js';
import { collectionOf, type AnyDocumentType, type Projection } from '../../kernel/document.js';
import { beforeAll, type Position, type Recorded } from '../../kernel/event.js';
import type { Millis } from '../../kernel/ids.js';
import type { Checkpoint, DocumentStore, DocumentWrite, Peek } from '../../kernel/ports/documentStore.js';
import type { StoredEvent } from '../../kernel/ports/eventLog.js';
import { checkpointOf } from '../progress/checkpoints.js';
import { Unreadable, type DecodedEvent } from './decoding.js';
import { ageAll, documentCache, noKeys, type CachedDocument, type DocumentCache } from './documentCache.js';
import type { Running, Started } from '../progress/running.js';
import { foldsManyStreams, foldsStream, type Portion } from './portion.js';

/** Where a projection stopped, and why. */
export type Alarm = {
  readonly projection: string;
  /** Of the event that it could not take. Its checkpoint stays before it. */
  readonly position: Position;
  readonly error: unknown;
};

/** The documents and checkpoints that go to the store at once. */
export type Batch = {
  readonly writes: readonly DocumentWrite[];
  readonly checkpoints: readonly Checkpoint[];
  readonly marks: readonly Mark[];
};
type Mark = { readonly running: Running; readonly position: Position; readonly at: Millis | undefined };

/** Folds events into documents in memory and hands out what there is to store. */
export interface FoldingEngine {
  readonly running: readonly Running[];
  readonly wants: (record: StoredEvent) => boolean;
  /** Folds these events, in log order. One that cannot be folded stops its projection right before it. */
  fold(records: readonly StoredEvent[], events: readonly DecodedEvent[]): Promise<void>;
  /** All that changed since the last batch; undefined when nothing did. The last batch must have been stored. */
  nextBatch(): Batch | undefined;
  stored(batch: Batch): void;
  /**
   * A document as it is after all that is folded, where it is in memory; those that the store does not have yet always
   * are.
   */
  readonly peek: Peek;
  /** For an event that no projection can pass. */
  stopAll(position: Position, error: unknown): void;
  /** Ends what it works with, also in the middle of a fold. Nothing is folded after that. May be called again. */
  close?(): Promise<void>;
}

export type FoldingEngineNeeds = {
  readonly factOf: EventCodec['factOf'];
  /** Absent: all documents. */
  readonly portion?: Portion;
  /** Fetches documents that are not in memory. */
  readonly fetch: DocumentStore['getMany'];
  /** Does something outside until it succeeds. */
  readonly retry: <T>(doing: string, work: () => Promise<T>) => Promise<T>;
  readonly onAlarm: (alarm: Alarm) => void;
  /** Stores all that is folded, also in the middle of a fold. */
  readonly flush: () => Promise<void>;
};

export type MakeFoldingEngine = (started: readonly Started[], needs: FoldingEngineNeeds) => FoldingEngine;

export const runningOf = (projection: Projection, committed: Position): Running => ({
  name: projection.name,
  checkpoint: checkpointOf(projection),
  ...beginning(committed),
});

/** It goes on from a checkpoint that somebody else may have stored. */
export const begin = (running: Running, committed: Position): void => {
  Object.assign(running, beginning(committed));
};

const beginning = (committed: Position) => ({
  committed,
  folded: committed,
  stopped: undefined,
  foldedAt: undefined,
  committedAt: undefined,
});

export const foldingEngine = (
  started: readonly Started[],
  { factOf, portion, fetch, onAlarm }: Omit<FoldingEngineNeeds, 'retry'>,
): FoldingEngine => {
  const running = started.map((one) => one.running);
  const { linesFor, byCollection } = linesOf(started, { factOf, portion });
  const collections = [...byCollection.values()];
  let changed: CachedDocument[] = [];
  let underWay: readonly CachedDocument[] = [];

  const stop = (one: Running, position: Position, error: unknown): void => {
    one.stopped = { error };
    onAlarm({ projection: one.name, position, error });
  };
  const take = (step: Step): void => {
    const { running: one, position, before } = step;
    if (one.stopped !== undefined) return;
    try {
      // Either all documents of one event change, or none does.
      for (const change of changesOf(step)) {
        if (!change.hot.changed) changed.push(change.hot);
        put(change, position);
      }
    } catch (error) {
      if (before > one.folded) one.folded = before;
      stop(one, position, error);
    }
  };

  return {
    running,
    wants: (record) => linesFor(record).some((line) => line.running.stopped === undefined),
    fold: async (records, events) => {
      const steps = stepsOf(linesFor, records, events);
      for (const collection of collections) await collection.load(fetch);
      for (const step of steps) take(step);
      const last = records.at(-1);
      if (last !== undefined) for (const one of running) moveOn(one, last);
      ageAll(collections, [changed, underWay]);
    },
    nextBatch: () => {
      const marks = running.filter(isAhead).map((one) => ({ running: one, position: one.folded, at: one.foldedAt }));
      // Every change is by an event, so the projection of a changed document moved.
      if (marks.length === 0) return undefined;
      underWay = changed;
      changed = [];
      return batchOf(byCollection, underWay, marks);
    },
    stored: ({ marks }) => {
      underWay = [];
      for (const { running: one, position, at } of marks) {
        one.committed = position;
        one.committedAt = at;
      }
    },
    peek: (collection, key) => peekIn(byCollection.get(collection), key),
    stopAll: (position, error) => {
      for (const one of running) if (one.stopped === undefined) stop(one, position, error);
    },
  };
};

/** The document types of one projection that fold one type of event. */
type Line = { readonly running: Running; readonly types: readonly Folded[] };
type Folded = { readonly type: AnyDocumentType; readonly hot: DocumentCache };

type Wanted = Pick<FoldingEngineNeeds, 'factOf'> & { readonly portion: Portion | undefined };

const linesOf = (started: readonly Started[], { factOf, portion }: Wanted) => {
  const byCollection = new Map<string, DocumentCache>();
  const folded = started.map(({ projection, running }) => {
    const types = projection.documents.map((type) => ({ type, hot: documentCache(type) }));
    for (const { type, hot } of types) byCollection.set(collectionOf(type), hot);
    return { running, types };
  });
  const ofMany = portion === undefined || foldsManyStreams(portion);
  const ofOwnStream = byFact(folded, ({ type }) => ofMany || !isOfMany(type));
  const ofOtherStream = byFact(folded, ({ type }) => ofMany && isOfMany(type));
  const linesFor = (record: StoredEvent): readonly Line[] => {
    const isOwn = portion === undefined || foldsStream(portion, record.stream);
    return (isOwn ? ofOwnStream : ofOtherStream).get(factOf(record) ?? '') ?? noLines;
  };
  return { linesFor, byCollection };
};

const isOfMany = ({ streams }: AnyDocumentType): boolean => streams === 'log';

const byFact = (folded: readonly Line[], isWanted: (one: Folded) => boolean): ReadonlyMap<string, readonly Line[]> => {
  const lines = new Map<string, Line[]>();
  for (const { running, types } of folded) {
    const wanted = types.filter(isWanted);
    for (const name of new Set(wanted.flatMap(({ type }) => type.types))) {
      const line = { running, types: wanted.filter(({ type }) => type.types.includes(name)) };
      lines.set(name, [...(lines.get(name) ?? []), line]);
    }
  }
  return lines;
};

/** Of an event that no projection folds. */
const noLines: readonly Line[] = [];

/** One event, and all documents of one projection that it is folded into. */
type Step = {
  readonly running: Running;
  readonly position: Position;
  /** Of the event before this one. */
  readonly before: Position;
  readonly event: Recorded | Unreadable;
  readonly documents: readonly CachedDocument[];
};

const stepsOf = (
  linesFor: (record: StoredEvent) => readonly Line[],
  records: readonly StoredEvent[],
  events: readonly DecodedEvent[],
): readonly Step[] => {
  const steps: Step[] = [];
  let before: Position = beforeAll;
  let index = 0;
  for (const record of records) {
    const event = events[index];
    const { position } = record;
    index += 1;
    if (event !== undefined) {
      for (const line of linesFor(record)) {
        const { running } = line;
        if (running.stopped !== undefined || position <= running.folded) continue;
        const { documents, problem } = targetsOf(line, event);
        steps.push({ running, position, before, event: problem ?? event, documents });
      }
    }
    before = position;
  }
  return steps;
};

type Targets = { readonly documents: readonly CachedDocument[]; readonly problem?: Unreadable };

const targetsOf = (line: Line, event: Recorded | Unreadable): Targets => {
  const documents: CachedDocument[] = [];
  if (event instanceof Unreadable) return { documents };
  try {
    for (const { type, hot } of line.types) {
      for (const key of type.keysOf(event)) documents.push(begins(type, key, event) ? hot.begun(key) : hot.of(key));
    }
  } catch (error) {
    return { documents: [], problem: new Unreadable(error) };
  }
  return { documents };
};

/** Most events of a log are the first of their stream, and most documents come of one stream. */
const begins = ({ streams }: AnyDocumentType, key: string, { revision, stream }: Recorded): boolean => {
  if (revision !== 0n || streams === 'log') return false;
  const all = streams(key);
  return all.length === 1 && all[0] === stream;
};

type Change = Pick<CachedDocument, 'document' | 'indexKeys'> & { readonly hot: CachedDocument };

const changesOf = ({ event, documents, position }: Step): readonly Change[] => {
  if (event instanceof Unreadable) throw event.error;
  const changes: Change[] = [];
  for (const hot of documents) {
    // The log redelivers after a crash. An event that is in the document already must not count twice.
    if (position <= hot.position) continue;
    const document = hot.type.fold(hot.document, event, hot.key);
    if (document === hot.document) continue;
    changes.push({ hot, document, indexKeys: document === undefined ? noKeys : hot.type.indexKeysOf(document) });
  }
  return changes;
};

const put = ({ hot, document, indexKeys }: Change, position: Position): void => {
  hot.document = document;
  hot.stored = undefined;
  hot.indexKeys = indexKeys;
  hot.position = position;
  hot.changed = true;
};

/** A projection that started ahead of the others stays where it is until they have come there. */
const moveOn = (running: Running, { position, at }: StoredEvent): void => {
  if (running.stopped !== undefined || position <= running.folded) return;
  running.folded = position;
  running.foldedAt = at;
};

const isAhead = ({ folded, committed }: Running): boolean => folded > committed;

/** Everything that changed, in the form of the store. */
export const batchOf = (
  caches: ReadonlyMap<string, DocumentCache>,
  documents: readonly CachedDocument[],
  marks: readonly Mark[],
): Batch => ({
  writes: documents.map((hot) => writeOf(hot, caches.get(hot.collection))),
  checkpoints: marks.map(({ running, position }) => ({ projection: running.checkpoint, position })),
  marks,
});

const writeOf = (hot: CachedDocument, cache: DocumentCache | undefined): DocumentWrite => {
  hot.changed = false;
  const { collection, key, position, indexKeys } = hot;
  return { collection, key, position, indexKeys, ...cache?.storedOf(hot) };
};

export const peekIn = (documents: DocumentCache | undefined, key: string): ReturnType<Peek> => {
  const hot = documents?.peek(key);
  return hot === undefined ? undefined : { key, position: hot.position, ...documents?.storedOf(hot) };
};
