import { GenerationRefused, type Switched } from '../../admin/projections.js';
import { servedGeneration } from '../../kernel/generations.js';
import type { Generation } from '../../kernel/ports/generations.js';
import { behind, generationOf } from './live.js';
import { positionOf } from './position.js';
import type { GenerationsAdminNeeds } from './needs.js';

/**
 * Chooses the generation of this release that serves from the next start on. One that is behind would show people less
 * than they have seen, so it is refused. Throws `GenerationRefused`.
 */
export const chosenWhileStopped = async (needs: GenerationsAdminNeeds, name: string): Promise<Switched> => {
  const { generations, set } = needs;
  const wanted = await generationOf(generations, set, name);
  const served = await servedGeneration(generations, set);
  if (served?.name === name) throw new GenerationRefused(`the generation ${name} serves already`);
  if (served !== undefined) await mustBeLevel(needs, wanted, served);
  await generations.serve(wanted, served?.name);
  return { generation: name, ...(served === undefined ? {} : { before: served.name }), from: 'next start' };
};

/** Throws `GenerationRefused` where `one` holds less of the log than `other`. */
export const mustBeLevel = async (
  { generations, readModels }: Pick<GenerationsAdminNeeds, 'generations' | 'readModels'>,
  one: Generation,
  other: Generation,
): Promise<void> => {
  const [at, needed] = [
    await positionOf(generations.documents(one), readModels),
    await positionOf(generations.documents(other), readModels),
  ];
  if (at < needed) throw behind(one.name, at, `and ${other.name} serves at ${needed.toString()}`);
};
