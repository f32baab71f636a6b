import { collectionOf, type DocumentType } from '../../kernel/document.js';
import type { Event } from '../../kernel/event.js';
import type { IndexRange, KeyScan } from '../../kernel/ports/documentStore.js';
import type { Personal } from '../../kernel/personal.js';
import type { ReadableDocuments } from './openedDocuments.js';

/** The needs of every query. */
export type Reads = { readonly store: ReadableDocuments };

export const documentOf = async <Doc, E extends Event>(
  { store }: Reads,
  type: DocumentType<Doc, E>,
  key: string,
): Promise<Doc | undefined> => {
  const { document } = await store.get(collectionOf(type), key);
  // The documents in a collection were put there by the folds of its type: here, and in the casts below.
  return document as Doc | undefined;
};

/** In the order of `keys`; those that have no document are left out. */
export const documentsOf = async <Doc, E extends Event>(
  { store }: Reads,
  type: DocumentType<Doc, E>,
  keys: readonly string[],
): Promise<readonly Doc[]> => {
  if (keys.length === 0) return [];
  const found = await store.getMany(collectionOf(type), keys);
  return found.map((stored) => stored.document as Doc | undefined).filter((document) => document !== undefined);
};

export const documentsIn = async <Doc, E extends Event>(
  { store }: Reads,
  type: DocumentType<Doc, E>,
  range: Omit<IndexRange, 'collection'>,
): Promise<readonly Doc[]> => {
  if (range.limit <= 0) return [];
  const found = await store.range({ collection: collectionOf(type), ...range });
  return found.map(({ document }) => document as Doc);
};

/** A document without what is personal in it. */
export type Unopened<Doc> = {
  readonly [Field in keyof Doc as NonNullable<Doc[Field]> extends Personal<unknown> ? never : Field]: Doc[Field];
};

/** Opens nothing: for those who count, order or look for ids. */
export const unopenedIn = async <Doc, E extends Event>(
  { store }: Reads,
  type: DocumentType<Doc, E>,
  range: Omit<IndexRange, 'collection'>,
): Promise<readonly Unopened<Doc>[]> => {
  const found = await store.unopened.range({ collection: collectionOf(type), ...range });
  return found.map(({ document }) => document as unknown as Unopened<Doc>);
};

export const scanned = async <Doc, E extends Event>(
  { store }: Reads,
  type: DocumentType<Doc, E>,
  scan: Omit<KeyScan, 'collection'>,
): Promise<readonly Doc[]> => {
  const found = await store.scan({ collection: collectionOf(type), ...scan });
  return found.map(({ document }) => document as Doc);
};

/** How many keys the range has, counted up to its limit. */
export const countIn = (
  { store }: Reads,
  type: Parameters<typeof collectionOf>[0],
  range: Omit<IndexRange, 'collection' | 'order'>,
): Promise<number> => store.count({ order: 'ascending', collection: collectionOf(type), ...range });
