import type { IndexKey, Plain } from '../../kernel/ports/documentStore.js';
import { isShredded } from '../../kernel/opened.js';
import { parsedJson } from '../../kernel/json.js';
import type { ModuleIndexKeys } from '../../kernel/ports/projectionModule.js';
import { KeysMissing, type SealBinding, type Sealer } from '../../kernel/ports/sealer.js';
import type { Json } from '../../kernel/schema.js';

/** How documents of a module lie in the store. */
export interface OwnForm {
  /** The key under which the store has it. */
  keyOf(collection: string, key: string): string;
  indexKeysOf(collection: string, keys: ModuleIndexKeys): Readonly<Record<string, readonly IndexKey[]>>;
  /** Elements by which an index is asked. */
  elementsOf(collection: string, elements: IndexKey): IndexKey;
  stored(collection: string, key: string, document: Json): Promise<Plain>;
  /** Rejects for one that does not open any more. `key` is the one in the store. */
  opened(collection: string, key: string, stored: Plain): Promise<{ readonly key: string; readonly document: Json }>;
}

/** As it is: it holds nothing personal. */
export const plainForm: OwnForm = {
  keyOf: (_, key) => key,
  indexKeysOf: (_, keys) => keys,
  elementsOf: (_, elements) => elements,
  stored: (_collection, _key, document) => Promise.resolve(document),
  // Only JSON was ever stored.
  opened: (_, key, stored) => Promise.resolve({ key, document: stored as Json }),
};

export type OwnSealer = Pick<Sealer, 'seal' | 'packed' | 'open' | 'makeKeys' | 'loadKeys' | 'lookupHash'>;

type SealedContent = { readonly key: string; readonly document: Json };

/**
 * Sealed as a whole, under a key of the module. The texts in keys and indexes are keyed hashes, so documents are found by
 * them and not in their order.
 */
export const sealedForm = (sealer: OwnSealer, module: string): OwnForm => {
  const hashed = (collection: string, text: string): string =>
    sealer.lookupHash(`projection ${module} ${collection} ${text}`).slice(0, hashDigits);
  const elementsOf = (collection: string, elements: IndexKey): IndexKey =>
    elements.map((element) => (typeof element === 'string' ? hashed(collection, element) : element));
  const bindingOf = (collection: string, key: string): SealBinding => ({
    scope: `projection.${module}`,
    associated: `${collection}\n${key}`,
  });
  return {
    keyOf: hashed,
    elementsOf,
    indexKeysOf: (collection, keys) =>
      Object.fromEntries(
        Object.entries(keys).map(([name, all]) => [name, all.map((elements) => elementsOf(collection, elements))]),
      ),
    stored: async (collection, key, document) => {
      const content: SealedContent = { key, document };
      const plain = new TextEncoder().encode(JSON.stringify(content));
      const binding = bindingOf(collection, hashed(collection, key));
      const text = await withKeys(() => sealer.seal(plain, binding, nobodysPeriod), sealer.makeKeys);
      return { sealed: sealer.packed(text) };
    },
    opened: async (collection, key, stored) => {
      const { sealed } = stored as { readonly sealed: Uint8Array }; // Made above.
      const plain = await withKeys(() => sealer.open(sealed, bindingOf(collection, key)), sealer.loadKeys);
      if (isShredded(plain)) throw new Error('the documents do not open any more: raise the version of the module');
      return parsedJson(new TextDecoder().decode(plain)) as SealedContent; // The same.
    },
  };
};

/** Of 64: as many bits as two random ids have. */
const hashDigits = 43;
/** The key is the module's own, of no author and no month. */
const nobodysPeriod = '';

/** Keys that are missing still after so many fetches are forgotten as fast as they come. */
const keyLoadsMax = 3;

const withKeys = async <T>(
  work: () => T | KeysMissing,
  fetch: (names: readonly string[]) => Promise<void>,
): Promise<T> => {
  for (let loads = 0; ; loads += 1) {
    const done = work();
    if (!(done instanceof KeysMissing)) return done;
    if (loads >= keyLoadsMax) throw new Error('the key of the module stays missing');
    await fetch(done.names);
  }
};
