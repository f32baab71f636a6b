import { openDocuments } from '../../engines.js';
import { ensuredGeneration } from '../../kernel/generations.js';
import type { DocumentStore } from '../../kernel/ports/documentStore.js';
import type { Generation, Generations } from '../../kernel/ports/generations.js';
import type { DeclaredReadModels } from '../../projections/registry.js';
import { of, type Get } from '../tokens.js';
import { setOf } from './set.js';

export type BuiltAnewNeeds = {
  readonly generations: Generations;
  readonly readModels: DeclaredReadModels;
  readonly checkpoints: readonly string[];
  /** The name of whom the documents belong to. */
  readonly owner: string;
  /** For people: `the search index`. */
  readonly what: string;
};

type Opened = { readonly generation: Generation; readonly store: DocumentStore };

/**
 * Opens the generation that serves, or makes the first. Documents of another owner, or of a log that is gone, are worth
 * nothing: they are dropped, and built from the log anew.
 */
export const storeBuiltAnew = async (get: Get, needs: BuiltAnewNeeds): Promise<Opened> => {
  const { generations, readModels, what } = needs;
  const generation = await ensuredGeneration(generations, setOf(readModels));
  const store = await openDocuments(generations.documents(generation), readModels.collections);
  try {
    if (await isOwn(get, store, needs)) {
      await store.belongTo(needs.owner);
      return { generation, store };
    }
  } catch (error) {
    await store.close();
    throw error;
  }
  await store.close();
  get(of.logger).warn({ generation: generation.name }, `${what} is of another log or vault: it is built anew`);
  await generations.drop(generation);
  return storeBuiltAnew(get, needs);
};

const isOwn = async (get: Get, store: DocumentStore, { owner, checkpoints }: BuiltAnewNeeds): Promise<boolean> => {
  const found = await store.owner();
  if (found.status === 'unnamed' || (found.status === 'named' && found.deployment !== owner)) return false;
  const end = await get(of.log).end();
  for (const name of checkpoints) if ((await store.checkpoint(name)) > end) return false;
  return true;
};
