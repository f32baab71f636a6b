import type { Position } from '../event.js';

/** Plain data, which a document may hold. Absent fields are left out, never `undefined` in an array. */
export type Plain =
  | string
  | number
  | bigint
  | boolean
  | null
  | Uint8Array
  | readonly Plain[]
  | { readonly [key: string]: Plain | undefined };

/** Compared element by element: strings by code point, numbers and bigints by value. One index always holds the same kinds. */
export type IndexKey = readonly (string | number | bigint)[];

/** One type of document, as a store sees it. */
export type CollectionSpec = {
  /** Letters, digits and `_`; carries the version of the fold: `messages_v1`. */
  readonly name: string;
  /** Names of its indexes; an index may give a document no key, one, or several. */
  readonly indexes: readonly string[];
};

export type StoredDocument = {
  readonly key: string;
  readonly document: Plain;
  /** The position of the last event folded into it. */
  readonly position: Position;
};

/** A key that has no document now. `position` is that of the event that removed it, `beforeAll` when there never was one. */
export type AbsentDocument = { readonly key: string; readonly document?: undefined; readonly position: Position };

/** A document as it is in memory, maybe newer than the store has it; undefined when it is to be asked of the store. */
export type Peek = (collection: string, key: string) => StoredDocument | AbsentDocument | undefined;

export type DocumentWrite = {
  readonly collection: string;
  readonly key: string;
  /** Absent: the document is removed. Its position is kept, so that an older event cannot bring it back. */
  readonly document?: Plain;
  readonly position: Position;
  /** For each index all keys of this document; those of its former version go. */
  readonly indexKeys: Readonly<Record<string, readonly IndexKey[]>>;
};

/** A checkpoint says: all events up to `position` are in the documents of this projection. */
export type Checkpoint = {
  readonly projection: string;
  /** Under a fence a checkpoint never goes back: of the stored position and this one the higher stays. */
  readonly position: Position;
  /**
   * Of the lease under which it is written. The store keeps it with the checkpoint, and from then on refuses those who
   * come with a lower one. Absent: it is not compared, and what the store has of it stays.
   */
  readonly fence?: bigint;
};

/** A checkpoint of the commit was written under a higher fence: somebody else holds the lease now. */
export class Fenced extends Error {
  readonly projection: string;

  constructor(projection: string) {
    super(`the checkpoint of ${projection} belongs to a later holder of its lease`);
    this.name = 'Fenced';
    this.projection = projection;
  }
}

/**
 * A range of an index: all keys that begin with `within`, and whose next element is strictly above `after` and strictly
 * below `before` where those are given.
 */
export type IndexRange = {
  readonly collection: string;
  readonly index: string;
  readonly within: IndexKey;
  readonly after?: string | number | bigint;
  readonly before?: string | number | bigint;
  readonly order: 'ascending' | 'descending';
  /** At most this many. */
  readonly limit: number;
  /**
   * Ends with the document with which those found have more bytes than this, as the store measures them. The first one
   * comes in any case. Default: any number. `count` has no documents and does not look at it.
   */
  readonly bytesMax?: number;
};

/** Whose documents a store has: `unnamed` where some were written and nobody said for which deployment. */
export type DocumentsOwner =
  | { readonly status: 'empty' }
  | { readonly status: 'unnamed' }
  | { readonly status: 'named'; readonly deployment: string };

/** Keys that one call of `removePrefix` removes at most, so that other commits need not wait long. */
export const removalsPerCommitMax = 1_000;

/** The read models. Any of it can be rebuilt from the log. */
export interface DocumentStore {
  /** Changes nothing, so it may be asked before `open`, which drops what is not named. Makes nothing either. */
  owner(): Promise<DocumentsOwner>;

  /** Names the deployment to which all documents belong, in place of a former name. To be called after `open`. */
  belongTo(deployment: string): Promise<void>;

  /** The collections that `open` was last given, in some order; may be asked before `open`. Makes nothing. */
  collections(): Promise<readonly CollectionSpec[]>;

  /**
   * Makes what the collections need. Call once, before anything but `owner` and `collections`; collections that are not named any more are
   * dropped, and with each of them go the checkpoints that have its name among the words of theirs: should it be named
   * again, its documents are not there. A process that still works on a dropped collection is fenced off.
   */
  open(collections: readonly CollectionSpec[]): Promise<void>;

  get(collection: string, key: string): Promise<StoredDocument | AbsentDocument>;

  /** In the order of `keys`. */
  getMany(collection: string, keys: readonly string[]): Promise<readonly (StoredDocument | AbsentDocument)[]>;

  /** Documents in the order of the index; a document with several keys in the range comes once for each. */
  range(range: IndexRange): Promise<readonly StoredDocument[]>;

  /** How many keys the range has, counted up to its limit. Reads no documents. */
  count(range: IndexRange): Promise<number>;

  /** Documents whose own key starts with `prefix` and lies strictly between `after` and `before`, by key, ascending. */
  scan(scan: KeyScan): Promise<readonly StoredDocument[]>;

  /**
   * Writes all documents and the checkpoints. A write whose position is not above that of the stored document changes
   * nothing: the log may deliver an event again. Atomic where the engine can; where it cannot, checkpoints come last.
   *
   * Throws `Fenced` when the stored fence of one of the checkpoints is higher than the one it comes with; then nothing
   * was written. To keep former holders out before anything new is known, commit no documents and the checkpoints at
   * `beforeAll`, under the new fence.
   *
   * An engine without transactions compares the fences before it writes, and again in the write of each checkpoint. When
   * a higher fence comes in between, documents of the refused commit may have been written, and so may checkpoints of
   * other projections in it that are not fenced off yet. That harms nothing: a document is a pure fold of the log up to
   * its position, so a late writer puts there what a later holder has put or is about to put, and what is newer stays.
   * The checkpoint that belongs to somebody else does not move.
   */
  commit(writes: readonly DocumentWrite[], checkpoints: readonly Checkpoint[]): Promise<void>;

  /**
   * Removes the first documents, by key, whose own key starts with `prefix`, with their index entries and with the
   * positions that removed ones left, in one commit of at most `removalsPerCommitMax`. Answers how many keys there were:
   * fewer than that when none is left. Rejects an empty prefix.
   *
   * Nothing is kept of them, so an event that is folded again would bring a document back. Only for keys of which all
   * events are in the documents already: wait until the checkpoint of their projection has passed the last one.
   */
  removePrefix(collection: string, prefix: string): Promise<number>;

  /**
   * Removes the positions that removed documents left under these keys. Keys that have a document stay as they are. With
   * the same care as `removePrefix`, because an event that is folded again would bring a document back; and only of
   * documents that never had more than one key in an index.
   */
  forget(collection: string, keys: readonly string[]): Promise<void>;

  /** `beforeAll` for a projection that has none. May be asked before `open`, beside a process that works on the documents. Makes nothing. */
  checkpoint(projection: string): Promise<Position>;

  close(): Promise<void>;
}

export type KeyScan = {
  readonly collection: string;
  readonly prefix: string;
  /** Whole keys. */
  readonly after?: string;
  readonly before?: string;
  readonly limit: number;
};
