import type { Config } from '../../config.js';
import { generationsOf } from '../../engines.js';
import { witnessIn } from '../../kernel/generations.js';
import { readModels } from '../../projections/registry.js';
import { setOf } from './set.js';

/** As the documents that are there already have it. */
export const deploymentOf = async (config: Config): Promise<string | undefined> => {
  const witness = await witnessIn(generationsOf(config), setOf(readModels).name);
  await witness?.documents.close();
  return witness?.owner.status === 'named' ? witness.owner.deployment : undefined;
};
