import type { EventKind, SealedFor } from './declareEvents.js';
import { beforeAll, type Event, type Metadata, type Position, type Recorded } from './event.js';
import type { Millis } from './ids.js';
import { isShredded, shredded, type Shredded } from './opened.js';
import { openedContents, type OpenedContent, type OpenedContents } from './openedContents.js';
import { parsedJson } from './json.js';
import { Misshapen, misshapenIn, type Json } from './schema.js';
import { eventBytesMax, type NewEvent, type StoredEvent } from './ports/eventLog.js';
import { KeysMissing, type SealBinding, type Sealer } from './ports/sealer.js';
import { SealedField, type SealedValue } from './sealed.js';
import { sealedLately, type SealedLately, type SealedPlace } from './sealedLately.js';

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

/** Turns events into records and back. Types that are not declared are nobody's: reading gives undefined for them. */
export interface EventCodec {
  write(event: Event, envelope: Envelope): NewEvent | KeysMissing;
  /** Parsed and opened on first use; the records read last are remembered. */
  read(stored: StoredEvent): Recorded | undefined | KeysMissing;
  /** The same with a `SealedField` in the place of each personal field, also of those that are absent. Takes no keys. */
  readSealed(stored: StoredEvent): Recorded | undefined;
  /** The content of a value that `readSealed` gave. Throws `SealBroken`. */
  open(value: SealedValue): OpenedContent | Shredded | KeysMissing;
  /** Until when the content may be told from memory: see `Sealer.heldUntil`. */
  openUntil(value: SealedValue): number | Shredded | KeysMissing;
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
  const contents = openedContents();
  const lately = sealedLately();
  const sealing: Sealing = { sealer, contents, lately };
  const metadataIn = metadataLately();
  const { of: parsedOf, clear } = parsedLately(byStoredType, { sealer, metadataIn });
  sealer.onForgotten(() => {
    contents.clear();
    lately.clear();
    clear();
  });
  return {
    factOf: ({ type }) => byStoredType.get(type)?.type,
    metadata: metadataIn,
    write: (event, envelope) => {
      const kind = byFact.get(event.type);
      if (kind === undefined) throw new Error(`the event ${event.type} is not declared`);
      return written(kind, event, envelope, sealing);
    },
    read: (stored) => {
      const found = parsedOf(stored);
      if (found?.opened !== undefined) return found.opened;
      const opened = found && openedRecord(found, sealing);
      if (found !== undefined && !(opened instanceof KeysMissing)) found.opened = opened;
      return opened;
    },
    readSealed: (stored) => {
      const found = parsedOf(stored);
      return found && (found.sealed ??= sealedRecord(found));
    },
    open: (value) => {
      const kind = byStoredType.get(value.type);
      if (kind === undefined) throw new Error(`the event ${value.type} is not declared`);
      return contentOf(kind, value, sealing);
    },
    openUntil: (value) => sealer.heldUntil(value.sealed, bindingOf(value)),
  };
};

type StoredKind = EventKind & { readonly stored: string };
type Sealing = {
  readonly sealer: Sealer;
  readonly contents: OpenedContents;
  readonly lately: SealedLately;
};

const written = (kind: StoredKind, event: Event, envelope: Envelope, sealing: Sealing): NewEvent | KeysMissing => {
  const data = event.data as object;
  const body = kind.fields.encode(data) as Record<string, Json>;
  if (kind.personal !== undefined) {
    const sealed = sealedText(kind, data, envelope, sealing);
    if (sealed instanceof KeysMissing) return sealed;
    body['sealed'] = sealed;
  }
  const metadata: Metadata = { ...envelope.metadata, about: kind.about(data) };
  const bytes = utf8.encode(JSON.stringify(body));
  if (bytes.length > eventBytesMax) throw new EventTooLarge(kind.stored, bytes.length);
  return { id: envelope.id, type: kind.stored, data: bytes, metadata: utf8.encode(JSON.stringify(metadata)) };
};

/** Those who follow the log need not open again on this node what was sealed just now. */
const sealedText = (
  { personal, stored }: StoredKind,
  data: object,
  { id, stream, period }: Envelope,
  { sealer, lately }: Sealing,
): string | KeysMissing => {
  if (personal === undefined) throw new Error(`${stored} has nothing personal`);
  const json = personal.schema.encode(data);
  const place = placeOf(personal.sealedFor(data), { stream, id }, stored);
  const sealed = sealer.seal(utf8.encode(JSON.stringify(json)), bindingOf({ ...place, position: beforeAll }), period);
  if (sealed instanceof KeysMissing) return sealed;
  // A schema makes an object of the shape that it declares.
  lately.keep({ sealed, place, content: personal.schema.decode(json) as OpenedContent });
  return sealed;
};

const placeOf = (
  { subject, scope }: SealedFor,
  { stream, id }: { readonly stream: string; readonly id: string },
  type: string,
): SealedPlace =>
  subject === undefined
    ? { event: id, type, stream, scope }
    : { event: id, type, stream, scope, subject: subject.toString() };

// Binding to the place keeps a sealed value from being moved into another event, stream or type.
const bindingOf = ({ subject, scope, stream, event, type }: Omit<SealedValue, 'sealed'>): SealBinding => {
  const associated = `${stream}\n${event}\n${type}`;
  return subject === undefined ? { scope, associated } : { subject, scope, associated };
};

/** A body that was parsed, and what was made of it. */
type ParsedRecord = {
  readonly kind: StoredKind;
  readonly stored: StoredEvent;
  readonly metadataIn: MetadataIn;
  readonly fields: object;
  readonly value: SealedValue | undefined;
  /** The value as it stands in the body. */
  readonly text: string;
  opened?: Recorded | undefined;
  sealed?: Recorded;
};

