import { collectionOf, forRunner, type AnyDocumentType, type DocumentType } from '../../kernel/document.js';
import { defined } from '../../kernel/defined.js';
import { heldBytes } from '../../kernel/heldBytes.js';
import { nextTurn } from '../../kernel/timing.js';
import type { Event, Position, Recorded } from '../../kernel/event.js';
import type { AbsentDocument, DocumentStore, StoredDocument } from '../../kernel/ports/documentStore.js';
import { batchedReads } from './batchedReads.js';

export type DocumentChange<Doc> = {
  readonly key: string;
  readonly before: Doc | undefined;
  readonly after: Doc | undefined;
};

/**
 * Documents of one type in memory, folded forward in log order by the same `evolve` as the stored ones. Documents that
 * do not exist are held as well, as `undefined`.
 *
 * A held document is never behind the last event applied. It may be ahead of it right after it was loaded, because the
 * stored read model was: then the events that are already in it change nothing, and from the first event after them it
 * is exact at each position.
 */
export interface LiveDocuments<Doc> {
  /**
   * At once when it is held, otherwise loaded; all who ask meanwhile share one load. A load that fails leaves nothing
   * behind, and the next one tries again.
   */
  readonly get: (key: string) => Doc | undefined | Promise<Doc | undefined>;
  /** Undefined also when it is not held. */
  readonly peek: (key: string) => Doc | undefined;
  readonly holds: (key: string) => boolean;
  /** Held or being loaded: the events of this key must be applied. */
  readonly follows: (key: string) => boolean;
  /** Some key is held or being loaded. */
  readonly followsAny: () => boolean;
  /** Whether events of this type are folded into such documents at all. */
  readonly folds: (type: string) => boolean;
  /** Events come in log order, each once; one that concerns no key that is followed may be left out. */
  readonly apply: (event: Recorded) => readonly DocumentChange<Doc>[];
  /** While it is pinned it is not evicted, and where it is not held yet, will not be. Pins are counted. */
  readonly pin: (key: string) => void;
  readonly unpin: (key: string) => void;
  /**
   * Counts one more who wants it held, and loads it where there is room for it. Those that are wanted stay before all
   * others, and are evicted only beyond `wantedBytesMax`: first those that nobody has asked for since they were loaded,
   * then those that were not asked for for longest. One that is needed then is asked for by `get`. Their events must be
   * applied also while they are not held.
   */
  readonly want: (key: string) => Promise<unknown> | undefined;
  readonly unwant: (key: string) => void;
}

export type LiveDocumentsNeeds = {
  readonly documents: Pick<DocumentStore, 'getMany'>;
  /** Resolves once the stored documents have in them all events that were applied or left out before it was called. */
  readonly caughtUp: () => Promise<unknown>;
  /** How many are held that nobody has pinned. */
  readonly idleMax: number;
  /** The memory that these may take altogether, as of when each was loaded or unpinned. Default: `idleBytesMax`. */
  readonly idleBytesMax?: number;
  /** The memory that those may take altogether which are wanted. Default: `wantedBytesMax`. */
  readonly wantedBytesMax?: number;
  /** Where the events can be read from of which a document consists. Absent: a document may be ahead after each load. */
  readonly history?: History;
};

/** A wanted document that is loaded again is as of the last event applied, because somebody is told what each event changes in it. */
export type History = {
  /**
   * All events up to here were applied, or left out because they concern no key that is wanted or followed. Undefined
   * before the first of them.
   */
  readonly appliedUpTo: () => Position | undefined;
  /** The document as it was right after this position. */
  readonly documentUpTo: (key: string, position: Position) => Promise<unknown>;
};

/** Ordinary communities take a few kilobytes, the largest with the longest descriptions more than a megabyte. */
export const wantedBytesMax = 134_217_728;

/** A community of 500 channels may have a megabyte. */
export const idleBytesMax = 33_554_432;

/** Of one key, while it is loaded: a load that takes longer than so many events fails. */
export const waitingEventsMax = 10_000;
const keysPerReadMax = 500;

type LiveDocument<Doc> = { readonly document: Doc | undefined; readonly position: Position };
type Loading<Doc> = {
  /** The events since the load began, in log order. */
  readonly events: Recorded[];
  readonly loaded: Promise<Doc | undefined>;
};

