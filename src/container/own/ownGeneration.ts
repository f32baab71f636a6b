import { ensuredGeneration, servedGeneration } from '../../kernel/generations.js';
import type { Generations } from '../../kernel/ports/generations.js';
import { checkpointOf } from '../../projections/progress/checkpoints.js';
import type { DeclaredReadModels } from '../../projections/registry.js';
import { ownDocuments, type OwnDocuments, type OwnDocumentsNeeds } from '../generations/ownDocuments.js';
import { setOf } from '../generations/set.js';

export type OwnGenerationNeeds = Pick<OwnDocumentsNeeds, 'name' | 'end' | 'onForeign'> & {
  readonly generations: Pick<Generations, 'list' | 'begin' | 'serving' | 'serve' | 'documents'>;
  readonly readModels: DeclaredReadModels;
};

/** The generation of a module that serves, open. Where that is foreign, the next one is begun, and serves from then on. */
export const ownGeneration = (needs: OwnGenerationNeeds): Promise<OwnDocuments> => {
  const { generations, readModels } = needs;
  const set = setOf(readModels);
  return ownDocuments({
    ...needs,
    collections: readModels.collections,
    checkpoints: readModels.projections.map(checkpointOf),
    wanted: () => ensuredGeneration(generations, set),
    beginAfter: async ({ name, number }) => {
      await generations.begin(set, number + 1);
      // Another node may be further already.
      if ((await servedGeneration(generations, set.name))?.name !== name) return;
      const own = (await generations.list()).filter((one) => one.set === set.name);
      const next = own.find((one) => one.number === number + 1);
      if (next !== undefined) await generations.serve(next);
    },
  });
};
