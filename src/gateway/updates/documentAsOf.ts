import { boundedMap } from '../../kernel/boundedMap.js';
import { defined } from '../../kernel/defined.js';
import { readEvent, readEvents, type EventCodec } from '../../kernel/codec.js';
import { forRunner, type AnyDocumentType, type DocumentType } from '../../kernel/document.js';
import { beforeAll, type Event, type Position, type Recorded } from '../../kernel/event.js';
import type { EventLog } from '../../kernel/ports/eventLog.js';
import type { Sealer } from '../../kernel/ports/sealer.js';

export type DocumentAsOfNeeds = {
  readonly log: Pick<EventLog, 'readStream'>;
  readonly codec: EventCodec;
  readonly sealer: Sealer;
  /**
   * Whether the event came too late and is about to be taken back: then a document that folds from its first and latest event
   * is as if it was not there. Default: none is. `undefined`: this one is not.
   */
  readonly isRefused?: (event: Recorded) => Promise<boolean> | undefined;
};

/** Events of one stream that are read for a document which takes all of them; with more the document is refused. */
export const asOfEventsMax = 10_000;
const eventsPerReadMax = 1_000;

/**
 * A document as it was right after an event, folded from its own streams. A type that folds from its first and latest
 * event takes a record or two of the log, however long the stream is; any other takes the streams up to the event.
 * Undefined when there is no such document, or when its first event is needed and the log has dropped it.
 *
 * Rejects when the type has no list of streams, and when a stream of which all events count has more than
 * `asOfEventsMax`. Of a stream that goes on behind the event, the events there are read as well.
 */
export const documentAsOf = (needs: DocumentAsOfNeeds) => {
  const forgotten = new WeakMap<object, AnyDocumentType>();
  return async <Doc, E extends Event>(
    declared: DocumentType<Doc, E>,
    key: string,
    asOf: Recorded,
  ): Promise<Doc | undefined> => {
    const type = forgotten.get(declared) ?? forRunner(declared);
    forgotten.set(declared, type);
    const document = { type, key, asOf };
    const folded =
      type.foldsFromFirstAndLatest === true ? fromFirstAndLatest(needs, document) : fromStreams(needs, document);
    // The tables of a document type make documents of that type; `forRunner` forgot which.
    return (await folded) as Doc | undefined;
  };
};

/**
 * The same by the position alone, for types that take all events of their streams. Of a document with more new events than
 * `upToEventsMax` it rejects with `TooManyEvents`. A document that it remembers is folded on from there, so that those who ask in
 * the order of the log read each event once.
 */
export const documentsUpTo = <Doc, E extends Event>(needs: DocumentAsOfNeeds, declared: DocumentType<Doc, E>) => {
  const type = forRunner(declared);
  const remembered = boundedMap<string, FoldedUpTo>({ entriesMax: documentsUpToMax });
  return async (key: string, position: Position): Promise<Doc | undefined> => {
    const known = remembered.get(key);
    const begun = known !== undefined && known.position <= position ? known : undefined;
    const folded = await foldedOn(needs, { type, key, asOf: { position }, eventsMax: upToEventsMax }, begun);
    // Another one may have come further meanwhile.
    if ((remembered.peek(key)?.position ?? beforeAll) <= position) remembered.set(key, folded);
    // As above: the tables of a document type make documents of that type.
    return folded.document as Doc | undefined;
  };
};

/** Of a type; one may take some megabytes. */
export const documentsUpToMax = 16;

export class TooManyEvents extends Error {}

export const upToEventsMax = 1_000_000;

type FromStreams = {
  readonly type: AnyDocumentType;
  readonly key: string;
  readonly asOf: { readonly position: Position };
  readonly eventsMax?: number;
};
type Wanted = FromStreams & { readonly asOf: Recorded };

const streamsOf = ({ type: { name, streams }, key }: FromStreams): readonly string[] => {
  if (streams === 'log') throw new Error(`${name} have no list of streams to be folded from`);
  return streams(key);
};

