import { plainBytes } from '../../kernel/plainBytes.js';
import type { DocumentStore, Plain } from '../../kernel/ports/documentStore.js';
import type { DocumentReads, ReadableDocuments } from '../../projections/reading/openedDocuments.js';
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

const metered = (store: ReadableDocuments, meter: Meter): ReadableDocuments => ({
  unopened: meteredEach(store.unopened, meter),
  ...meteredEach(store, meter),
});

const meteredEach = (store: DocumentReads, meter: Meter): DocumentReads => {
  const read = async <Found extends Stored>(work: () => Promise<readonly Found[]>): Promise<readonly Found[]> => {
    await turnOf(meter, costs.document);
    const found = await work();
    meter.spend(costs.document * Math.max(0, found.length - 1) + costs.kibibyteRead * (bytesOfAll(found) / 1_024));
    return found;
  };
  return {
    get: async (collection, key) => {
      await turnOf(meter, costs.document);
      const found = await store.get(collection, key);
      meter.spend(costs.kibibyteRead * (bytesOfAll([found]) / 1_024));
      return found;
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

type Stored = { readonly document?: Plain | undefined };

const bytesOfAll = (found: readonly Stored[]): number => {
  let bytes = 0;
  for (const { document } of found) bytes += document === undefined ? 0 : plainBytes(document);
  return bytes;
};
