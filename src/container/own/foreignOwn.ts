import { basename } from 'node:path';
import { systemTimers } from '../../adapters/system/timers.js';
import type { OwnGenerations, ProjectionsAdmin } from '../../admin/projections.js';
import { isServer, type Config } from '../../config.js';
import { openLeases, ownGenerationsOf, ownNamesIn } from '../../engines.js';
import { generationsAdmin } from '../generations/admin.js';

/** Generations of projections that the configuration does not name any more. They can be listed and dropped. */
export interface ForeignOwn {
  generations(this: void): Promise<readonly OwnGenerations[]>;
  /** Undefined for a generation of none of them. */
  adminOf(this: void, generation: string): Promise<ProjectionsAdmin | undefined>;
}

/** A module that is configured. It has no name before it has loaded. */
type Configured = { readonly file: string; readonly name?: string };

export const foreignOwn = (config: Config, configured: () => readonly Configured[]): ForeignOwn => {
  const names = async (): Promise<readonly string[]> => {
    const known = new Set(configured().map(({ name }) => name));
    return (await ownNamesIn(config)).filter((name) => !known.has(name));
  };
  return {
    generations: async () => {
      // They may be those of a module that is yet to say its name.
      if (configured().some(isNameless)) return [];
      const found = (await names()).map(async (name): Promise<OwnGenerations> => {
        const { generations } = await adminIn(config, name).status();
        return { name, generations, isForeign: true };
      });
      return Promise.all(found);
    },
    adminOf: async (generation) => {
      for (const name of await names()) {
        const own = await ownGenerationsOf(config, name).list();
        if (own.some((one) => one.name === generation)) return unlessNameless(adminIn(config, name), configured());
      }
      return undefined;
    },
  };
};

const isNameless = ({ name }: Configured): boolean => name === undefined;

const unlessNameless = (admin: ProjectionsAdmin, configured: readonly Configured[]): ProjectionsAdmin => {
  const nameless = configured.find(isNameless);
  if (nameless === undefined) return admin;
  const why = `${basename(nameless.file)} has not loaded, and may be the module of that generation`;
  return { ...admin, drop: () => Promise.resolve(why) };
};

/** Nobody knows its types any more, so none of them could serve. */
const adminIn = (config: Config, name: string): ProjectionsAdmin =>
  generationsAdmin({
    generations: ownGenerationsOf(config, name),
    readModels: { projections: [], collections: [] },
    set: '',
    ...leasesOf(config),
  });

/** Where several processes share the documents. */
export const leasesOf = (config: Config): Pick<Parameters<typeof generationsAdmin>[0], 'leases'> =>
  isServer(config.documents)
    ? { leases: () => openLeases({ config, timers: systemTimers, servers: 'demanded', warn: () => undefined }) }
    : {};
