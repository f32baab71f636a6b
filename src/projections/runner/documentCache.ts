import { collectionOf, streamsOf, type AnyDocumentType } from '../../kernel/document.js';
import { beforeAll, type Position } from '../../kernel/event.js';
import type { DocumentStore, IndexKey, Plain } from '../../kernel/ports/documentStore.js';
import { withSealedFields } from '../sealing/storedForm.js';

/** A document with all events folded in that were read so far, whether that is stored already or not. */
export type CachedDocument = {
  readonly type: AnyDocumentType;
  readonly collection: string;
  readonly key: string;
  document: unknown;
  /** The same in the form of the store, where somebody has asked for that since the last change. */
  stored: Plain | undefined;
  /** Of the document as it is after a change. */
  indexKeys: Readonly<Record<string, readonly IndexKey[]>>;
  position: Position;
  /** Differs from the version last handed to the store. */
  changed: boolean;
};

/** The documents of one type that were folded last, so that busy ones are not fetched again. */
export interface DocumentCache {
  /** The document, which is to be loaded before it is used when it was not in memory. */
  of(key: string): CachedDocument;
  /**
   * The document of a stream that begins with the event at hand: there is nothing to fetch. When the event is delivered
   * again the store has a newer one, and keeps it until the folds have come further than that.
   */
  begun(key: string): CachedDocument;
  /** Undefined when it is not in memory, or nothing was folded into it yet. Does not count as a use. */
  peek(key: string): CachedDocument | undefined;
  /** Fetches what `of` did not find. */
  load(fetch: DocumentStore['getMany']): Promise<void>;
  /** Forgets documents that were not used lately. Those that `isPinned` are kept: the store does not have them yet. */
  age(pinned: readonly (readonly CachedDocument[])[]): void;
  /** The same, however few there are. */
  letGo(pinned: readonly (readonly CachedDocument[])[]): void;
}

/** At least so many are kept, and at most twice as many besides those that are pinned. */
export const cachedDocumentsMin = 2_048;

export const documentCache = (type: AnyDocumentType): DocumentCache => {
  const collection = collectionOf(type);
  // Two generations: documents that are used move to the young one, and when that is full, the old one is let go as a
  // whole.
  let young = new Map<string, CachedDocument>();
  let old = new Map<string, CachedDocument>();
  let missing: CachedDocument[] = [];
  const known = (key: string): CachedDocument | undefined => {
    const used = young.get(key);
    if (used !== undefined) return used;
    const hot = old.get(key);
    if (hot !== undefined) young.set(key, hot);
    return hot;
  };
  const blank = (key: string): CachedDocument => {
    const hot = blankOf(type, collection, key);
    young.set(key, hot);
    return hot;
  };
  const letGo: DocumentCache['letGo'] = (pinned) => {
    old = young;
    young = new Map();
    for (const hots of pinned) {
      for (const hot of hots) if (hot.type === type && !old.has(hot.key)) young.set(hot.key, hot);
    }
  };
  return {
    of: (key) => {
      const hot = known(key);
      if (hot !== undefined) return hot;
      const fetched = blank(key);
      missing.push(fetched);
      return fetched;
    },
    begun: (key) => known(key) ?? blank(key),
    peek: (key) => {
      const hot = young.get(key) ?? old.get(key);
      // Before that it may be blank, and the store may have it.
      return hot === undefined || hot.position === beforeAll ? undefined : hot;
    },
    load: async (fetch) => {
      if (missing.length === 0) return;
      const stored = await fetch(
        collection,
        missing.map(({ key }) => key),
      );
      for (const [index, { document, position }] of stored.entries()) {
        const hot = missing[index];
        if (hot === undefined) continue;
        hot.document = document && withSealedFields(document, streamsOf(type, hot.key));
        hot.stored = document;
        hot.position = position;
      }
      missing = [];
    },
    age: (pinned) => {
      if (young.size >= cachedDocumentsMin) letGo(pinned);
    },
    letGo,
  };
};

/** All of one shape, because one is made for nearly every event. */
const blankOf = (type: AnyDocumentType, collection: string, key: string): CachedDocument => ({
  type,
  collection,
  key,
  document: undefined,
  stored: undefined,
  indexKeys: noKeys,
  position: beforeAll,
  changed: false,
});

/** Of a document that stands in no index. */
export const noKeys = {};
