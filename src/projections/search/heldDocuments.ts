import { boundedMap } from '../../kernel/boundedMap.js';
import type { Position } from '../../kernel/event.js';
import type { DocumentStore, DocumentWrite, Plain } from '../../kernel/ports/documentStore.js';

/** A document as the index works on it. Without a value there is none, and the position is that of its removal. */
export type HeldDocument<T> = { readonly value: T | undefined; readonly position: Position };

/** The documents of one collection that are worked on, changed or not, until they are stored. */
export interface HeldDocuments<T> {
  /** To be called for all keys before `of`. Reads those that are not held. */
  load(keys: readonly string[]): Promise<void>;
  /** Throws for a key that was not loaded since the last `settle`. */
  of(key: string): HeldDocument<T>;
  /** Without a value: removed. */
  set(key: string, value: T | undefined, position: Position): void;
  /** Of all that was changed since the last `settle`. */
  writes(): readonly DocumentWrite[];
  /** All that was changed is stored. Answers the keys of those that were removed. */
  settle(): readonly string[];
  /** The store may know better, because somebody else wrote or a commit failed. */
  clear(): void;
}

/** A document that does not read. `position` is that of the index, as the store has it. */
export type DamagedDocument = { readonly collection: string; readonly key: string; readonly position: Position };

export type HeldNeeds = {
  readonly store: Pick<DocumentStore, 'getMany'>;
  /** Lets others have the thread when it was held for long enough. */
  readonly breath: () => Promise<void> | undefined;
  /** A document does not read, and is worked on as `HeldForm.inPlaceOfDamaged`. Called each time it is read. */
  readonly onDamaged: (document: DamagedDocument) => void;
};

export type HeldForm<T> = {
  readonly collection: string;
  /** Undefined for a damaged document. */
  readonly parsed: (stored: Plain) => T | undefined;
  /** Absent: as if there were none. */
  readonly inPlaceOfDamaged?: T;
  readonly plain: (value: T) => Pick<DocumentWrite, 'document' | 'indexKeys'>;
  /** In memory, about. */
  readonly bytesOf: (value: T) => number;
};

/** Of each kind, besides those that are worked on. */
export const heldBytesMax = 8_388_608;
export const keysPerReadMax = 200;
const entryBytes = 200;

export const heldDocuments = <T>(
  { store, breath, onDamaged }: HeldNeeds,
  { collection, parsed, inPlaceOfDamaged, plain, bytesOf }: HeldForm<T>,
): HeldDocuments<T> => {
  const settled = boundedMap<string, HeldDocument<T>>({
    bytesMax: heldBytesMax,
    bytesOf: ({ value }) => entryBytes + (value === undefined ? 0 : bytesOf(value)),
  });
  const working = new Map<string, HeldDocument<T>>();
  const changed = new Set<string>();
  const read = async (keys: readonly string[]): Promise<void> => {
    for (const { key, document, position } of await store.getMany(collection, keys)) {
      const value = document === undefined ? undefined : parsed(document);
      const isDamaged = document !== undefined && value === undefined;
      if (isDamaged) onDamaged({ collection, key, position });
      working.set(key, { value: isDamaged ? inPlaceOfDamaged : value, position });
    }
  };
  return {
    load: async (keys) => {
      const missing: string[] = [];
      for (const key of new Set(keys)) {
        if (working.has(key)) continue;
        const known = settled.get(key);
        if (known === undefined) missing.push(key);
        else working.set(key, known);
      }
      for (let at = 0; at < missing.length; at += keysPerReadMax) {
        await read(missing.slice(at, at + keysPerReadMax));
        await breath();
      }
    },
    of: (key) => {
      const held = working.get(key);
      if (held === undefined) throw new Error(`the document ${key} of ${collection} was not loaded`);
      return held;
    },
    set: (key, value, position) => {
      working.set(key, { value, position });
      changed.add(key);
    },
    writes: () =>
      Array.from(changed, (key) => {
        const { value, position = 0n } = working.get(key) ?? { value: undefined };
        return { collection, key, position, ...(value === undefined ? { indexKeys: {} } : plain(value)) };
      }),
    settle: () => {
      const removed = [...changed].filter((key) => working.get(key)?.value === undefined);
      for (const [key, held] of working) settled.set(key, held);
      working.clear();
      changed.clear();
      return removed;
    },
    clear: () => {
      working.clear();
      changed.clear();
      settled.clear();
    },
  };
};
