import type { Event, EventOf, Recorded } from './event.js';
import type { IndexKey } from './ports/documentStore.js';

/**
 * The effect of each event on the document under `key`. An `undefined` argument is a document that does not exist yet,
 * an `undefined` result one that exists no longer.
 */
export type DocumentFold<Doc, E extends Event> = {
  readonly [Type in E['type']]: (
    document: Doc | undefined,
    event: Recorded<EventOf<E, Type>>,
    key: string,
  ) => Doc | undefined;
};

/** Which documents each event is folded into. */
export type DocumentKeys<E extends Event> = {
  readonly [Type in E['type']]: (event: Recorded<EventOf<E, Type>>) => readonly string[];
};

/** A read model record: a pure fold of the events that name its key. */
export interface DocumentType<Doc, E extends Event = Event> {
  readonly name: string;
  /** Raised when the fold would make something else of old events: then the documents are rebuilt from the log. */
  readonly version: number;
  readonly keys: DocumentKeys<E>;
  /** The streams that one key is folded from, which is what an as-of read folds again; `'log'` when they cannot be listed. */
  readonly streams: ((key: string) => readonly string[]) | 'log';
  /**
   * Set by a type whose documents have one stream each, where folding the first event and any later one gives the same
   * document as folding all events up to the later one: each later event that the rules allow replaces all that an
   * earlier one may have changed, or removes the document.
   */
  readonly foldsFromFirstAndLatest?: true;
  readonly indexes: Readonly<Record<string, (document: Doc) => readonly IndexKey[]>>;
  readonly evolve: DocumentFold<Doc, E>;
}

/** The set of document types of one package that share a checkpoint. */
export interface Projection {
  readonly name: string;
  readonly documents: readonly AnyDocumentType[];
}

declare const document: unique symbol;
/** A document type whose document and events are forgotten, as the runner sees it. */
export type AnyDocumentType = Omit<DocumentType<never, never>, 'keys' | 'indexes' | 'evolve'> & {
  readonly [document]?: unknown;
  readonly types: readonly string[];
  readonly keysOf: (event: Recorded) => readonly string[];
  readonly indexKeysOf: (document: unknown) => Readonly<Record<string, readonly IndexKey[]>>;
  readonly fold: (document: unknown, event: Recorded, key: string) => unknown;
};

/** The streams that the document is folded from, as far as its key tells. */
export const streamsOf = ({ streams }: Pick<AnyDocumentType, 'streams'>, key: string): readonly string[] =>
  streams === 'log' ? [] : streams(key);

export const collectionOf = (type: { readonly name: string; readonly version: number }): string =>
  `${type.name}_v${type.version.toString()}`;

/** Forgets the types, in one place, with the casts that this takes: tables pair each event with its own line. */
export const forRunner = <Doc, E extends Event>(type: DocumentType<Doc, E>): AnyDocumentType => {
  const keys = type.keys as unknown as Readonly<Record<string, (event: Recorded) => readonly string[]>>;
  const evolve = type.evolve as unknown as Readonly<
    Record<string, (document: unknown, event: Recorded, key: string) => unknown>
  >;
  const indexes = Object.entries(type.indexes) as readonly (readonly [
    string,
    (document: unknown) => readonly IndexKey[],
  ])[];
  return {
    name: type.name,
    version: type.version,
    streams: type.streams,
    ...(type.foldsFromFirstAndLatest === true && { foldsFromFirstAndLatest: true }),
    types: Object.keys(evolve),
    keysOf: (event) => keys[event.type]?.(event) ?? [],
    indexKeysOf: (document) => Object.fromEntries(indexes.map(([name, of]) => [name, of(document)])),
    fold: (document, event, key) => evolve[event.type]?.(document, event, key),
  };
};
