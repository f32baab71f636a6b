import { destroyedKeys } from '../adapters/sealer/destroyedKeys.js';
import { systemTimers } from '../adapters/system/timers.js';
import { isServer } from '../config.js';
import { openDocuments, searchGenerationsOf } from '../engines.js';
import { Unavailable } from '../gateway/contract/errors.js';
import type { Position } from '../kernel/event.js';
import { ensuredGeneration } from '../kernel/generations.js';
import type { DocumentStore } from '../kernel/ports/documentStore.js';
import type { Generation, Generations } from '../kernel/ports/generations.js';
import { withDeadline } from '../kernel/timing.js';
import { retrying, type FailedTry } from '../projections/runner/retrying.js';
import { searchCheckpoint, searchCollections } from '../projections/search/documents.js';
import { termHasher } from '../projections/search/messageChanges.js';
import type { SearchReads } from '../projections/search/queries.js';
import { startSearchIndex, type SearchIndex } from '../projections/search/searchIndex.js';
import type { Search } from './servedSearch.js';
import { setOf } from './generations/set.js';
import { of, type Get } from './tokens.js';

/** A search waits no longer than this for the index. */
export const waitMillisMax = 10_000;

type Opened = { readonly index: SearchIndex; readonly store: DocumentStore; readonly generation: string };

export const searchOf = (get: Get): Search => {
  const closing = new AbortController();
  let opened: Opened | undefined;
  let opening: Promise<void> = Promise.resolve();
  let reads: SearchReads | undefined;
  const onTrouble = (trouble: FailedTry): void => {
    get(of.outages).failed(trouble);
  };
  const open = async (): Promise<void> => {
    const one = await retrying('opening the search index', () => openedIndex(get, onTrouble), {
      signal: closing.signal,
      onTrouble,
    });
    opened = one;
    reads = { store: one.store, hashed: termHasher(get(of.sealer)) };
  };
  return {
    begin: () => {
      opening = open().catch(() => undefined);
    },
    upTo: async (position) => {
      const late = (): Error => new Unavailable('the search index is behind');
      const there = async (): Promise<void> => {
        await opening;
        if (opened === undefined) throw new Unavailable('there is no search index');
        await opened.index.reached(position);
      };
      await withDeadline(there(), waitMillisMax, late);
      if (reads === undefined) throw new Unavailable('there is no search index');
      return reads;
    },
    status: async () =>
      opened === undefined ? undefined : { ...(await opened.index.status()), generation: opened.generation },
    close: async () => {
      closing.abort(new Error('the search is closed'));
      await opening;
      const { index, store } = opened ?? {};
      opened = undefined;
      await index?.close();
      await store?.close();
    },
  };
};

/**
 * The index of another deployment, of before keys were given up, or of a log that is gone, is worth nothing: it is built
 * from the log anew.
 */
const openedIndex = async (get: Get, onTrouble: (trouble: FailedTry) => void): Promise<Opened> => {
  const config = get(of.config);
  const generations = searchGenerationsOf(config);
  const { generation, store } = await ownStore(get, generations);
  const sharing = {
    generation: generation.name,
    leases: get(of.leases),
    timers: systemTimers,
    uptime: get(of.uptime),
    pubSub: get(of.pubSub),
  };
  try {
    const index = await startSearchIndex({
      log: get(of.log),
      codec: get(of.codec),
      sealer: get(of.sealer),
      store,
      clock: get(of.clock),
      timers: systemTimers,
      destroyed: () => destroyedKeys(get(of.vault)),
      ...(isServer(config.documents) ? { sharing } : {}),
      onTrouble,
    });
    return { index, store, generation: generation.name };
  } catch (error) {
    await store.close();
    throw error;
  }
};

type Own = { readonly generation: Generation; readonly store: DocumentStore };

const ownStore = async (get: Get, generations: Generations): Promise<Own> => {
  const { deployment, givenUpTo } = get(of.deployed);
  const name = givenUpTo === undefined ? deployment : `${deployment} after ${givenUpTo.toString()}`;
  const set = setOf({ projections: [], collections: searchCollections });
  const generation = await ensuredGeneration(generations, set);
  const store = await openDocuments(generations.documents(generation), searchCollections);
  try {
    const owner = await store.owner();
    const isOwn = owner.status === 'empty' || (owner.status === 'named' && owner.deployment === name);
    if (isOwn && (await store.checkpoint(searchCheckpoint)) <= (await endOf(get))) {
      await store.belongTo(name);
      return { generation, store };
    }
  } catch (error) {
    await store.close();
    throw error;
  }
  await store.close();
  get(of.logger).warn({ generation: generation.name }, 'the search index is of another log or vault: it is built anew');
  await generations.drop(generation);
  return ownStore(get, generations);
};

const endOf = (get: Get): Promise<Position> => get(of.log).end();
