import { collectionOf, type AnyDocumentType } from '../../kernel/document.js';
import { beforeAll, type Position } from '../../kernel/event.js';
import type { StoredEvent } from '../../kernel/ports/eventLog.js';
import type { IndexKey, Plain } from '../../kernel/ports/documentStore.js';
import type {
  FoldedDocument,
  ModuleDocument,
  ModuleKey,
  ProjectionModule,
  RefusedEvent,
  StartModule,
} from '../../kernel/ports/projectionModule.js';
import type { Json } from '../../kernel/schema.js';
import type { Running, Started } from '../progress/running.js';
import { ageAll, documentCache, type CachedDocument, type DocumentCache } from '../runner/documentCache.js';
import { batchOf, peekIn, type FoldingEngine, type FoldingEngineNeeds } from '../runner/foldingEngine.js';
import { ownTypeName, type Openness } from './declared.js';
import { openReading, sealedReading, type EventReading, type EventReadingNeeds } from './ownEvents.js';
import { plainForm, sealedForm, type OwnForm, type OwnSealer } from './ownForms.js';

export type OwnFoldingNeeds = {
  /** Starts a process with the module in it. It has to be the module of before. */
  readonly start: StartModule;
  readonly module: string;
  readonly codec: EventReadingNeeds['codec'];
  readonly kinds: EventReadingNeeds['kinds'];
  /** Opens personal fields for the module. Absent: it is given them sealed, and its documents are stored as they are. */
  readonly sealer?: OwnSealer;
};

/** Of one call, at most. */
export const eventsPerCallMax = 256;
export const eventBytesPerCallMax = 2_097_152;
export const documentsPerCallMax = 100;
/** Of documents that calls were about, whereupon those that changed are stored and those that are not in use let go. */
export const documentBytesMax = 16_777_216;

/**
 * Folds events through a module that has a process of its own: it names the documents of each event, is given them, and
 * gives those that changed. The store, the commits and the checkpoint are the runner's, as for any projection. A module
 * that fails stops its projection right before the event or the call at which it failed.
 */
export const ownFolding =
  (needs: OwnFoldingNeeds) =>
  ([started]: readonly Started[], { factOf, fetch, retry, onAlarm, flush }: FoldingEngineNeeds): FoldingEngine => {
    if (started === undefined) throw new Error('a module has one projection');
    const { running, projection } = started;
    const caches = cachesOf(projection.documents);
    const facts = new Set(projection.documents.flatMap(({ types }) => types));
    const wants = (record: StoredEvent): boolean => running.stopped === undefined && facts.has(factOf(record) ?? '');
    let [changed, underWay]: [CachedDocument[], readonly CachedDocument[]] = [[], []];
    let closed = false;
    let closing: Promise<void> | undefined;
    let starting: Promise<ProjectionModule> | undefined;
    const stop = (position: Position, error: unknown): void => {
      if (closed || running.stopped !== undefined) return;
      running.stopped = { error };
      onAlarm({ projection: projection.name, position, error });
    };
    const isOver = (): boolean => closed || running.stopped !== undefined;
    const letGo = async (): Promise<void> => {
      await flush();
      for (const cache of caches.values()) cache.letGo([changed, underWay]);
    };
    const folding: Folding = {
      ...{ bytes: new WeakMap<CachedDocument, number>(), heldBytes: 0, letGo },
      ...{ caches, running, stop, isOver, fetch, ...placesOf(needs, retry) },
      module: () => (starting ??= needs.start()),
      put: (hot, change) => {
        if (!hot.changed) changed.push(hot);
        Object.assign(hot, change, { changed: true });
      },
    };
    return {
      running: [running],
      wants,
      fold: async (records) => {
        const last = records.at(-1);
        await foldAll(folding, records, wants);
        if (last !== undefined && !isOver()) moveOn(running, last);
        ageAll(caches.values(), [changed, underWay]);
      },
      nextBatch: () => {
        if (running.folded <= running.committed) return undefined;
        underWay = changed;
        changed = [];
        return batchOf(caches, underWay, [{ running, position: running.folded, at: running.foldedAt }]);
      },
      stored: ({ marks }) => {
        underWay = [];
        for (const { position, at } of marks) Object.assign(running, { committed: position, committedAt: at });
      },
      peek: (collection, key) => peekIn(caches.get(collection), key),
      stopAll: stop,
      close: () => {
        closed = true;
        return (closing ??= closeStarted(starting));
      },
    };
  };

type Change = {
  readonly document: Plain | undefined;
  readonly stored: Plain | undefined;
  readonly indexKeys: Readonly<Record<string, readonly IndexKey[]>>;
  readonly position: Position;
};