const fromFirstAndLatest = async (needs: DocumentAsOfNeeds, wanted: Wanted): Promise<unknown> => {
  const { type, key, asOf } = wanted;
  // Documents of such a type have one stream each.
  const [stream = asOf.stream] = streamsOf(wanted);
  const latest = stream === asOf.stream ? asOf : await latestUpTo(needs, stream, asOf.position);
  if (latest === undefined) return undefined;
  const first = latest.revision === 0n ? undefined : await firstOf(needs, stream);
  const begun = first === undefined ? undefined : type.fold(undefined, first, key);
  return type.fold(begun, latest, key);
};

/** Mostly none of them is behind the event. */
const eventsFirstRead = 2;

const latestUpTo = async (
  { log, codec, sealer, isRefused }: DocumentAsOfNeeds,
  stream: string,
  position: Position,
): Promise<Recorded | undefined> => {
  let from: bigint | undefined;
  for (let limit = eventsFirstRead; ; limit = eventsPerReadMax) {
    const page = await log.readStream(stream, { direction: 'backwards', limit, ...defined({ from }) });
    // An event that is newer than this program says nothing to it, so that the one before it counts.
    for (const stored of page.filter((one) => one.position <= position && codec.factOf(one) !== undefined)) {
      const event = await readEvent(codec, sealer, stored);
      if (event !== undefined && (await isRefused?.(event)) !== true) return event;
    }
    const last = page.at(-1);
    if (last === undefined || page.length < limit || last.revision === 0n) return undefined;
    from = last.revision - 1n;
  }
};

const firstOf = async ({ log, codec, sealer }: DocumentAsOfNeeds, stream: string): Promise<Recorded | undefined> => {
  const [first] = await log.readStream(stream, { from: 0n, limit: 1 });
  // A log that has dropped old events answers with the oldest one that it still has.
  return first?.revision === 0n ? readEvent(codec, sealer, first) : undefined;
};

const fromStreams = async (needs: DocumentAsOfNeeds, wanted: FromStreams): Promise<unknown> =>
  (await foldedOn(needs, wanted)).document;

type FoldedUpTo = {
  readonly document: unknown;
  readonly position: Position;
  /** The revision after the last event of each stream. */
  readonly next: ReadonlyMap<string, bigint>;
};

const foldedOn = async (needs: DocumentAsOfNeeds, wanted: FromStreams, begun?: FoldedUpTo): Promise<FoldedUpTo> => {
  const { type, key, asOf } = wanted;
  const next = new Map(begun?.next);
  const streams = await Promise.all(
    streamsOf(wanted).map(async (stream) => {
      const events = await eventsUpTo(needs, { stream, from: next.get(stream) ?? 0n }, wanted);
      const last = events.at(-1);
      if (last !== undefined) next.set(stream, last.revision + 1n);
      return events;
    }),
  );
  const document = streams
    .flat()
    .sort((one, other) => (one.position < other.position ? -1 : 1))
    .reduce((before: unknown, event) => type.fold(before, event, key), begun?.document);
  return { document, position: asOf.position, next };
};

type Beginning = { readonly stream: string; readonly from: bigint };

const eventsUpTo = async (
  { log, codec, sealer }: DocumentAsOfNeeds,
  { stream, from: beginning }: Beginning,
  { type, key, asOf, eventsMax = asOfEventsMax }: FromStreams,
): Promise<readonly Recorded[]> => {
  const events: Recorded[] = [];
  // Where the log has dropped the beginning, the fold begins with the rest, as it does when documents are rebuilt.
  for (let from = beginning; events.length <= eventsMax;) {
    const page = await log.readStream(stream, { from, limit: eventsPerReadMax });
    const upTo = page.filter(({ position }) => position <= asOf.position);
    events.push(...(await readEvents(codec, sealer, upTo)));
    const last = page.at(-1);
    if (last === undefined || upTo.length < eventsPerReadMax) return events;
    from = last.revision + 1n;
  }
  throw new TooManyEvents(`${type.name} ${key} has too many events to be folded anew`);
};
