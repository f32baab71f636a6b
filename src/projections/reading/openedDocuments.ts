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
import { plainBytes } from '../../kernel/plainBytes.js';
import { sealedDocument, type SealedDocument } from '../sealing/storedForm.js';
import type { KeptDocuments, OpenDocuments } from './openDocuments.js';
import { inPieces, type Pace, type Pieces } from './pace.js';

export type DocumentReads = Pick<DocumentStore, 'get' | 'getMany' | 'range' | 'count' | 'scan'>;

/** The read models as queries see them: personal fields are open, or `Shredded` where a key is destroyed. */
export interface ReadableDocuments extends DocumentReads {
  /** The same without the personal fields, and without opening anything. */
  readonly unopened: DocumentReads;
  /** The same, opened at this pace. */
  paced(this: void, pace: Pace): ReadableDocuments;
}

export type OpenedDocumentsNeeds = {
  readonly codec: Pick<EventCodec, 'open' | 'openUntil'>;
  readonly sealer: Pick<Sealer, 'loadKeys' | 'onForgotten'>;
  /** The clock by which keys are held. */
  readonly uptime: Pick<Timers, 'now'>;
  /** The streams that a document of this collection is folded from, as far as they follow from its key. */
  readonly streamsOf: (collection: string, key: string) => readonly string[];
  /** A sealed value was damaged, or moved from its place. It is shown as shredded, and told of once. */
  readonly onBroken: (error: SealBroken) => void;
  /** To be cleared once another generation is read. */
  readonly hot: OpenDocuments;
};

/** For so long documents are opened for all who have no pace of their own, before others have the thread. */
export const openingMillisMax = 4;
/** About so many keys are fetched at once: each may have to be unwrapped, on this thread. */
export const keysAtOnceMax = 16;
/** Keys that are missing still after so many fetches are forgotten as fast as they come. */
export const keyLoadsMax = 3;
const brokenToldMax = 1_000;

/** All stores that are read through what this gives share the documents that are kept open. */
export const openedDocuments = (needs: OpenedDocumentsNeeds): ((store: DocumentReads) => ReadableDocuments) => {
  const { sealer, hot, uptime } = needs;
  sealer.onForgotten(() => {
    hot.clear();
  });
  const mappings = opening(needs);
  const atPace = (store: DocumentReads, pace: Pace): ReadableDocuments => {
    const { withFields, withoutFields } = mappings(pace);
    return {
      ...mapped(store, withFields),
      unopened: mapped(store, withoutFields),
      paced: (other) => atPace(store, other),
    };
  };
  const shared = sharedPace(uptime);
  return (store) => atPace(store, shared);
};

type Mappings = { readonly withFields: Mapping; readonly withoutFields: Mapping };

const opening = (needs: OpenedDocumentsNeeds): ((pace: Pace) => Mappings) => {
  const { codec, streamsOf, hot } = needs;
  const open = opener(needs);
  const parsed = (kept: KeptDocuments, collection: string, one: Stored): Parsed => {
    const known = kept.of({ collection, key: one.key, position: one.position });
    return { one, known, sealed: known === undefined ? sealedIn(one, streamsOf(collection, one.key)) : undefined };
  };
  const filledIn = (
    { collection, kept }: Reading,
    { one, known, sealed }: Parsed,
    contents: readonly Outcome[],
  ): Stored => {
    if (sealed === undefined) return known === undefined ? one : { ...one, document: known };
    const document = plainOf(sealed.with((value, name) => fieldOf(contents[value], name)));
    kept.keep({ collection, ...one }, document, openUntil(codec, sealed.values));
    return { ...one, document };
  };
  return (pace) => ({
    withFields: async (collection, found) => {
      const [pieces, kept] = [inPieces(pace), hot.forRead()];
      const documents = await mappedInPieces(found, pieces, (one) => parsed(kept, collection, one));
      const values = documents.flatMap(({ sealed }) => sealed?.values ?? []);
      const contents = values.length === 0 ? [] : await open(values, pieces);
      pieces.end();
      let at = 0;
      return documents.map((document) => {
        const first = at;
        at += document.sealed?.values.length ?? 0;
        return filledIn({ collection, kept }, document, contents.slice(first, at));
      });
    },
    withoutFields: async (collection, found) => {
      const pieces = inPieces(pace);
      const bare = await mappedInPieces(found, pieces, (one) => {
        const sealed = sealedIn(one, streamsOf(collection, one.key));
        return sealed === undefined ? one : { ...one, document: plainOf(sealed.with(() => undefined)) };
      });
      pieces.end();
      return bare;
    },
  });
};