type Folding = Places & {
  /** By their collections. */
  readonly caches: ReadonlyMap<string, DocumentCache>;
  readonly running: Running;
  readonly stop: (position: Position, error: unknown) => void;
  /** Stopped, or closed. */
  readonly isOver: () => boolean;
  readonly fetch: FoldingEngineNeeds['fetch'];
  readonly module: () => Promise<ProjectionModule>;
  readonly put: (hot: CachedDocument, change: Change) => void;
  /** Of documents as JSON, where they were counted. */
  readonly bytes: WeakMap<CachedDocument, number>;
  /** Of those that calls were about since `letGo`. */
  heldBytes: number;
  /** Stores what has changed, and forgets what was not used since the time before. */
  readonly letGo: () => Promise<void>;
};

/** One that did not start has nothing to close. */
const closeStarted = async (starting: Promise<ProjectionModule> | undefined): Promise<void> => {
  const module = await starting?.catch(() => undefined);
  await module?.close();
};

/** How events and documents look on either side of the module. */
type Places = { readonly openness: Openness; readonly reading: EventReading; readonly form: OwnForm };

const placesOf = (needs: OwnFoldingNeeds, retry: FoldingEngineNeeds['retry']): Places => {
  const { sealer, module } = needs;
  if (sealer === undefined) return { openness: 'sealed', reading: sealedReading(needs), form: plainForm };
  const patient: OwnSealer = {
    ...sealer,
    loadKeys: (names) => retry('fetching keys', () => sealer.loadKeys(names)),
    makeKeys: (names) => retry('making keys', () => sealer.makeKeys(names)),
  };
  return { openness: 'open', reading: openReading(needs, patient), form: sealedForm(patient, module) };
};

const cachesOf = (types: readonly AnyDocumentType[]): ReadonlyMap<string, DocumentCache> =>
  new Map(types.map((type) => [collectionOf(type), documentCache(type)]));

/** An event with the position of the record before it, behind which a projection stops that cannot take it. */
type Asked = { readonly record: StoredEvent; readonly before: Position; readonly json: Json };

const foldAll = async (
  folding: Folding,
  records: readonly StoredEvent[],
  wants: (record: StoredEvent) => boolean,
): Promise<void> => {
  const { running, reading, stop } = folding;
  const asked: Asked[] = [];
  let [bytes, before]: [number, Position] = [0, beforeAll];
  for (const record of records) {
    if (record.position > running.folded && wants(record)) {
      const event = await readOr(reading, record, before);
      if ('error' in event) {
        await foldCall(folding, asked);
        stopBefore(running, event.before);
        stop(record.position, event.error);
        return;
      }
      asked.push(event);
      bytes += record.data.length;
      if (asked.length >= eventsPerCallMax || bytes >= eventBytesPerCallMax) {
        await foldCall(folding, asked.splice(0));
        bytes = 0;
      }
      if (folding.isOver()) return;
    }
    before = record.position;
  }
  await foldCall(folding, asked);
};

type Unread = { readonly before: Position; readonly error: unknown };

const readOr = async (reading: EventReading, record: StoredEvent, before: Position): Promise<Asked | Unread> => {
  try {
    return { record, before, json: await reading(record) };
  } catch (error) {
    return { before, error };
  }
};

/** Not for a projection that has stopped already. */
const stopBefore = (running: Running, position: Position): void => {
  if (running.stopped === undefined && position > running.folded) running.folded = position;
};

const foldCall = async (folding: Folding, asked: readonly Asked[]): Promise<void> => {
  const [first] = asked;
  if (first === undefined || folding.isOver()) return;
  let from = first;
  try {
    const module = await folding.module();
    const { keys, refused } = await module.keysOf(asked.map(({ json }) => json));
    for (const span of spansOf(keys)) {
      from = asked[span.from] ?? first;
      if (await foldSpan(folding, { module, asked, keys, span })) return;
    }
    refuse(folding, asked, refused);
  } catch (error) {
    stopBefore(folding.running, from.before);
    folding.stop(from.record.position, error);
  }
};

const refuse = ({ running, stop }: Folding, asked: readonly Asked[], refused: RefusedEvent | undefined): boolean => {
  const event = refused && asked[refused.event];
  if (event === undefined) return false;
  stopBefore(running, event.before);
  stop(event.record.position, new Error(refused?.why));
  return true;
};

type Span = { readonly from: number; readonly to: number };

