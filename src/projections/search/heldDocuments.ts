import { boundedMap, type BoundedMap } from '../../kernel/boundedMap.js';
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
  /** Of all that was changed since the last `settle`, or of a part of it. Each is made when it is taken. */
  writes(which?: 'kept' | 'removed'): Iterable<DocumentWrite>;
  /** All that was changed is stored, and nothing else is done until it resolves. Answers the keys of those that were removed. */
  settle(): Promise<readonly string[]>;
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
  /** In memory, about. Absent: stored documents are not remembered, but read anew when they are worked on again. */
  readonly bytesOf?: (value: T) => number;
};

/** Of each kind, besides those that are worked on. */
export const heldBytesMax = 8_388_608;
export const keysPerReadMax = 64;
const entryBytes = 200;

export const heldDocuments = <T>(
  { store, breath, onDamaged }: HeldNeeds,
  { collection, parsed, inPlaceOfDamaged, plain, bytesOf }: HeldForm<T>,
): HeldDocuments<T> => {
  const settled = bytesOf && remembered(bytesOf);
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
  const heldAt = (key: string): HeldDocument<T> => {
    const held = working.get(key);
    if (held === undefined) throw new Error(`the document ${key} of ${collection} was not loaded`);
    return held;
  };
  return {
    load: (keys) => loading(keys, { breath, isAtHand: (key) => isAtHand({ working, settled }, key), read }),
    of: heldAt,
    set: (key, value, position) => {
      working.set(key, { value, position });
      changed.add(key);
    },
    *writes(which) {
      for (const key of changed) {
        const { value, position } = heldAt(key);
        if (which !== undefined && (value === undefined) !== (which === 'removed')) continue;
        yield { collection, key, position, ...(value === undefined ? { indexKeys: {} } : plain(value)) };
      }
    },
    settle: async () => {
      const removed = [...changed].filter((key) => heldAt(key).value === undefined);
      if (settled !== undefined) {
        await inTurns(working, breath, ([key, held]) => {
          settled.set(key, held);
          return undefined;
        });
      }
      working.clear();
      changed.clear();
      return removed;
    },
    clear: () => {
      working.clear();
      changed.clear();
      settled?.clear();
    },
  };
};

const remembered = <T>(bytesOf: (value: T) => number): BoundedMap<string, HeldDocument<T>> =>
  boundedMap({
    bytesMax: heldBytesMax,
    bytesOf: ({ value }) => entryBytes + (value === undefined ? 0 : bytesOf(value)),
  });

type Memory<T> = {
  readonly working: Map<string, HeldDocument<T>>;
  readonly settled: BoundedMap<string, HeldDocument<T>> | undefined;
};

const isAtHand = <T>({ working, settled }: Memory<T>, key: string): boolean => {
  if (working.has(key)) return true;
  const known = settled?.get(key);
  if (known !== undefined) working.set(key, known);
  return known !== undefined;
};

type Loading = Pick<HeldNeeds, 'breath'> & {
  readonly isAtHand: (key: string) => boolean;
  readonly read: (keys: readonly string[]) => Promise<void>;
};

const loading = async (keys: readonly string[], { breath, isAtHand: isHeld, read }: Loading): Promise<void> => {
  const missing = new Set<string>();
  const readMissing = async (): Promise<void> => {
    if (missing.size > 0) await read([...missing]);
    missing.clear();
  };
  await inTurns(keys, breath, (key) => {
    if (!isHeld(key)) missing.add(key);
    return missing.size < keysPerReadMax ? undefined : readMissing();
  });
  await readMissing();
};

/** Of work that is so little for each one that the time is not looked at behind each. */
export const inTurns = async <T>(
  all: Iterable<T>,
  breath: HeldNeeds['breath'],
  work: (one: T) => Promise<unknown> | undefined,
): Promise<void> => {
  let count = 0;
  for (const one of all) {
    const working = work(one);
    if (working !== undefined) await working;
    count += 1;
    const resting = count % onesPerTurn === 0 ? breath() : undefined;
    if (resting !== undefined) await resting;
  }
};
const onesPerTurn = 64;
