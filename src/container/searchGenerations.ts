import { openDocuments } from '../engines.js';
import type { Position } from '../kernel/event.js';
import type { DocumentStore } from '../kernel/ports/documentStore.js';
import type { Generation, Generations } from '../kernel/ports/generations.js';
import { whileHeld, type TenureNeeds } from '../kernel/tenure.js';
import { pause } from '../kernel/timing.js';
import { searchCheckpoint, searchCollections } from '../projections/search/documents.js';
import { searchLease } from '../projections/search/searchIndex.js';
import { setOf } from './generations/set.js';

export type SearchGenerationNeeds = {
  readonly generations: Pick<Generations, 'list' | 'begin' | 'documents' | 'drop'>;
  /** Of the deployment, and of the keys that it has: an index of another name is worth nothing. */
  readonly name: string;
  /** The end of the log. */
  readonly end: () => Promise<Position>;
  /** An index of another log or vault was found, and one is built anew. */
  readonly onForeign: (generation: string) => void;
};

export type IndexOfWords = { readonly generation: Generation; readonly store: DocumentStore };

/** More often than this no index is found foreign at a start, unless something else is wrong. */
const begunMax = 5;

/**
 * The newest index of this form, open. One of another deployment, of before keys were given up, or of a log that is gone
 * is left as it is, and the next one begun: of several nodes that find that at once, one begins it and the others take it.
 * So nobody drops what another node has just begun.
 */
export const ownIndex = async (needs: SearchGenerationNeeds): Promise<IndexOfWords> => {
  const { generations, onForeign } = needs;
  for (let begun = 0; begun < begunMax; begun += 1) {
    const newest = (await newestOf(generations)) ?? (await generations.begin(searchSet, 1));
    if (newest === undefined) continue;
    const store = await openDocuments(generations.documents(newest), searchCollections);
    if (await isOwn(needs, store)) return { generation: newest, store };
    await store.close();
    onForeign(newest.name);
    await generations.begin(searchSet, newest.number + 1);
  }
  throw new Error('no generation of the search index belongs to this deployment');
};

const searchSet = setOf({ projections: [], collections: searchCollections });

const newestOf = async ({ list }: Pick<Generations, 'list'>): Promise<Generation | undefined> => {
  const own = (await list()).filter(({ set }) => set === searchSet.name);
  return own.reduce<Generation | undefined>(
    (one, other) => (one && one.number > other.number ? one : other),
    undefined,
  );
};

/** Takes an empty one. Closes the store when it fails. */
const isOwn = async ({ name, end }: SearchGenerationNeeds, store: DocumentStore): Promise<boolean> => {
  try {
    const owner = await store.owner();
    const isNamed = owner.status === 'empty' || (owner.status === 'named' && owner.deployment === name);
    if (!isNamed || (await store.checkpoint(searchCheckpoint)) > (await end())) return false;
    await store.belongTo(name);
    return true;
  } catch (error) {
    await store.close();
    throw error;
  }
};

export type FormerIndexNeeds = Pick<SearchGenerationNeeds, 'generations'> &
  TenureNeeds & { readonly own: Generation; readonly signal: AbortSignal; readonly onDropped: (name: string) => void };

/** Nodes of the release before may work on theirs for as long as they run. */
export const formerLookMillis = 600_000;

/**
 * Drops all indexes but the own one and newer ones, each once no node holds its lease: nobody takes out of them what is
 * erased. To be called when the own one is as far as the log. Resolves when none is left or the signal is raised.
 */
export const dropFormerIndexes = async (needs: FormerIndexNeeds): Promise<void> => {
  const { generations, own, signal } = needs;
  const former = async (): Promise<readonly Generation[]> =>
    (await generations.list()).filter((one) => isFormer(one, own));
  const isOver = (): boolean => signal.aborted;
  for (let left = await former(); left.length > 0 && !isOver(); left = await former()) {
    for (const one of left) if (!isOver()) await dropIfFree(needs, one);
    if ((await former()).length > 0 && !isOver()) await pause(formerLookMillis, signal);
  }
};

const isFormer = ({ set, number }: Generation, own: Generation): boolean => set !== own.set || number < own.number;

const dropIfFree = async (needs: FormerIndexNeeds, former: Generation): Promise<void> => {
  let dropping: Promise<void> | undefined;
  const tenancy = await whileHeld(searchLease(former.name), needs, () => {
    dropping ??= needs.generations.drop(former).then(() => {
      needs.onDropped(former.name);
    });
    return dropping;
  });
  try {
    await dropping;
  } finally {
    await tenancy.close();
  }
};
