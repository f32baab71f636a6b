/**
 * A projection of your own. A module exports one as `projection`; docs/projections.md has an example from
 * beginning to end. This file needs no other one, so its types can be used wherever the module is written.
 */
export type OwnProjection = {
  /** A small letter, and then letters and digits: 32 at most. */
  readonly name: string;
  /** A whole number from 1 on. Raised when the folds would make something else of old events: then all is folded again. */
  readonly version: number;
  /** Types of documents by their names, which are of the same form; 16 at most. */
  readonly documents: Readonly<Record<string, OwnDocumentType>>;
};

/** Both tables are for the same events. Their functions give the same for the same arguments, and change none of them. */
export type OwnDocumentType<Doc extends OwnDocument = OwnDocument> = {
  /** The keys of the documents that an event is folded into: 100 at most, of 160 bytes each. */
  readonly keys: Readonly<Record<string, (event: OwnEvent) => readonly string[]>>;
  /**
   * The document under `key` after the event. An `undefined` argument is a document that does not exist yet, an
   * `undefined` result one that exists no longer. A document has at most 32 KiB as JSON.
   */
  readonly fold: Readonly<Record<string, OwnFold<Doc>>>;
  /** Keys by which documents are found: 16 at most for each document. One index has elements of the same kinds. */
  readonly indexes?: Readonly<Record<string, OwnIndex<Doc>>>;
};

export type OwnFold<Doc extends OwnDocument = OwnDocument> =
  // A method, because a module knows better than the table which documents its folds are given.
  { fold(document: Doc | undefined, event: OwnEvent, key: string): Doc | undefined }['fold'];

export type OwnIndex<Doc extends OwnDocument = OwnDocument> =
  // The same.
  { keysOf(document: Doc): readonly (readonly (string | number)[])[] }['keysOf'];

export type OwnValue =
  string | number | boolean | null | readonly OwnValue[] | { readonly [field: string]: OwnValue | undefined };
export type OwnDocument = Readonly<Record<string, OwnValue | undefined>>;

/** An event as docs/events.md describes it. Ids and other 64-bit numbers are texts of decimal digits. */
export type OwnEvent = {
  /** The name of the fact: `MessageSent`. */
  readonly type: string;
  readonly stream: string;
  /** Grows from event to event, and has gaps. */
  readonly position: string;
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** The user who acted; absent when nobody did. */
  readonly actor?: string;
  /** Personal fields are `Sealed`, unless the operator has opened them for the module: then open, or `Erased`. */
  readonly data: Readonly<Record<string, OwnValue | Sealed | Erased | undefined>>;
};

export type Sealed = { readonly sealed: true };
/** Its keys are destroyed. */
export type Erased = { readonly erased: true };