/** One after the other, each with as many documents as a call is about. */
export const spansOf = (keys: readonly (readonly ModuleKey[])[]): readonly Span[] => {
  const spans: Span[] = [];
  let from = 0;
  let named = new Set<string>();
  for (const [index, ofOne] of keys.entries()) {
    const names = ofOne.map(([type, key]) => `${type} ${key}`);
    const fresh = names.filter((name) => !named.has(name));
    if (index > from && named.size + fresh.length > documentsPerCallMax) {
      spans.push({ from, to: index });
      [from, named] = [index, new Set()];
    }
    for (const name of names) named.add(name);
  }
  if (keys.length > from) spans.push({ from, to: keys.length });
  return spans;
};

type Call = {
  readonly module: ProjectionModule;
  readonly asked: readonly Asked[];
  readonly keys: readonly (readonly ModuleKey[])[];
  readonly span: Span;
};

/** Whether an event was refused. */
const foldSpan = async (folding: Folding, { module, asked, keys, span }: Call): Promise<boolean> => {
  const { running, put } = folding;
  const hots = await hotsOf(folding, keys.slice(span.from, span.to).flat());
  const given: ModuleDocument[] = [];
  for (const { key, hot } of hots.values()) given.push(await givenOf(folding, key, hot));
  const { documents, refused } = await module.fold(span, given);
  const changes: (readonly [CachedDocument, Change])[] = [];
  for (const folded of documents) {
    const hot = hots.get(`${folded[0]} ${folded[1]}`)?.hot;
    const position = asked[folded[2]]?.record.position;
    if (hot === undefined || position === undefined)
      throw new Error('a module gave a document that it was not asked for');
    changes.push([hot, await changeOf(folding, { hot, position, folded })]);
  }
  // In one go, so that a commit has all of them or none.
  for (const [hot, change] of changes) put(hot, change);
  const last = asked[span.to - 1];
  if (refuse(folding, asked, refused)) return true;
  if (last !== undefined) moveOn(running, last.record);
  await holdLess(folding, hots);
  return false;
};

const holdLess = async (folding: Folding, hots: ReadonlyMap<string, Hot>): Promise<void> => {
  for (const { hot } of hots.values()) folding.heldBytes += folding.bytes.get(hot) ?? 0;
  if (folding.heldBytes < documentBytesMax) return;
  folding.heldBytes = 0;
  await folding.letGo();
};

type Hot = { readonly key: ModuleKey; readonly hot: CachedDocument };

const hotsOf = async (
  { openness, form, caches, fetch }: Folding,
  keys: readonly ModuleKey[],
): Promise<ReadonlyMap<string, Hot>> => {
  const hots = new Map<string, Hot>();
  const collections = new Map([...caches.keys()].map((collection) => [nameWithoutVersion(collection), collection]));
  for (const key of keys) {
    const name = `${key[0]} ${key[1]}`;
    if (hots.has(name)) continue;
    const collection = collections.get(ownTypeName(key[0], openness)) ?? '';
    const cache = caches.get(collection);
    if (cache === undefined) throw new Error(`there is no type ${key[0]}`);
    hots.set(name, { key, hot: cache.of(form.keyOf(collection, key[1])) });
  }
  for (const cache of caches.values()) await cache.load(fetch);
  return hots;
};

const nameWithoutVersion = (collection: string): string => collection.replace(/_v\d+$/, '');

const givenOf = async (
  { form, bytes }: Folding,
  [type, key]: ModuleKey,
  hot: CachedDocument,
): Promise<ModuleDocument> => {
  // The cache has it as the store has it, whether it is stored already or not.
  const stored = hot.document as Plain | undefined;
  const opened = stored === undefined ? undefined : await form.opened(hot.collection, hot.key, stored);
  const document = opened?.document ?? null;
  if (!bytes.has(hot)) bytes.set(hot, bytesOf(document));
  return [type, key, hot.position.toString(), document];
};

type Changed = { readonly hot: CachedDocument; readonly position: Position; readonly folded: FoldedDocument };

const bytesOf = (document: Json): number => JSON.stringify(document).length;

const changeOf = async ({ form, bytes }: Folding, { hot, position, folded }: Changed): Promise<Change> => {
  const [, key, , document, indexKeys] = folded;
  bytes.set(hot, bytesOf(document));
  if (document === null) return { document: undefined, stored: undefined, indexKeys: {}, position };
  const stored = await form.stored(hot.collection, key, document);
  return { document: stored, stored, indexKeys: form.indexKeysOf(hot.collection, indexKeys), position };
};

const moveOn = (running: Running, { position, at }: StoredEvent): void => {
  if (position > running.folded) Object.assign(running, { folded: position, foldedAt: at });
};
