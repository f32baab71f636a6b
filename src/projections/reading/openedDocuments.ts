import { boundedMap } from '../../kernel/boundedMap.js';
import type { EventCodec } from '../../kernel/codec.js';
import type { Position } from '../../kernel/event.js';
import { isShredded, shredded, type Shredded } from '../../kernel/opened.js';
import type { OpenedContent } from '../../kernel/openedContents.js';
import type { DocumentStore, Plain } from '../../kernel/ports/documentStore.js';
import type { Timers } from '../../kernel/ports/leases.js';
import { KeysMissing, SealBroken, type Sealer } from '../../kernel/ports/sealer.js';
import type { SealedValue } from '../../kernel/sealed.js';
import { nextTurn } from '../../kernel/timing.js';
import { sealedDocument, type SealedDocument } from '../sealing/storedForm.js';
import { openDocuments } from './openDocuments.js';

export type DocumentReads = Pick<DocumentStore, 'get' | 'getMany' | 'range' | 'count' | 'scan'>;

/** The read models as queries see them: personal fields are open, or `Shredded` where a key is destroyed. */
export interface ReadableDocuments extends DocumentReads {
  /** The same without the personal fields, and without opening anything. */
  readonly unopened: DocumentReads;
}

export type OpenedDocumentsNeeds = {
  readonly store: DocumentReads;
  readonly codec: Pick<EventCodec, 'open' | 'openUntil'>;
  readonly sealer: Pick<Sealer, 'loadKeys' | 'onForgotten'>;
  /** The clock by which keys are held. */
  readonly uptime: Pick<Timers, 'now'>;
  /** The streams that a document of this collection is folded from, as far as they follow from its key. */
  readonly streamsOf: (collection: string, key: string) => readonly string[];
  /** A sealed value was damaged, or moved from its place. It is shown as shredded, and told of once. */
  readonly onBroken: (error: SealBroken) => void;
};

/** For so long values are opened before others have the thread. */
export const openingMillisMax = 4;
/** So many keys are fetched at once: each may have to be unwrapped, on this thread. */
export const keysAtOnceMax = 64;
/** Keys that are missing still after so many fetches are forgotten as fast as they come. */
export const keyLoadsMax = 3;
const brokenToldMax = 1_000;

export const openedDocuments = (needs: OpenedDocumentsNeeds): ReadableDocuments => {
  const open = opener(needs);
  const { store, codec, sealer, streamsOf, uptime } = needs;
  const hot = openDocuments(() => uptime.now());
  sealer.onForgotten(() => {
    hot.clear();
  });
  const withoutFields = (collection: string, found: readonly Stored[]): readonly Stored[] =>
    found.map((one) => {
      const sealed = sealedIn(one, streamsOf(collection, one.key));
      return sealed === undefined ? one : { ...one, document: plainOf(sealed.with(() => undefined)) };
    });
  const withFields = async (collection: string, found: readonly Stored[]): Promise<readonly Stored[]> => {
    const known = found.map(({ key, position }) => hot.of({ collection, key, position }));
    const sealed = found.map((one, index) =>
      known[index] === undefined ? sealedIn(one, streamsOf(collection, one.key)) : undefined,
    );
    const values = sealed.flatMap((one) => one?.values ?? []);
    const contents = values.length === 0 ? [] : await open(values);
    let at = 0;
    return found.map((one, index) => {
      const document = sealed[index];
      if (document === undefined) return known[index] === undefined ? one : { ...one, document: known[index] };
      const first = at;
      at += document.values.length;
      const opened = plainOf(document.with((value, name) => fieldOf(contents[first + value], name)));
      hot.keep({ ...one, collection }, opened, openUntil(codec, document.values));
      return { ...one, document: opened };
    });
  };
  return {
    ...mapped(store, withFields),
    unopened: mapped(store, (...found) => Promise.resolve(withoutFields(...found))),
  };
};

