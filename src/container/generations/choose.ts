import type { Config } from '../../config.js';
import { generationsOf } from '../../engines.js';
import { servedGeneration } from '../../kernel/generations.js';
import type { Generation, Generations } from '../../kernel/ports/generations.js';
import { readModels } from '../../projections/registry.js';
import { positionOf } from './position.js';
import { setOf } from './set.js';

/**
 * Chooses the generation of this release that serves from the next start on. One that is behind would show people less
 * than they have seen, so it is refused. A sentence that says why not, or undefined.
 */
export const chooseGeneration = async (config: Config, name: string): Promise<string | undefined> => {
  const [generations, set] = [generationsOf(config), setOf(readModels).name];
  const wanted = (await generations.list()).find((one) => one.name === name);
  if (wanted === undefined) return `there is no generation ${name}`;
  if (wanted.set !== set) return `the generation ${name} is of another release, which alone can serve it`;
  const served = await servedGeneration(generations, set);
  const objection = served && (await objectionTo(generations, wanted, served));
  if (objection === undefined) await generations.serve(wanted);
  return objection;
};

const objectionTo = async (
  generations: Generations,
  wanted: Generation,
  served: Generation,
): Promise<string | undefined> => {
  if (wanted.name === served.name) return undefined;
  const [at, needed] = [
    await positionOf(generations.documents(wanted), readModels),
    await positionOf(generations.documents(served), readModels),
  ];
  if (at >= needed) return undefined;
  return `the generation ${wanted.name} is behind: it is at ${at.toString()}, and ${served.name} serves at ${needed.toString()}; build it first`;
};
