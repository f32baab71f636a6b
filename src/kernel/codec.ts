import type { EventKind, SealedFor } from './declareEvents.js';
import type { Event, Metadata, Position, Recorded } from './event.js';
import type { Millis } from './ids.js';
import { shredded } from './opened.js';
import { Misshapen, type Json } from './schema.js';
import { eventBytesMax, type NewEvent, type StoredEvent } from './ports/eventLog.js';
import { KeysMissing, type SealBinding, type Sealer } from './ports/sealer.js';

/** Everything that an event needs besides itself to become a record. */
export type Envelope = {
  readonly id: string;
  readonly stream: string;
  readonly metadata: Omit<Metadata, 'about'>;
  /** `yyyymm`: the period of the author's key. */
  readonly period: string;
};

/** An event is larger than the log takes. */
export class EventTooLarge extends Error {
  constructor(type: string, bytes: number) {
    super(`${type} takes ${bytes.toString()} bytes, at most ${eventBytesMax.toString()} are allowed`);
    this.name = 'EventTooLarge';
  }
}

/** Turns events into records and back. Types that are not declared are nobody's: `read` gives undefined for them. */
export interface EventCodec {
  write(event: Event, envelope: Envelope): NewEvent | KeysMissing;
  /** Parsed and opened on first use; the records read last are remembered. */
  read(stored: StoredEvent): Recorded | undefined | KeysMissing;
  /** Parses only the metadata. */
  metadata(stored: StoredEvent): Metadata;
  /** The name of the fact, which is the type of its `Event`. `undefined` when it is not declared. */
  factOf(stored: Pick<StoredEvent, 'type'>): string | undefined;
}

const utf8 = new TextEncoder();
const fromUtf8 = new TextDecoder('utf-8', { fatal: true });

/** The type under which a log stores such events. It stands in every log there is, so it never changes. */
export const storedType = (kind: Pick<EventKind, 'package' | 'type'>): string => `${kind.package}.${kind.type}.v1`;

/** Throws when two of the kinds are facts of the same name: every table is keyed by that name alone. */
export const eventCodec = (kinds: readonly EventKind[], sealer: Sealer): EventCodec => {
  const byFact = new Map<string, StoredKind>();
  for (const kind of kinds) {
    if (byFact.has(kind.type)) throw new Error(`two packages declare a fact of the name ${kind.type}`);
    byFact.set(kind.type, { ...kind, stored: storedType(kind) });
  }
  const byStoredType = new Map([...byFact.values()].map((kind) => [kind.stored, kind]));
  const remembered = lastRead();
  return {
    factOf: ({ type }) => byStoredType.get(type)?.type,
    metadata: metadataOf,
    write: (event, envelope) => {
      const kind = byFact.get(event.type);
      if (kind === undefined) throw new Error(`the event ${event.type} is not declared`);
      return written(kind, event, envelope, sealer);
    },
    read: (stored) => {
      const known = remembered.of(stored);
      if (known !== undefined) return known;
      const kind = byStoredType.get(stored.type);
      if (kind === undefined) return undefined;
      const data = dataOf(kind, stored, sealer);
      if (data instanceof KeysMissing) return data;
      const recorded = new RecordedEvent(kind.type, data, stored);
      if (stored.data.length <= rememberedEventBytesMax) remembered.keep(stored, recorded);
      return recorded;
    },
  };
};

type StoredKind = EventKind & { readonly stored: string };

const written = (kind: StoredKind, event: Event, envelope: Envelope, sealer: Sealer): NewEvent | KeysMissing => {
  const data = event.data as object;
  const body = kind.fields.encode(data) as Record<string, Json>;
  if (kind.personal !== undefined) {
    const plain = utf8.encode(JSON.stringify(kind.personal.schema.encode(data)));
    const sealed = sealer.seal(plain, bindingOf(kind.personal.sealedFor(data), envelope, kind.stored), envelope.period);
    if (sealed instanceof KeysMissing) return sealed;
    body['sealed'] = sealed;
  }
  const metadata: Metadata = { ...envelope.metadata, about: kind.about(data) };
  const bytes = utf8.encode(JSON.stringify(body));
  if (bytes.length > eventBytesMax) throw new EventTooLarge(kind.stored, bytes.length);
  return { id: envelope.id, type: kind.stored, data: bytes, metadata: utf8.encode(JSON.stringify(metadata)) };
};