type Stored = { readonly key: string; readonly document?: Plain | undefined; readonly position: Position };

const sealedIn = ({ document }: Stored, streams: readonly string[]): SealedDocument | undefined =>
  document === undefined ? undefined : sealedDocument(document, streams);

// Personal content is what its schema says, and that is plain data.
const plainOf = (document: unknown): Plain => document as Plain;

/** A document with anything shredded is looked at anew each time. */
const openUntil = (codec: OpenedDocumentsNeeds['codec'], values: readonly SealedValue[]): number =>
  values.reduce((until, value) => {
    const held = codec.openUntil(value);
    return typeof held === 'number' ? Math.min(until, held) : 0;
  }, Infinity);

const fieldOf = (content: OpenedContent | Shredded | undefined, name: string): unknown =>
  isShredded(content) ? shredded : content?.[name];

const mapped = (
  store: DocumentReads,
  map: (collection: string, found: readonly Stored[]) => Promise<readonly Stored[]>,
): DocumentReads => {
  // A document stays one, and an absence an absence, so that what comes back is what the store found.
  const through = async <Found extends Stored>(
    collection: string,
    found: readonly Found[],
  ): Promise<readonly Found[]> => (await map(collection, found)) as readonly Found[];
  return {
    get: async (collection, key) => {
      const found = await store.get(collection, key);
      return (await through(collection, [found]))[0] ?? found;
    },
    getMany: async (collection, keys) => through(collection, await store.getMany(collection, keys)),
    range: async (range) => through(range.collection, await store.range(range)),
    scan: async (scan) => through(scan.collection, await store.scan(scan)),
    count: (range) => store.count(range),
  };
};

type Outcome = OpenedContent | Shredded;

/** The one way from a sealed value to its content: loads the keys that are missing, and lets others in between. */
const opener = (needs: OpenedDocumentsNeeds) => {
  const { sealer, uptime } = needs;
  const openOne = tellingOfBroken(needs);
  const openSome = async (
    values: readonly SealedValue[],
    outcomes: (Outcome | KeysMissing)[],
  ): Promise<Set<string>> => {
    const missing = new Set<string>();
    let begun = uptime.now();
    for (const [index, value] of values.entries()) {
      const known = outcomes[index];
      if (known !== undefined && !(known instanceof KeysMissing)) continue;
      const outcome = openOne(value);
      outcomes[index] = outcome;
      if (outcome instanceof KeysMissing) for (const name of outcome.names) missing.add(name);
      if (uptime.now() - begun < openingMillisMax) continue;
      await nextTurn();
      begun = uptime.now();
    }
    return missing;
  };
  const load = async (names: readonly string[]): Promise<void> => {
    for (let at = 0; at < names.length; at += keysAtOnceMax) {
      if (at > 0) await nextTurn();
      await sealer.loadKeys(names.slice(at, at + keysAtOnceMax));
    }
  };
  return async (values: readonly SealedValue[]): Promise<readonly Outcome[]> => {
    const outcomes: (Outcome | KeysMissing)[] = [];
    for (let loads = 0; ; loads += 1) {
      const missing = [...(await openSome(values, outcomes))];
      // Nothing is missing, so no outcome is `KeysMissing`.
      if (missing.length === 0) return outcomes as readonly Outcome[];
      if (loads >= keyLoadsMax) throw new Error(`keys stay missing: ${missing.slice(0, keysAtOnceMax).join(', ')}`);
      await load(missing);
    }
  };
};

const tellingOfBroken = ({ codec, onBroken }: OpenedDocumentsNeeds) => {
  const told = boundedMap<string, true>({ entriesMax: brokenToldMax });
  return (value: SealedValue): Outcome | KeysMissing => {
    try {
      return codec.open(value);
    } catch (error) {
      if (!(error instanceof SealBroken)) throw error;
      if (!told.has(value.event)) onBroken(error);
      told.set(value.event, true);
      return shredded;
    }
  };
};
