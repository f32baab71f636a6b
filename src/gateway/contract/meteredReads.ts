import type { DocumentStore } from '../../kernel/ports/documentStore.js';
import type { DocumentReads, ReadableDocuments } from '../../projections/reading/openedDocuments.js';
import type { Pace } from '../../projections/reading/pace.js';
import type { Reads } from '../../projections/reading/queries.js';
import type { OpenCall } from './call.js';
import { costs, type Meter } from './meter.js';

/** Keys of one read of many, between which others are let in. */
export const keysPerReadMax = 100;

/**
 * The same reads, counted on the meter of the request, and with breaks in which others have the thread. For handlers
 * that read more than a few documents.
 */
export const meteredReads = ({ store }: Reads, { meter }: Pick<OpenCall, 'meter'>): Reads => ({
  store: metered(store, meter),
});

const metered = (
  store: ReadableDocuments,
  meter: Meter,
  pace = paceOf(meter, costs.kibibyteRead),
): ReadableDocuments => {
  const paced = store.paced(pace);
  return {
    unopened: meteredEach(paced.unopened, meter),
    ...meteredEach(paced, meter),
    paced: (other) => metered(store, meter, other),
  };
};

/** The request pays for its bytes as they are worked on, at so many units a kibibyte. */
export const paceOf = ({ turn, spend }: Pick<Meter, 'turn' | 'spend'>, kibibyteUnits: number): Pace => ({
  turn: (bytes) => turn(kibibyteUnits * (bytes / 1_024)),
  spend: (bytes) => {
    spend(kibibyteUnits * (bytes / 1_024));
  },
});

const meteredEach = (store: DocumentReads, meter: Meter): DocumentReads => {
  const read = async <Found>(work: () => Promise<readonly Found[]>): Promise<readonly Found[]> => {
    await turnOf(meter, costs.document);
    const found = await work();
    meter.spend(costs.document * Math.max(0, found.length - 1));
    return found;
  };
  return {
    get: async (collection, key) => {
      await turnOf(meter, costs.document);
      return store.get(collection, key);
    },
    getMany: async (collection, keys) => {
      const found: Awaited<ReturnType<DocumentStore['getMany']>>[number][] = [];
      for (let at = 0; at < keys.length; at += keysPerReadMax) {
        const some = keys.slice(at, at + keysPerReadMax);
        found.push(...(await read(() => store.getMany(collection, some))));
      }
      return found;
    },
    range: (range) => read(() => store.range(range)),
    scan: (scan) => read(() => store.scan(scan)),
    count: async (range) => {
      await turnOf(meter, costs.document);
      const count = await store.count(range);
      meter.spend((costs.thousandCounted * count) / 1_000);
      return count;
    },
  };
};

/** Resolves when work of so many units may begin, which is spent with that. */
export const turnOf = async (meter: Meter, units: number): Promise<void> => {
  await meter.turn(units);
};