type Reading = { readonly collection: string; readonly kept: KeptDocuments };
type Parsed = {
  readonly one: Stored;
  /** Open already. */
  readonly known: Plain | undefined;
  readonly sealed: SealedDocument | undefined;
};
type Mapping = (collection: string, found: readonly Stored[]) => Promise<readonly Stored[]>;

/** However many read at once, they have the thread for so long together in a round of the event loop. */
const sharedPace = ({ now }: Pick<Timers, 'now'>): Pace => {
  let round: { readonly begun: number; readonly over: Promise<void> } | undefined;
  const over = async (): Promise<void> => {
    await nextTurn();
    round = undefined;
  };
  return {
    spend: () => undefined,
    turn: () => {
      round ??= { begun: now(), over: over() };
      return now() - round.begun < openingMillisMax ? undefined : round.over;
    },
  };
};

const mappedInPieces = async <To>(
  all: readonly Stored[],
  pieces: Pieces,
  map: (one: Stored) => To,
): Promise<readonly To[]> => {
  const done: To[] = [];
  for (const one of all) {
    const turn = pieces.before(one.document === undefined ? 0 : plainBytes(one.document));
    if (turn !== undefined) await turn;
    done.push(map(one));
  }
  return done;
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

const mapped = (store: DocumentReads, map: Mapping): DocumentReads => {
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

type Opener = (values: readonly SealedValue[], pieces: Pieces) => Promise<readonly Outcome[]>;

/**
 * The one way from a sealed value to its content. Keys that are missing are loaded a few at a time, and used before
 * others are: however many are asked for at once, they need not all be in memory together.
 */
const opener = (needs: OpenedDocumentsNeeds): Opener => {
  const openOne = tellingOfBroken(needs);
  return async (values, pieces) => {
    const outcomes: Outcome[] = [];
    const closed = { places: new Array<number>(), keys: new Set<string>() };
    const tryAt = (place: number, value: SealedValue): void => {
      const outcome = openOne(value);
      if (!(outcome instanceof KeysMissing)) outcomes[place] = outcome;
      else {
        closed.places.push(place);
        for (const name of outcome.names) closed.keys.add(name);
      }
    };
    const openClosed = async (): Promise<void> => {
      for (let loads = 0; closed.keys.size > 0; loads += 1) {
        const [places, keys] = [closed.places.splice(0), [...closed.keys]];
        closed.keys.clear();
        if (loads >= keyLoadsMax) throw new Error(`keys stay missing: ${keys.join(', ')}`);
        await nextTurn();
        await needs.sealer.loadKeys(keys);
        for (const place of places) {
          const value = values[place];
          if (value === undefined) continue;
          await pieces.before(openingBytes(value));
          tryAt(place, value);
        }
      }
    };
    for (const [place, value] of values.entries()) {
      const turn = pieces.before(openingBytes(value));
      if (turn !== undefined) await turn;
      tryAt(place, value);
      if (closed.keys.size >= keysAtOnceMax) await openClosed();
    }
    await openClosed();
    return outcomes;
  };
};

/** To open a value takes a few microseconds however short it is. */
const valueBytes = 1_024;
const openingBytes = ({ sealed }: SealedValue): number => valueBytes + sealed.length;

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
