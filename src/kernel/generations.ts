import type { DocumentsOwner, DocumentStore } from './ports/documentStore.js';
import type { Generation, Generations, GenerationSet } from './ports/generations.js';

/** Of the generations of a set the one that was chosen to serve, or the first while none was. */
export const servedGeneration = async (
  generations: Pick<Generations, 'list' | 'serving'>,
  set: string,
): Promise<Generation | undefined> => {
  const own = (await generations.list()).filter((one) => one.set === set);
  const chosen = await generations.serving(set);
  return own.find(({ name }) => name === chosen) ?? own[0];
};

/** The same, made when there is none, and chosen when the one that was chosen is gone. Several nodes that do this at once come to the same one. */
export const ensuredGeneration = async (
  generations: Pick<Generations, 'list' | 'serving' | 'serve' | 'begin'>,
  set: GenerationSet,
): Promise<Generation> => {
  const there = (await servedGeneration(generations, set.name)) ?? (await generations.begin(set, 1));
  const found = there ?? (await servedGeneration(generations, set.name));
  if (found === undefined) throw new Error(`the generation ${set.name}_1 went while it was made: start again`);
  // One of the chosen name may be made again, and would serve at the next start before it is built.
  const chosen = await generations.serving(set.name);
  if (chosen !== undefined && chosen !== found.name) await generations.serve(found);
  return found;
};

/** Documents that tell to which deployment a store of generations belongs. */
export type Witness = { readonly owner: DocumentsOwner; readonly documents: DocumentStore };

/**
 * Of all documents that are there, those that say most about whose they are: the first that are named, those that serve
 * before others; else the first that have no name; undefined where all are empty. To be closed by the caller.
 */
export const witnessIn = async (generations: Generations, set: string): Promise<Witness | undefined> => {
  let unnamed: Witness | undefined;
  for (const documents of await documentsIn(generations, set)) {
    const owner = await documents.owner();
    if (owner.status === 'named') {
      await unnamed?.documents.close();
      return { owner, documents };
    }
    if (owner.status === 'unnamed' && unnamed === undefined) unnamed = { owner, documents };
    else await documents.close();
  }
  return unnamed;
};

const documentsIn = async (generations: Generations, set: string): Promise<readonly DocumentStore[]> => {
  const all = await generations.list();
  const served = await servedGeneration(generations, set);
  const others = all.filter(({ name }) => name !== served?.name);
  const stores = [...(served === undefined ? [] : [served]), ...others].map((one) => generations.documents(one));
  return (await generations.former.isThere()) ? [...stores, generations.former.documents()] : stores;
};

/** Drops all documents that are there, those of former releases included. */
export const dropAll = async (generations: Generations): Promise<void> => {
  for (const one of await generations.list()) await generations.drop(one);
  await generations.former.drop();
};
