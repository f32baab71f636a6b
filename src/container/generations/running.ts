import { systemTimers } from '../../adapters/system/timers.js';
import { isServer } from '../../config.js';
import { openDocuments } from '../../engines.js';
import type { Position } from '../../kernel/event.js';
import type { DocumentStore } from '../../kernel/ports/documentStore.js';
import type { FollowedLog } from '../../kernel/ports/eventLog.js';
import type { Generation, Generations } from '../../kernel/ports/generations.js';
import type { DeclaredReadModels } from '../../projections/registry.js';
import { startProjections, type ProjectionNeeds, type Projections } from '../../projections/runner/runner.js';
import { alarms } from '../logging.js';
import { of, type Get } from '../tokens.js';
import { generationWorkflows } from '../workflows.js';
import {
  behindEventsMax,
  liveGenerations,
  type LiveGenerations,
  type LiveGenerationsNeeds,
  type OpenGeneration,
} from './live.js';
import { positionOf } from './position.js';

/** The projections of one generation in this process. Throws `DocumentsAheadOfLog`. */
export const followedProjections = (
  get: Get,
  { generation: { name: generation }, store, log, projections, engine }: Followed,
): Promise<Projections> => {
  const alarm = alarms(get);
  const [leases, uptime, pubSub] = [get(of.leases), get(of.uptime), get(of.pubSub)];
  const sharing = { generation, leases, timers: systemTimers, uptime, pubSub };
  return startProjections({
    log,
    codec: get(of.codec),
    store,
    projections,
    ...(engine === undefined ? {} : { engine }),
    clock: get(of.clock),
    ...(isServer(get(of.config).documents) ? { sharing } : {}),
    onAlarm: (stopped) => {
      alarm('a projection has stopped')({ ...stopped, generation });
    },
    onTrouble: get(of.outages).failed,
  });
};

export type Followed = {
  readonly generation: Generation;
  readonly store: DocumentStore;
  readonly log: FollowedLog;
} & Pick<ProjectionNeeds, 'projections' | 'engine'>;

/** Those of a running server, and the start of the workflows on the documents of the first. */
export type StartedGenerations = { readonly live: LiveGenerations; readonly startWorkflows: () => Promise<void> };

/** `projections` are of the generation that serves from the start on. */
export const startGenerations = (get: Get, projections: Projections): StartedGenerations => {
  const { generations } = get(of.parts).documents;
  const end = (): Promise<Position> => get(of.log).end();
  const { first, startWorkflows } = firstGeneration(get, projections);
  const live = liveGenerations({
    generations,
    set: first.generation.set,
    first,
    switchable: get(of.switchable),
    end,
    placeOf: placeIn(get, generations, get(of.readModels)),
    open: (one) => openBeside(get, one),
    switched: (to, from) => {
      get(of.openDocuments).clear();
      get(of.logger).info({ to, from }, 'another generation of read models serves');
    },
  });
  return { live, startWorkflows };
};

/** How far the documents of a generation are, which is not open here. */
export const placeIn =
  (
    get: Get,
    generations: Pick<Generations, 'documents'>,
    readModels: Pick<DeclaredReadModels, 'projections'>,
  ): LiveGenerationsNeeds['placeOf'] =>
  async (one) => {
    const position = await positionOf(generations.documents(one), readModels);
    const missing = await get(of.log).readAll({ from: position, limit: behindEventsMax + 1 });
    return { position, isFar: missing.length > behindEventsMax };
  };

type FirstGeneration = { readonly first: OpenGeneration } & Pick<StartedGenerations, 'startWorkflows'>;

/** Its workflows need parts that are made after it, and end with it. */
const firstGeneration = (get: Get, projections: Projections): FirstGeneration => {
  const { generation, documents: store } = get(of.deployed);
  const open = { generation, store: get(of.engines).documents, projections };
  const closing: (() => Promise<void>)[] = [() => projections.close()];
  // On a server the connection is that by which its absence is noticed.
  if (!isServer(get(of.config).documents)) closing.unshift(() => store.close());
  return {
    first: { ...open, close: closingOnce(closing) },
    startWorkflows: async () => {
      for (const tenancy of await generationWorkflows(get, open)) closing.push(() => tenancy.close());
    },
  };
};

/** The last first. A second call waits for the same. */
export const closingOnce = (closing: (() => Promise<void>)[]): (() => Promise<void>) => {
  let closed: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    for (const one of closing.splice(0).reverse()) await one();
  };
  return () => (closed ??= close());
};

const openBeside = async (get: Get, generation: Generation): Promise<OpenGeneration> => {
  const store = get(of.parts).documents.generations.documents(generation);
  await openDocuments(store, get(of.readModels).collections);
  const closing: (() => Promise<void>)[] = [() => store.close()];
  const close = closingOnce(closing);
  try {
    await store.belongTo(get(of.deployed).deployment);
    const projections = await followedProjections(get, {
      ...{ generation, store, log: get(of.log) },
      projections: get(of.readModels).projections,
    });
    closing.push(() => projections.close());
    const tenancies = await generationWorkflows(get, { generation, store, projections });
    for (const tenancy of tenancies) closing.push(() => tenancy.close());
    return { generation, store, projections, close };
  } catch (error) {
    await close();
    throw error;
  }
};
