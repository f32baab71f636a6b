import { collectionOf, forRunner, type AnyDocumentType, type DocumentType } from '../../kernel/document.js';
import { heldBytes } from '../../kernel/heldBytes.js';
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
}

export type LiveDocumentsNeeds = {
  readonly documents: Pick<DocumentStore, 'getMany'>;
  /** Resolves once the stored documents have in them all events that were applied or left out before it was called. */
  readonly caughtUp: () => Promise<unknown>;
  /** How many are held that nobody has pinned. */
  readonly idleMax: number;
  /** The memory that these may take altogether, as of when each was loaded or unpinned. Default: `idleBytesMax`. */
  readonly idleBytesMax?: number;
};

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
  { documents, caughtUp, ...bounds }: LiveDocumentsNeeds,
): LiveDocuments<Doc> => {
  const type = forRunner(declared);
  const types = new Set(type.types);
  const cached = new Map<string, LiveDocument<Doc>>();
  const loading = new Map<string, Loading<Doc>>();
  const keeping = keepingOf(cached, { idleBytesMax, ...bounds });
  const read = batchedReads(async (keys) => {
    await caughtUp();
    return documents.getMany(collectionOf(type), keys);
  }, keysPerReadMax);

  const load = (key: string): Promise<Doc | undefined> => {
    // From here on its events wait in the list, so that there is no gap between the stored document and the first of them.
    const events: Recorded[] = [];
    const loaded = read(key).then(
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
  const applied = (key: string, event: Recorded): DocumentChange<Doc> | undefined => {
    const before = cached.get(key);
    if (before === undefined) {
      const waiting = loading.get(key)?.events;
      if (waiting !== undefined && waiting.length <= waitingEventsMax) waiting.push(event);
      return undefined;
    }
    const after = folded(type, key, before, event);
    cached.set(key, after);
    return after.document === before.document ? undefined : { key, before: before.document, after: after.document };
  };

  return {
    get: (key) => {
      const found = cached.get(key);
      if (found === undefined) return loading.get(key)?.loaded ?? load(key);
      keeping.used(key);
      return found.document;
    },
    peek: (key) => cached.get(key)?.document,
    holds: (key) => cached.has(key),
    follows: (key) => cached.has(key) || loading.has(key),
    followsAny: () => cached.size > 0 || loading.size > 0,
    folds: (name) => types.has(name),
    apply: (event) => (types.has(event.type) ? type.keysOf(event).flatMap((key) => applied(key, event) ?? []) : []),
    pin: keeping.pin,
    unpin: keeping.unpin,
  };
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

/** Which keys stay: those that are pinned, and of the others those that were used last. */
const keepingOf = (held: Map<string, unknown>, bounds: { readonly idleMax: number; readonly idleBytesMax: number }) => {
  const pins = new Map<string, number>();
  // A Map keeps the order of insertion: the first is the one that was used least recently.
  const idle = new Map<string, number>();
  let idleBytes = 0;
  const entered = (key: string): void => {
    if (pins.has(key)) return;
    leave(key);
    const bytes = heldBytes(held.get(key));
    idle.set(key, bytes);
    idleBytes += bytes;
    for (const oldest of idle.keys()) {
      if (idle.size <= bounds.idleMax && idleBytes <= bounds.idleBytesMax) break;
      leave(oldest);
      held.delete(oldest);
    }
  };
  const leave = (key: string): void => {
    idleBytes -= idle.get(key) ?? 0;
    idle.delete(key);
  };
  return {
    entered,
    used: (key: string): void => {
      const bytes = idle.get(key);
      if (bytes !== undefined && idle.delete(key)) idle.set(key, bytes);
    },
    pin: (key: string): void => {
      pins.set(key, (pins.get(key) ?? 0) + 1);
      leave(key);
    },
    unpin: (key: string): void => {
      const left = (pins.get(key) ?? 0) - 1;
      if (left > 0) pins.set(key, left);
      else if (pins.delete(key) && held.has(key)) entered(key);
    },
  };
};
