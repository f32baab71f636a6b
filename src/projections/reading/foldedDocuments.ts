import type { AbsentDocument, DocumentStore, Peek, StoredDocument } from '../../kernel/ports/documentStore.js';

/**
 * The same store, whose reads by key see what is folded and not stored yet. Ranges, counts and scans see what is stored.
 * All keys of one read are as of one moment where the store reads in the tick of the call, as LMDB does.
 */
export const foldedDocuments = (store: DocumentStore, peek: Peek): DocumentStore => ({
  ...store,
  get: (collection, key) => {
    const hot = peek(collection, key);
    return hot === undefined ? store.get(collection, key) : Promise.resolve(hot);
  },
  getMany: (collection, keys) => {
    const hot = keys.map((key) => peek(collection, key));
    const missing = keys.filter((_, index) => hot[index] === undefined);
    if (missing.length === keys.length) return store.getMany(collection, keys);
    return filledIn(hot, missing.length === 0 ? [] : store.getMany(collection, missing));
  },
});

type Found = StoredDocument | AbsentDocument;

const filledIn = async (
  hot: readonly (Found | undefined)[],
  missing: readonly Found[] | Promise<readonly Found[]>,
): Promise<readonly Found[]> => {
  const rest = [...(await missing)];
  return hot.map((found) => found ?? nextOf(rest));
};

const nextOf = (rest: Found[]): Found => {
  const next = rest.shift();
  if (next === undefined) throw new Error('a read of many keys answered fewer than it was asked for');
  return next;
};
