import { systemTimers } from '../../adapters/system/timers.js';
import { isServer } from '../../config.js';
import { openDocuments } from '../../engines.js';
import type { Position } from '../../kernel/event.js';
import type { DocumentStore } from '../../kernel/ports/documentStore.js';
import type { FollowedLog } from '../../kernel/ports/eventLog.js';
import type { Generation } from '../../kernel/ports/generations.js';
import { startProjections, type Projections } from '../../projections/runner/runner.js';
import { alarms } from '../logging.js';
import { of, type Get } from '../tokens.js';
import { generationWorkflows } from '../workflows.js';
import { behindEventsMax, liveGenerations, type LiveGenerations, type OpenGeneration } from './live.js';
import { positionOf } from './position.js';

/** The projections of one generation in this process. Throws `DocumentsAheadOfLog`. */
export const followedProjections = (
  get: Get,
  { generation: { name: generation }, store, log }: Followed,
): Promise<Projections> => {
  const alarm = alarms(get);
  const [leases, uptime, pubSub] = [get(of.leases), get(of.uptime), get(of.pubSub)];
  const sharing = { generation, leases, timers: systemTimers, uptime, pubSub };
  return startProjections({
    log,
    codec: get(of.codec),
    store,
    projections: get(of.readModels).projections,
    clock: get(of.clock),
    ...(isServer(get(of.config).documents) ? { sharing } : {}),
    onAlarm: (stopped) => {
      alarm('a projection has stopped')({ ...stopped, generation });
    },
    onTrouble: get(of.outages).failed,
  });
};

type Followed = { readonly generation: Generation; readonly store: DocumentStore; readonly log: FollowedLog };

/** Those of a running server. `projections` are of the generation that serves from the start on. */
export const startGenerations = (get: Get, projections: Projections): LiveGenerations => {
  const { generation, documents: store } = get(of.deployed);
  const { generations } = get(of.parts).documents;
  const end = (): Promise<Position> => get(of.log).end();
  return liveGenerations({
    generations,
    set: generation.set,
    first: opened({ generation, store: get(of.engines).documents, projections }, () =>
      // On a server the connection is that by which its absence is noticed.
      isServer(get(of.config).documents) ? Promise.resolve() : store.close(),
    ),
    switchable: get(of.switchable),
    end,
    placeOf: async (one) => {
      const position = await positionOf(generations.documents(one), get(of.readModels));
      const missing = await get(of.log).readAll({ from: position, limit: behindEventsMax + 1 });
      return { position, isFar: missing.length > behindEventsMax };
    },
    open: (one) => openBeside(get, one),
    switched: (to, from) => {
      get(of.logger).info({ to, from }, 'another generation of read models serves');
    },
  });
};

const openBeside = async (get: Get, generation: Generation): Promise<OpenGeneration> => {
  const store = get(of.parts).documents.generations.documents(generation);
  await openDocuments(store, get(of.readModels).collections);
  const closing: (() => Promise<void>)[] = [() => store.close()];
  const close = async (): Promise<void> => {
    for (const one of closing.splice(0).reverse()) await one();
  };
  try {
    await store.belongTo(get(of.deployed).deployment);
    const projections = await followedProjections(get, { generation, store, log: get(of.log) });
    closing.push(() => projections.close());
    const tenancies = await generationWorkflows(get, { generation, store, projections });
    for (const tenancy of tenancies) closing.push(() => tenancy.close());
    return { generation, store, projections, close };
  } catch (error) {
    await close();
    throw error;
  }
};

/** Its workflows are started and closed with those of the deployment. */
const opened = (one: Omit<OpenGeneration, 'close'>, closeStore: () => Promise<void>): OpenGeneration => {
  let closing: Promise<void> | undefined;
  return { ...one, close: () => (closing ??= one.projections.close().then(closeStore)) };
};