export const liveDocuments = <Doc, E extends Event>(
  declared: DocumentType<Doc, E>,
  { documents, caughtUp, history, ...bounds }: LiveDocumentsNeeds,
): LiveDocuments<Doc> => {
  const type = forRunner(declared);
  const types = new Set(type.types);
  const cached = new Map<string, LiveDocument<Doc>>();
  const loading = new Map<string, Loading<Doc>>();
  const keeping = keepingOf(cached, { idleBytesMax, wantedBytesMax, ...bounds });
  const read = batchedReads(async (keys) => {
    await caughtUp();
    return documents.getMany(collectionOf(type), keys);
  }, keysPerReadMax);

  const load = (key: string): Promise<Doc | undefined> => {
    // From here on its events wait in the list, so that there is no gap between the stored document and the first of them.
    const events: Recorded[] = [];
    const upTo = keeping.isWanted(key) ? history?.appliedUpTo() : undefined;
    const loaded = exactly(history, upTo, read(key)).then(
      (stored) => {
        loading.delete(key);
        const now = foldedWith<Doc>(type, stored, events);
        cached.set(key, now);
        keeping.entered(key);
        return now.document;
      },
      (error: unknown) => {
        loading.delete(key);
        throw error;
      },
    );
    loading.set(key, { events, loaded });
    return loaded;
  };
  const applied = applying({ type, cached, loading, keeping });

  return {
    get: (key) => {
      const found = cached.get(key);
      keeping.used(key);
      return found === undefined ? (loading.get(key)?.loaded ?? load(key)) : found.document;
    },
    peek: (key) => cached.get(key)?.document,
    holds: (key) => cached.has(key),
    follows: (key) => cached.has(key) || loading.has(key),
    followsAny: () => cached.size > 0 || loading.size > 0,
    folds: (name) => types.has(name),
    apply: (event) => (types.has(event.type) ? type.keysOf(event).flatMap((key) => applied(key, event) ?? []) : []),
    pin: keeping.pin,
    unpin: keeping.unpin,
    want: (key) => {
      keeping.want(key);
      return cached.has(key) ? undefined : (loading.get(key)?.loaded ?? (keeping.hasRoom() ? load(key) : undefined));
    },
    unwant: keeping.unwant,
  };
};

type Applying<Doc> = {
  readonly type: AnyDocumentType;
  readonly cached: Map<string, LiveDocument<Doc>>;
  readonly loading: ReadonlyMap<string, Loading<Doc>>;
  readonly keeping: Pick<ReturnType<typeof keepingOf>, 'grown'>;
};

const applying =
  <Doc>({ type, cached, loading, keeping }: Applying<Doc>) =>
  (key: string, event: Recorded): DocumentChange<Doc> | undefined => {
    const before = cached.get(key);
    if (before === undefined) {
      const waiting = loading.get(key)?.events;
      if (waiting !== undefined && waiting.length <= waitingEventsMax) waiting.push(event);
      return undefined;
    }
    const after = folded(type, key, before, event);
    cached.set(key, after);
    if (after.document === before.document) return undefined;
    keeping.grown(key, event);
    return { key, before: before.document, after: after.document };
  };

/** The store is ahead of what was applied where an event that is in it has not come here yet. */
const exactly = async (
  history: History | undefined,
  upTo: Position | undefined,
  reading: Promise<StoredDocument | AbsentDocument>,
): Promise<StoredDocument | AbsentDocument> => {
  const stored = await reading;
  if (history === undefined || upTo === undefined || stored.position <= upTo) return stored;
  const document = (await history.documentUpTo(stored.key, upTo)) as StoredDocument['document'] | undefined;
  return { key: stored.key, position: upTo, ...defined({ document }) };
};

const folded = <Doc>(
  type: AnyDocumentType,
  key: string,
  before: LiveDocument<Doc>,
  event: Recorded,
): LiveDocument<Doc> =>
  event.position <= before.position
    ? before
    : // The tables of a document type make documents of that type; `forRunner` forgot which.
      { document: type.fold(before.document, event, key) as Doc | undefined, position: event.position };

const foldedWith = <Doc>(
  type: AnyDocumentType,
  { key, document, position }: StoredDocument | AbsentDocument,
  events: readonly Recorded[],
): LiveDocument<Doc> => {
  if (events.length > waitingEventsMax) throw new Error(`${type.name} ${key} changes faster than it can be loaded`);
  // The store holds under this type's name and version what its `evolve` made.
  const stored: LiveDocument<Doc> = { document: document as Doc | undefined, position };
  return events.reduce((before, event) => folded(type, key, before, event), stored);
};

type Bounds = { readonly idleMax: number; readonly idleBytesMax: number; readonly wantedBytesMax: number };

/** Which keys stay: those that are pinned, and of the wanted ones and of the others those that were used last. */
const keepingOf = (held: Map<string, LiveDocument<unknown>>, bounds: Bounds) => {
  const [pins, wants] = [counts(), counts()];
  const idle = idleOnes(held, bounds);
  const wanted = wantedOnes({ held, bytesMax: bounds.wantedBytesMax, isPinned: pins.has });
  const settle = (key: string): void => {
    idle.leave(key);
    if (!held.has(key)) return;
    if (wants.has(key)) wanted.enter(key);
    else if (!pins.has(key)) idle.enter(key);
  };
  return {
    entered: settle,
    used: (key: string): void => {
      if (wants.has(key)) wanted.used(key);
      else idle.used(key);
    },
    grown: wanted.grown,
    isWanted: wants.has,
    hasRoom: wanted.hasRoom,
    pin: (key: string): void => {
      pins.add(key);
      idle.leave(key);
    },
    unpin: (key: string): void => {
      if (!pins.remove(key)) return;
      if (wants.has(key)) wanted.evictSoon();
      else settle(key);
    },
    want: (key: string): void => {
      if (wants.add(key)) settle(key);
    },
    unwant: (key: string): void => {
      if (!wants.remove(key)) return;
      wanted.leave(key);
      settle(key);
    },
  };
};