type MetadataIn = (stored: StoredEvent) => Metadata;
type Parsing = { readonly sealer: Sealer; readonly metadataIn: MetadataIn };

const parsedRecord = (kind: StoredKind, stored: StoredEvent, parsing: Parsing): ParsedRecord => {
  try {
    return recordIn(kind, stored, parsing);
  } catch (error) {
    throw misshapenIn(eventPlace(stored), error);
  }
};

const recordIn = (kind: StoredKind, stored: StoredEvent, { sealer, metadataIn }: Parsing): ParsedRecord => {
  const body = parsed(stored.data);
  const fields = kind.fields.decode(body);
  if (kind.personal === undefined) return { kind, stored, metadataIn, fields, value: undefined, text: '' };
  const sealed = body['sealed'];
  if (typeof sealed !== 'string') throw new Misshapen('sealed content', sealed);
  const place = placeOf(kind.personal.sealedFor(fields), stored, kind.stored);
  const value = { ...place, position: stored.position, sealed: sealer.packed(sealed) };
  return { kind, stored, metadataIn, fields, value, text: sealed };
};

const openedRecord = (record: ParsedRecord, sealing: Sealing): Recorded | KeysMissing => {
  const { kind, fields, value, text } = record;
  if (value === undefined) return new RecordedEvent(record, fields);
  const content = contentOf(kind, value, sealing, text);
  if (content instanceof KeysMissing) return content;
  const personal = isShredded(content) ? eachOf(kind, () => shredded) : content;
  return new RecordedEvent(record, { ...fields, ...personal });
};

const sealedRecord = (record: ParsedRecord): Recorded => {
  const { kind, fields, value } = record;
  if (value === undefined) return new RecordedEvent(record, fields);
  return new RecordedEvent(record, { ...fields, ...eachOf(kind, (name) => new SealedField(value, name)) });
};

const eachOf = <T>({ personal }: StoredKind, of: (name: string) => T): Readonly<Record<string, T>> => {
  const fields: Record<string, T> = {};
  for (const name of personal?.names ?? []) fields[name] = of(name);
  return fields;
};

const contentOf = (
  { personal }: StoredKind,
  value: SealedValue,
  { sealer, contents, lately }: Sealing,
  text?: string,
): OpenedContent | Shredded | KeysMissing => {
  const binding = bindingOf(value);
  const known = (text === undefined ? undefined : lately.of(text, value)) ?? contents.of(value);
  if (known !== undefined) {
    const held = sealer.heldUntil(value.sealed, binding);
    return typeof held === 'number' ? known : held;
  }
  const opened = sealer.open(value.sealed, binding, value.position);
  if (!(opened instanceof Uint8Array)) return opened;
  const content = decodedContent(personal, value, opened);
  contents.keep(value, content);
  return content;
};

const decodedContent = (personal: StoredKind['personal'], value: SealedValue, opened: Uint8Array): OpenedContent => {
  try {
    // A schema makes an object of the shape that it declares.
    return (personal?.schema.decode(parsed(opened)) ?? {}) as OpenedContent;
  } catch (error) {
    throw misshapenIn(eventPlace(value), error);
  }
};

const eventPlace = ({ type, position }: Pick<StoredEvent, 'type' | 'position'>): string =>
  `${type} at ${position.toString()}`;

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
  private readonly metadataIn: MetadataIn;
  private parsed: Metadata | undefined;

  constructor({ kind: { type }, stored, metadataIn }: ParsedRecord, data: object) {
    this.type = type;
    this.data = data;
    this.stream = stored.stream;
    this.revision = stored.revision;
    this.position = stored.position;
    this.id = stored.id;
    this.at = stored.at;
    this.stored = stored;
    this.metadataIn = metadataIn;
  }

  get metadata(): Metadata {
    return (this.parsed ??= this.metadataIn(this.stored));
  }
}

/** A power of two. */
const lastReadEvents = 1024;

/** A larger event is parsed by each follower anew, so that no more than 16 MiB of events are remembered. */
export const rememberedEventBytesMax = 16_384;

/**
 * Several followers of the log on one node are given the same records within a short time, and each would parse them
 * again. A weak map would do, but costs a fifth of reading the log from its beginning.
 */
const parsedLately = (byStoredType: ReadonlyMap<string, StoredKind>, parsing: Parsing) => {
  const slots = new Array<ParsedRecord | undefined>(lastReadEvents);
  const of = (stored: StoredEvent): ParsedRecord | undefined => {
    const slot = slotOf(stored);
    const known = slots[slot];
    if (known?.stored === stored) return known;
    const kind = byStoredType.get(stored.type);
    if (kind === undefined) return undefined;
    const record = parsedRecord(kind, stored, parsing);
    if (stored.data.length <= rememberedEventBytesMax) slots[slot] = record;
    return record;
  };
  return { of, clear: () => slots.fill(undefined) };
};

const slotOf = ({ position }: StoredEvent): number => Number(position & BigInt(lastReadEvents - 1));

/** The same of the metadata, which the fan-out asks for of each event, and others of an event that they fold. */
const metadataLately = (): MetadataIn => {
  const slots = new Array<{ readonly stored: StoredEvent; readonly metadata: Metadata } | undefined>(lastReadEvents);
  return (stored) => {
    const slot = slotOf(stored);
    const known = slots[slot];
    if (known?.stored === stored) return known.metadata;
    const metadata = parsed(stored.metadata) as unknown as Metadata;
    if (stored.metadata.length <= rememberedEventBytesMax) slots[slot] = { stored, metadata };
    return metadata;
  };
};

const parsed = (bytes: Uint8Array): Readonly<Record<string, Json>> =>
  parsedJson(fromUtf8.decode(bytes)) as Readonly<Record<string, Json>>;

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
