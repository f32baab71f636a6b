import { systemTimers } from '../../adapters/system/timers.js';
import type { ProjectionsAdmin } from '../../admin/projections.js';
import { isServer } from '../../config.js';
import { openDocuments, openLeases } from '../../engines.js';
import { switchableDocuments } from '../../projections/runner/switchable.js';
import { generationsAdmin } from '../generations/admin.js';
import { liveGenerations, type LiveGenerations, type OpenGeneration } from '../generations/live.js';
import { closingOnce, followedProjections, placeIn } from '../generations/running.js';
import { followChosenGeneration, toldGenerations } from '../generations/told.js';
import { of, type Get } from '../tokens.js';
import { engineOf, type OwnModule } from './modules.js';
import { ownGeneration } from './ownGeneration.js';
import { readingOf, type ReadModule } from './reading.js';

/** A module whose documents follow the log in this process. */
export type OpenModule = {
  readonly module: OwnModule;
  readonly live: LiveGenerations;
  readonly admin: ProjectionsAdmin;
  readonly read: ReadModule;
  readonly close: () => Promise<void>;
};

export const openModule = async (get: Get, module: OwnModule): Promise<OpenModule> => {
  const { generations, readModels, set } = module;
  const { deployment, givenUpTo } = get(of.deployed);
  // Under a new key former documents do not open.
  const isOfKeys = module.openness === 'open' && givenUpTo !== undefined;
  const owner = isOfKeys ? `${deployment} after ${givenUpTo.toString()}` : deployment;
  const end = () => get(of.log).end();
  const { generation, store } = await ownGeneration({
    ...{ generations, readModels, name: owner, end },
    onForeign: (foreign) => {
      const what = { module: module.name, generation: foreign };
      get(of.logger).warn(what, 'the documents of a module are of another log or vault: they are built anew');
    },
  });
  const first = await followed(get, module, { generation, store, owner });
  const switchable = switchableDocuments(store);
  const projections = switchable.follow(first.projections);
  const live = liveGenerations({
    ...{ generations, set: set.name, first, switchable, end, placeOf: placeIn(get, generations, readModels) },
    open: async (one) => {
      const beside = await openDocuments(generations.documents(one), readModels.collections);
      return followed(get, module, { generation: one, store: beside, owner });
    },
    switched: (to, from) => {
      get(of.logger).info({ module: module.name, to, from }, 'another generation of its documents serves');
    },
  });
  const unfollow = await followChosenGeneration(get, { set: set.name, live, generations });
  return {
    ...{ module, live, admin: adminOf(get, module, live) },
    read: readingOf({ module, store: switchable.documents, projections, sealer: get(of.sealer), end }),
    close: async () => {
      await unfollow();
      await live.close();
    },
  };
};

const followed = async (
  get: Get,
  module: OwnModule,
  { generation, store, owner }: Pick<OpenGeneration, 'generation' | 'store'> & { readonly owner: string },
): Promise<OpenGeneration> => {
  try {
    await store.belongTo(owner);
    const projections = await followedProjections(get, {
      ...{ generation, store, log: get(of.log), projections: module.readModels.projections },
      engine: engineOf(module, { codec: get(of.codec), sealer: get(of.sealer) }),
    });
    const close = closingOnce([() => store.close(), () => projections.close()]);
    return { generation, store, projections, close };
  } catch (error) {
    await store.close();
    throw error;
  }
};

const adminOf = (get: Get, { generations, readModels, set }: OwnModule, live: LiveGenerations): ProjectionsAdmin => {
  const config = get(of.config);
  return generationsAdmin({
    ...{ generations, readModels, set: set.name },
    running: { live, end: () => get(of.log).end(), ...toldGenerations(get, set.name) },
    ...(isServer(config.documents)
      ? { leases: () => openLeases({ config, timers: systemTimers, servers: 'demanded', warn: () => undefined }) }
      : {}),
  });
};
