import { destroyedKeys } from '../adapters/sealer/destroyedKeys.js';
import { systemTimers } from '../adapters/system/timers.js';
import { isServer } from '../config.js';
import { searchGenerationsOf } from '../engines.js';
import { Unavailable } from '../gateway/contract/errors.js';
import type { Generations } from '../kernel/ports/generations.js';
import { withDeadline } from '../kernel/timing.js';
import { retrying, type FailedTry } from '../projections/runner/retrying.js';
import { termHasher } from '../projections/search/messageChanges.js';
import type { SearchReads } from '../projections/search/queries.js';
import { startSearchIndex, type SearchIndex } from '../projections/search/searchIndex.js';
import type { OwnDocuments } from './generations/ownDocuments.js';
import { alarms } from './logging.js';
import { dropFormerIndexes, ownIndex } from './searchGenerations.js';
import type { Search } from './servedSearch.js';
import { of, type Get } from './tokens.js';

/** A search waits no longer than this for the index. */
export const waitMillisMax = 10_000;

type Opened = OwnDocuments & { readonly index: SearchIndex };

export const searchOf = (get: Get): Search => {
  const closing = new AbortController();
  let opened: Opened | undefined;
  let opening: Promise<void> = Promise.resolve();
  let dropping: Promise<void> = Promise.resolve();
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
    const patience = { signal: closing.signal, onTrouble };
    dropping = retrying('dropping former indexes of the search', () => dropFormer(get, one, patience), patience);
    // It is given up when the search is closed.
    dropping.catch(() => undefined);
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
      opened === undefined ? undefined : { ...(await opened.index.status()), generation: opened.generation.name },
    close: async () => {
      closing.abort(new Error('the search is closed'));
      await opening;
      const { index, store } = opened ?? {};
      opened = undefined;
      await index?.close();
      await dropping.catch(() => undefined);
      await store?.close();
    },
  };
};

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
  const damaged = alarms(get)('something does not read, and the search goes on without it');
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
      onDamage: ({ what, position, error }) => {
        damaged({ error, position, what });
      },
    });
    return { index, store, generation };
  } catch (error) {
    await store.close();
    throw error;
  }
};

const ownStore = (get: Get, generations: Generations): Promise<OwnDocuments> => {
  const { deployment, givenUpTo } = get(of.deployed);
  return ownIndex({
    generations,
    name: givenUpTo === undefined ? deployment : `${deployment} after ${givenUpTo.toString()}`,
    end: () => get(of.log).end(),
    onForeign: (generation) => {
      get(of.logger).warn({ generation }, 'the search index is of another log or vault: it is built anew');
    },
  });
};

/** Once the index has come to where the log ended at the start. */
const dropFormer = async (
  get: Get,
  { index, generation: own }: Opened,
  { signal, onTrouble }: { readonly signal: AbortSignal; readonly onTrouble: (trouble: FailedTry) => void },
): Promise<void> => {
  await index.reached(await get(of.log).end());
  await dropFormerIndexes({
    generations: searchGenerationsOf(get(of.config)),
    own,
    signal,
    leases: get(of.leases),
    timers: systemTimers,
    uptime: get(of.uptime),
    onTrouble: (error) => {
      onTrouble({ doing: 'dropping former indexes of the search', failures: 1, error });
    },
    onDropped: (generation) => {
      get(of.logger).info({ generation }, 'dropped a former search index');
    },
  });
};