const dataOf = (kind: StoredKind, stored: StoredEvent, sealer: Sealer): object | KeysMissing => {
  const body = parsed(stored.data);
  const fields = kind.fields.decode(body);
  if (kind.personal === undefined) return fields;
  const sealed = body['sealed'];
  if (typeof sealed !== 'string') throw new Misshapen('sealed content', sealed);
  const binding = bindingOf(kind.personal.sealedFor(fields), stored, kind.stored);
  const opened = sealer.open(sealed, binding, stored.position);
  if (opened instanceof KeysMissing) return opened;
  if (!(opened instanceof Uint8Array)) {
    return { ...fields, ...Object.fromEntries(kind.personal.names.map((name) => [name, shredded])) };
  }
  return Object.assign(fields, kind.personal.schema.decode(parsed(opened)));
};

/** A class, because one is made for each event that is read, and most of the metadata is never looked at. */
class RecordedEvent implements Recorded {
  readonly type: string;
  readonly data: object;
  readonly stream: string;
  readonly revision: bigint;
  readonly position: Position;
  readonly id: string;
  readonly at: Millis;
  private readonly stored: StoredEvent;
  private parsed: Metadata | undefined;

  constructor(type: string, data: object, stored: StoredEvent) {
    this.type = type;
    this.data = data;
    this.stream = stored.stream;
    this.revision = stored.revision;
    this.position = stored.position;
    this.id = stored.id;
    this.at = stored.at;
    this.stored = stored;
  }

  get metadata(): Metadata {
    return (this.parsed ??= metadataOf(this.stored));
  }
}

/** A power of two. */
const lastReadEvents = 1024;

/** A larger event is parsed by each follower anew, so that no more than 16 MiB of events are remembered. */
export const rememberedEventBytesMax = 16_384;

/**
 * Several followers of the log on one node are given the same records within a short time, and each would parse and
 * open them again. A weak map would do, but costs a fifth of reading the log from its beginning.
 */
const lastRead = () => {
  const slots = new Array<{ readonly stored: StoredEvent; readonly recorded: Recorded } | undefined>(lastReadEvents);
  const slotOf = ({ position }: StoredEvent): number => Number(position & BigInt(lastReadEvents - 1));
  return {
    of: (stored: StoredEvent): Recorded | undefined => {
      const slot = slots[slotOf(stored)];
      return slot?.stored === stored ? slot.recorded : undefined;
    },
    keep: (stored: StoredEvent, recorded: Recorded): void => {
      slots[slotOf(stored)] = { stored, recorded };
    },
  };
};

const metadataOf = (stored: StoredEvent): Metadata => parsed(stored.metadata) as unknown as Metadata;

const parsed = (bytes: Uint8Array): Readonly<Record<string, Json>> =>
  JSON.parse(fromUtf8.decode(bytes)) as Readonly<Record<string, Json>>;

// Binding to the place keeps a sealed value from being moved into another event, stream or type.
const bindingOf = (
  { subject, scope }: SealedFor,
  { stream, id }: { readonly stream: string; readonly id: string },
  type: string,
): SealBinding => {
  const associated = `${stream}\n${id}\n${type}`;
  return subject === undefined ? { scope, associated } : { subject: subject.toString(), scope, associated };
};

/** Reads records in order, fetching the keys that are missing on the way. Records of undeclared types are left out. */
export const readEvents = async (
  codec: EventCodec,
  sealer: Sealer,
  stored: readonly StoredEvent[],
): Promise<readonly Recorded[]> => {
  const events: Recorded[] = [];
  for (const record of stored) {
    const event = await readEvent(codec, sealer, record);
    if (event !== undefined) events.push(event);
  }
  return events;
};

/** Answers at once, without a promise, when the keys are in memory: this is the path of every event. */
export const readEvent = (
  codec: EventCodec,
  sealer: Sealer,
  stored: StoredEvent,
): Recorded | undefined | Promise<Recorded | undefined> => {
  const event = codec.read(stored);
  if (!(event instanceof KeysMissing)) return event;
  return sealer.loadKeys(event.names).then(() => {
    const opened = codec.read(stored);
    if (opened instanceof KeysMissing) throw new Error(`keys stay missing: ${opened.names.join(', ')}`);
    return opened;
  });
};

/** The period of the author's key: the month in UTC, `yyyymm`. */
export const periodOf = (at: number): string => {
  const date = new Date(at);
  return `${date.getUTCFullYear().toString()}${(date.getUTCMonth() + 1).toString().padStart(2, '0')}`;
};
