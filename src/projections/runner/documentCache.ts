import { collectionOf, streamsOf, type AnyDocumentType } from '../../kernel/document.js';
import { beforeAll, type Position } from '../../kernel/event.js';
import { plainBytes } from '../../kernel/plainBytes.js';
import type { DocumentStore, IndexKey, Plain } from '../../kernel/ports/documentStore.js';
import { storedForm, withSealedFields } from '../sealing/storedForm.js';

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
  /** About what it takes in memory, as of when it was fetched or put into the form of the store. */
  bytes: number;
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
  /** In the form of the store, made once for each change, whether it is peeked at or stored. Nothing of one that is removed. */
  storedOf(hot: CachedDocument): { readonly document?: Plain };
  /** Fetches what `of` did not find. */
  load(fetch: DocumentStore['getMany']): Promise<void>;
  /** Forgets documents that were not used lately. Those that `isPinned` are kept: the store does not have them yet. */
  age(pinned: readonly (readonly CachedDocument[])[]): void;
  /** The same, however few there are. */
  letGo(pinned: readonly (readonly CachedDocument[])[]): void;
  /** Of all that are in memory. */
  readonly bytes: number;
}

/** At least so many are kept, as far as their bytes allow, and at most twice as many besides those that are pinned. */
export const cachedDocumentsMin = 2_048;

/** About, of the documents of all types together, besides those that are pinned. Beyond it the type that has most lets go. */
export const cachedDocumentBytesMax = 67_108_864;

/** `age` of all caches that share the bound on bytes. */
export const ageAll = (caches: Iterable<DocumentCache>, pinned: readonly (readonly CachedDocument[])[]): void => {
  let bytes = 0;
  let fullest: DocumentCache | undefined;
  for (const cache of caches) {
    cache.age(pinned);
    bytes += cache.bytes;
    if (fullest === undefined || cache.bytes > fullest.bytes) fullest = cache;
  }
  // Those that are used from now on stay, and the rest goes the next time.
  if (bytes > cachedDocumentBytesMax) fullest?.letGo(pinned);
};

/** Of a document in memory over one in a store: as objects and once more in the form of the store. */
const memoryFactor = 4;
const entryBytes = 256;

export const documentCache = (type: AnyDocumentType): DocumentCache => {
  const collection = collectionOf(type);
  const { used, found, put, weigh, ...held } = generations(type);
  let missing: CachedDocument[] = [];
  const blank = (key: string): CachedDocument => put(blankOf(type, collection, key));
  return {
    of: (key) => {
      const hot = used(key);
      if (hot !== undefined) return hot;
      const fetched = blank(key);
      missing.push(fetched);
      return fetched;
    },
    begun: (key) => used(key) ?? blank(key),
    peek: (key) => {
      const hot = found(key);
      // Before that it may be blank, and the store may have it.
      return hot === undefined || hot.position === beforeAll ? undefined : hot;
    },
    storedOf: (hot) => {
      const { key, document } = hot;
      if (document === undefined) return {};
      if (hot.stored === undefined) {
        hot.stored = storedForm(document, streamsOf(type, key));
        weigh(hot, hot.stored);
      }
      return { document: hot.stored };
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
        weigh(hot, document);
      }
      missing = [];
    },
    age: (pinned) => {
      if (held.youngOnes() >= cachedDocumentsMin) held.letGo(pinned);
    },
    letGo: held.letGo,
    get bytes() {
      return held.bytes();
    },
  };
};

/**
 * Two generations: documents that are used move to the young one, and when that is full, the old one is let go as a
 * whole.
 */
const generations = (type: AnyDocumentType) => {
  let young = new Map<string, CachedDocument>();
  let old = new Map<string, CachedDocument>();
  let bytes = 0;
  const put = (hot: CachedDocument): CachedDocument => {
    young.set(hot.key, hot);
    return hot;
  };
  return {
    put,
    used: (key: string): CachedDocument | undefined => {
      const hot = young.get(key);
      if (hot !== undefined) return hot;
      const older = old.get(key);
      if (older === undefined) return undefined;
      // So that it is there once.
      old.delete(key);
      return put(older);
    },
    found: (key: string): CachedDocument | undefined => young.get(key) ?? old.get(key),
    weigh: (hot: CachedDocument, stored: Plain | undefined): void => {
      const now = entryBytes + (stored === undefined ? 0 : memoryFactor * plainBytes(stored));
      bytes += now - hot.bytes;
      hot.bytes = now;
    },
    letGo: (pinned: readonly (readonly CachedDocument[])[]): void => {
      old = young;
      young = new Map();
      for (const hots of pinned) {
        for (const hot of hots) if (hot.type === type && !old.has(hot.key)) young.set(hot.key, hot);
      }
      bytes = bytesOf(young) + bytesOf(old);
    },
    youngOnes: (): number => young.size,
    bytes: (): number => bytes,
  };
};

const bytesOf = (documents: ReadonlyMap<string, CachedDocument>): number => {
  let sum = 0;
  for (const { bytes } of documents.values()) sum += bytes;
  return sum;
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
  bytes: 0,
});

/** Of a document that stands in no index. */
export const noKeys = {};
