import { basename } from 'node:path';
import { GenerationRefused, type OwnGenerations, type ProjectionsAdmin } from '../../admin/projections.js';
import type { Config } from '../../config.js';
import { ModuleFailed } from '../../kernel/ports/projectionModule.js';
import { generationsAdmin } from '../generations/admin.js';
import { foreignOwn, leasesOf, type ForeignOwn } from './foreignOwn.js';
import { loadedModule, type OwnModule } from './modules.js';

/** Projections of the operator's own where no server of this process runs. */
export interface StoppedOwn extends ForeignOwn {
  /** Throws `GenerationRefused`. */
  adminNamed(this: void, projection: string): ProjectionsAdmin;
  /** The same. */
  moduleNamed(this: void, projection: string): OwnModule;
}

type Loaded = { readonly file: string; readonly name?: string; readonly module?: OwnModule; readonly failed?: string };

/** Starts each module once, to ask what it is. */
export const stoppedOwn = async (config: Config): Promise<StoppedOwn> => {
  const loaded: Loaded[] = [];
  for (const file of config.projectionModules) loaded.push(await loadedOr(config, file));
  const foreign = foreignOwn(config, () => loaded);
  const modules = loaded.flatMap(({ module }) => module ?? []);
  const moduleNamed = (projection: string): OwnModule => {
    const found = modules.find(({ name }) => name === projection);
    if (found !== undefined) return found;
    const failed = loaded.find((one) => one.failed !== undefined)?.failed;
    const names = modules.map(({ name }) => name).join(', ') || 'none';
    throw new GenerationRefused(
      `there is no projection ${projection} of your own, but ${names}${failed === undefined ? '' : `; ${failed}`}`,
    );
  };
  return {
    generations: async () => [
      ...(await Promise.all(loaded.map((one) => generationsOf(config, one)))),
      ...(await foreign.generations()),
    ],
    adminOf: async (generation) => {
      for (const module of modules) {
        const own = await module.generations.list();
        if (own.some(({ name }) => name === generation)) return adminOf(config, module);
      }
      return foreign.adminOf(generation);
    },
    moduleNamed,
    adminNamed: (projection) => adminOf(config, moduleNamed(projection)),
  };
};

const loadedOr = async (config: Config, file: string): Promise<Loaded> => {
  try {
    const module = await loadedModule(config, file);
    return { file, name: module.name, module };
  } catch (error) {
    if (error instanceof ModuleFailed) return { file, failed: error.message };
    throw error;
  }
};

const adminOf = (config: Config, { generations, readModels, set }: OwnModule): ProjectionsAdmin =>
  generationsAdmin({ generations, readModels, set: set.name, ...leasesOf(config) });

const generationsOf = async (config: Config, { file, module, failed }: Loaded): Promise<OwnGenerations> => {
  if (module === undefined) return { name: basename(file), generations: [], stopped: failed ?? 'it has not loaded' };
  const { generations } = await adminOf(config, module).status();
  return { name: module.name, generations };
};
