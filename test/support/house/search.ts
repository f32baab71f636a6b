import { memoryDocuments } from '../../../src/adapters/documents/memory.js';
import { systemTimers } from '../../../src/adapters/system/timers.js';
import type { MessageSearch } from '../../../src/gateway/contract/messageSearch.js';
import type { DestroyedKey } from '../../../src/kernel/ports/sealer.js';
import type { DocumentStore } from '../../../src/kernel/ports/documentStore.js';
import { searchCollections } from '../../../src/projections/search/documents.js';
import { termHasher } from '../../../src/projections/search/messageChanges.js';
import { startSearchIndex, type SearchIndex } from '../../../src/projections/search/searchIndex.js';
import type { Kernel } from './kernel.js';

/** The index of all messages of a house. It is built when somebody first searches. */
export type HouseSearch = MessageSearch & {
  readonly store: () => Promise<DocumentStore>;
  /** The index hears of it at once. */
  readonly destroyed: (key: DestroyedKey) => void;
  /** Happens when the next search has come to the index. */
  readonly atNextSearch: (work: () => Promise<unknown>) => void;
  readonly close: () => Promise<void>;
};

type Opened = { readonly store: DocumentStore; readonly index: SearchIndex };

export const houseSearch = (
  { log, codec, sealer, now }: Pick<Kernel, 'log' | 'codec' | 'sealer' | 'now'>,
  onTrouble: (trouble: unknown) => void,
): HouseSearch => {
  const destroyed: DestroyedKey[] = [];
  const searches: (() => Promise<unknown>)[] = [];
  let opening: Promise<Opened> | undefined;
  const opened = (): Promise<Opened> => (opening ??= open());
  const open = async (): Promise<Opened> => {
    const store = memoryDocuments();
    await store.open(searchCollections);
    const index = await startSearchIndex({
      log,
      codec,
      sealer,
      store,
      clock: { now },
      // The clock of a house stands still.
      timers: { now: () => performance.now(), later: systemTimers.later },
      async *destroyed() {
        for (const key of destroyed) yield Promise.resolve(key);
      },
      onTrouble,
      onDamage: onTrouble,
    });
    return { store, index };
  };
  return {
    store: async () => (await opened()).store,
    upTo: async (position) => {
      const { store, index } = await opened();
      await index.reached(position);
      await searches.shift()?.();
      return { store, hashed: termHasher(sealer) };
    },
    atNextSearch: (work) => {
      searches.push(work);
    },
    destroyed: (key) => {
      destroyed.push(key);
      sealer.shred(key.kind === 'author' ? key.subject : key.scope);
    },
    close: async () => {
      await (await opening)?.index.close();
    },
  };
};