const counts = () => {
  const byKey = new Map<string, number>();
  return {
    has: (key: string): boolean => byKey.has(key),
    /** Whether it is the first. */
    add: (key: string): boolean => {
      const before = byKey.get(key) ?? 0;
      byKey.set(key, before + 1);
      return before === 0;
    },
    /** Whether it was the last. */
    remove: (key: string): boolean => {
      const left = (byKey.get(key) ?? 0) - 1;
      if (left > 0) byKey.set(key, left);
      return left <= 0 && byKey.delete(key);
    },
  };
};

const idleOnes = (held: Map<string, unknown>, bounds: Bounds) => {
  // A Map keeps the order of insertion: the first is the one that was used least recently.
  const idle = new Map<string, number>();
  let idleBytes = 0;
  const leave = (key: string): void => {
    idleBytes -= idle.get(key) ?? 0;
    idle.delete(key);
  };
  return {
    leave,
    enter: (key: string): void => {
      leave(key);
      const bytes = heldBytes(held.get(key));
      idle.set(key, bytes);
      idleBytes += bytes;
      for (const oldest of idle.keys()) {
        if (idle.size <= bounds.idleMax && idleBytes <= bounds.idleBytesMax) break;
        leave(oldest);
        held.delete(oldest);
      }
    },
    used: (key: string): void => {
      const bytes = idle.get(key);
      if (bytes !== undefined && idle.delete(key)) idle.set(key, bytes);
    },
  };
};

type Wanted = {
  readonly held: Map<string, LiveDocument<unknown>>;
  readonly bytesMax: number;
  readonly isPinned: (key: string) => boolean;
};

const wantedOnes = ({ held, bytesMax, isPinned }: Wanted) => {
  const { unasked, asked, noted, leave, note, take } = twoOrders();
  /** Not held, and asked for. */
  const awaited = new Set<string>();
  let evicting = false;
  const isFull = (): boolean => noted() > bytesMax;
  const evictIn = (some: ReadonlyMap<string, number>): void => {
    for (const key of [...some.keys()]) {
      if (!isFull()) return;
      const document = held.get(key);
      // That there is none takes hardly any memory, and is worth knowing.
      if (isPinned(key) || document?.document === undefined) continue;
      // Its growth was noted from above.
      note(key, heldBytes(document));
      if (!isFull()) return;
      leave(key);
      held.delete(key);
    }
  };
  /** Not at once, so that all who wait for the same read find what they asked for. */
  const evictSoon = (): void => {
    if (evicting || !isFull()) return;
    evicting = true;
    void nextTurn().then(() => {
      evicting = false;
      evictIn(unasked);
      evictIn(asked);
    });
  };
  return {
    evictSoon,
    hasRoom: (): boolean => noted() < bytesMax,
    enter: (key: string): void => {
      note(key, heldBytes(held.get(key)));
      if (awaited.delete(key)) take(key);
      evictSoon();
    },
    leave: (key: string): void => {
      awaited.delete(key);
      leave(key);
    },
    used: (key: string): void => {
      if (!take(key)) awaited.add(key);
    },
    grown: (key: string, { data }: Recorded): void => {
      const before = unasked.get(key) ?? asked.get(key);
      if (before === undefined) return;
      note(key, before + heldBytes(data));
      evictSoon();
    },
  };
};

/** The bytes of keys that nobody has asked for yet, and of those that were, in the order in which they were last. */
const twoOrders = () => {
  const unasked = new Map<string, number>();
  const asked = new Map<string, number>();
  let bytes = 0;
  const leave = (key: string): void => {
    bytes -= unasked.get(key) ?? asked.get(key) ?? 0;
    unasked.delete(key);
    asked.delete(key);
  };
  return {
    ...{ unasked, asked, leave },
    noted: (): number => bytes,
    /** Changes no order. */
    note: (key: string, now: number): void => {
      const some = asked.has(key) ? asked : unasked;
      bytes += now - (some.get(key) ?? 0);
      some.set(key, now);
    },
    /** The key is asked for. False where it is unknown. */
    take: (key: string): boolean => {
      const before = unasked.get(key) ?? asked.get(key);
      if (before === undefined) return false;
      leave(key);
      asked.set(key, before);
      bytes += before;
      return true;
    },
  };
};
