import type { Generation, Generations } from '../kernel/ports/generations.js';
import { whileHeld, type TenureNeeds } from '../kernel/tenure.js';
import { pause } from '../kernel/timing.js';
import { searchCheckpoint, searchCollections } from '../projections/search/documents.js';
import { searchLease } from '../projections/search/searchIndex.js';
import { ownDocuments, type OwnDocuments, type OwnDocumentsNeeds } from './generations/ownDocuments.js';
import { setOf } from './generations/set.js';

export type SearchGenerationNeeds = Pick<OwnDocumentsNeeds, 'name' | 'end' | 'onForeign'> & {
  readonly generations: Pick<Generations, 'list' | 'begin' | 'documents' | 'drop'>;
};

/** The newest index of this form, open. Where that is foreign, the next one is begun. */
export const ownIndex = (needs: SearchGenerationNeeds): Promise<OwnDocuments> => {
  const { generations } = needs;
  return ownDocuments({
    ...needs,
    collections: searchCollections,
    checkpoints: [searchCheckpoint],
    wanted: async () => (await newestOf(generations)) ?? (await generations.begin(searchSet, 1)),
    beginAfter: ({ number }) => generations.begin(searchSet, number + 1),
  });
};

const searchSet = setOf({ projections: [], collections: searchCollections });

const newestOf = async ({ list }: Pick<Generations, 'list'>): Promise<Generation | undefined> => {
  const own = (await list()).filter(({ set }) => set === searchSet.name);
  return own.reduce<Generation | undefined>(
    (one, other) => (one && one.number > other.number ? one : other),
    undefined,
  );
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

/** Those of another set are newer where any of their collections has a higher version. */
const isFormer = ({ set, number, types }: Generation, own: Generation): boolean => {
  if (set === own.set) return number < own.number;
  const versions = new Map(own.types.map(versionedName));
  return types.map(versionedName).every(([name, version]) => version <= (versions.get(name) ?? version));
};

const versionedName = (collection: string): readonly [string, number] => {
  const [, name = collection, version = '0'] = /^(.*)_v(\d+)$/.exec(collection) ?? [];
  return [name, Number(version)];
};

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
