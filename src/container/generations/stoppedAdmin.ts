import type { ProjectionsAdmin } from '../../admin/projections.js';
import type { Config } from '../../config.js';
import { generationsOf } from '../../engines.js';
import { readModels } from '../../projections/registry.js';
import { leasesOf } from '../own/foreignOwn.js';
import { stoppedOwn } from '../own/stoppedOwn.js';
import { generationsAdmin } from './admin.js';
import { setOf } from './set.js';

/** Where no server of this process runs: of our read models, and of the projections of the operator's own. */
export const stoppedAdmin = async (config: Config): Promise<ProjectionsAdmin> => {
  const ours = generationsAdmin({
    generations: generationsOf(config),
    readModels,
    set: setOf(readModels).name,
    ...leasesOf(config),
  });
  const own = await stoppedOwn(config);
  const adminOf = async (generation: string): Promise<ProjectionsAdmin> => (await own.adminOf(generation)) ?? ours;
  return {
    status: async () => {
      const [found, others] = [await ours.status(), await own.generations()];
      return { ...found, ...(others.length === 0 ? {} : { own: others }) };
    },
    drop: async (name) => (await adminOf(name)).drop(name),
    verify: async (name, call) => (await adminOf(name)).verify(name, call),
    switchTo: async (name, call) => (await adminOf(name)).switchTo(name, call),
    back: (call, projection) => (projection === undefined ? ours : own.adminNamed(projection)).back(call),
  };
};
