import type { EventKind, SealedFor } from './declareEvents.js';
import { beforeAll, type Event, type Metadata, type Position, type Recorded } from './event.js';
import type { Millis } from './ids.js';
import { isShredded, shredded, type Shredded } from './opened.js';
import { openedContents, type OpenedContent, type OpenedContents } from './openedContents.js';
import { parsedJson } from './json.js';
import { readLately } from './readLately.js';
import { Misshapen, misshapenIn, type Json, type Schema } from './schema.js';
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
/** The type of the second sealed value of such an event. It stands in what is sealed, so it never changes either. */
export const apartType = (stored: string): string => `${stored}.apart`;

/** Throws when two of the kinds are facts of the same name: every table is keyed by that name alone. */
export const eventCodec = (kinds: readonly EventKind[], sealer: Sealer): EventCodec => {
  const byFact = new Map<string, StoredKind>();
  for (const kind of kinds) {
    if (byFact.has(kind.type)) throw new Error(`two packages declare a fact of the name ${kind.type}`);
    byFact.set(kind.type, { ...kind, stored: storedType(kind) });
  }
  const byStoredType = new Map([...byFact.values()].map((kind) => [kind.stored, kind]));
  const schemas = schemasByType(byFact.values());
  const contents = openedContents();
  const lately = sealedLately();
  const sealing: Sealing = { sealer, contents, lately, schemas };
  const { metadataIn, parsedOf, clear } = parsing(byStoredType, sealer);
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
    open: (value) => contentOf(value, sealing),
    openUntil: (value) => sealer.heldUntil(value.sealed, bindingOf(value)),
  };
};

type StoredKind = EventKind & { readonly stored: string };
type Sealing = {
  readonly sealer: Sealer;
  readonly contents: OpenedContents;
  readonly lately: SealedLately;
  /** Of the values of each type. */
  readonly schemas: ReadonlyMap<string, Schema<object>>;
};

const schemasByType = (kinds: Iterable<StoredKind>): ReadonlyMap<string, Schema<object>> => {
  const schemas = new Map<string, Schema<object>>();
  for (const { stored, personal } of kinds) {
    if (personal !== undefined) schemas.set(stored, personal.schema);
    if (personal?.apart !== undefined) schemas.set(apartType(stored), personal.apart.schema);
  }
  return schemas;
};

const written = (kind: StoredKind, event: Event, envelope: Envelope, sealing: Sealing): NewEvent | KeysMissing => {
  const data = event.data as object;
  const sealed = kind.personal === undefined ? {} : sealedTexts(kind, data, envelope, sealing);
  if (sealed instanceof KeysMissing) return sealed;
  // Added to the object that was made for it: one that begins with a spread is a hidden class by itself.
  const body = Object.assign(kind.fields.encode(data) as Record<string, Json>, sealed);
  // Stored metadata end with the topic.
  const metadata: Metadata = Object.assign({}, envelope.metadata, { about: kind.about(data) });
  const bytes = utf8.encode(JSON.stringify(body));
  if (bytes.length > eventBytesMax) throw new EventTooLarge(kind.stored, bytes.length);
  return { id: envelope.id, type: kind.stored, data: bytes, metadata: utf8.encode(JSON.stringify(metadata)) };
};

type SealedTexts = { readonly sealed: string; readonly sealedApart?: string };

const sealedTexts = (
  { personal, stored }: StoredKind,
  data: object,
  envelope: Envelope,
  sealing: Sealing,
): SealedTexts | KeysMissing => {
  if (personal === undefined) throw new Error(`${stored} has nothing personal`);
  const { apart } = personal;
  const other = apart?.sealedFor(data);
  const seal = (type: string, of: SealedFor, part: object): string | KeysMissing =>
    sealedText({ type, place: placeOf(of, envelope, type), part }, envelope, sealing);
  if (apart === undefined || other === undefined) {
    const sealed = seal(stored, personal.sealedFor(data), data);
    return sealed instanceof KeysMissing ? sealed : { sealed };
  }
  const own = Object.fromEntries(Object.entries(data).filter(([name]) => !apart.names.includes(name)));
  const sealed = seal(stored, personal.sealedFor(data), own);
  const sealedApart = seal(apartType(stored), other, data);
  if (sealed instanceof KeysMissing || sealedApart instanceof KeysMissing) return missingOf(sealed, sealedApart);
  return { sealed, sealedApart };
};

/** All that any of the parts misses. */
const missingOf = (...parts: readonly unknown[]): KeysMissing =>
  new KeysMissing([...new Set(parts.flatMap((part) => (part instanceof KeysMissing ? part.names : [])))]);

type Part = { readonly type: string; readonly place: SealedPlace; readonly part: object };

/** Those who follow the log need not open again on this node what was sealed just now. */
const sealedText = (
  { type, place, part }: Part,
  { period }: Envelope,
  { sealer, lately, schemas }: Sealing,
): string | KeysMissing => {
  const schema = schemaOf(schemas, type);
  const json = schema.encode(part);
  const sealed = sealer.seal(utf8.encode(JSON.stringify(json)), bindingOf({ position: beforeAll, ...place }), period);
  if (sealed instanceof KeysMissing) return sealed;
  // A schema makes an object of the shape that it declares.
  lately.keep({ sealed, place, content: schema.decode(json) as OpenedContent });
  return sealed;
};

const schemaOf = (schemas: Sealing['schemas'], type: string): Schema<object> => {
  const schema = schemas.get(type);
  if (schema === undefined) throw new Error(`the event ${type} is not declared, or has nothing personal`);
  return schema;
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

type SealedPart = { readonly value: SealedValue; readonly text: string };

/** A body that was parsed, and what was made of it. */
type ParsedRecord = {
  readonly kind: StoredKind;
  readonly stored: StoredEvent;
  readonly metadataIn: MetadataIn;
  readonly fields: object;
  /** The sealed value, as it stands in the body too, and that of the fields which are sealed apart. */
  readonly own: SealedPart | undefined;
  readonly apart: SealedPart | undefined;
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
  const { personal } = kind;
  if (personal === undefined) return { kind, stored, metadataIn, fields, own: undefined, apart: undefined };
  const part = (text: Json | undefined, type: string, of: SealedFor): SealedPart => {
    if (typeof text !== 'string') throw new Misshapen('sealed content', text);
    return { text, value: { position: stored.position, sealed: sealer.packed(text), ...placeOf(of, stored, type) } };
  };
  const other = personal.apart?.sealedFor(fields);
  const own = part(body['sealed'], kind.stored, personal.sealedFor(fields));
  const apart = other && part(body['sealedApart'], apartType(kind.stored), other);
  return { kind, stored, metadataIn, fields, own, apart };
};

const openedRecord = (record: ParsedRecord, sealing: Sealing): Recorded | KeysMissing => {
  const { kind, fields, own, apart } = record;
  if (own === undefined) return new RecordedEvent(record, fields);
  const content = contentOf(own.value, sealing, own.text);
  const other = apart && contentOf(apart.value, sealing, apart.text);
  if (content instanceof KeysMissing || other instanceof KeysMissing) return missingOf(content, other);
  const personal = {
    ...(isShredded(content) ? eachOf(kind.personal?.names, () => shredded) : content),
    ...(isShredded(other) ? eachOf(kind.personal?.apart?.names, () => shredded) : other),
  };
  return new RecordedEvent(record, together(fields, personal));
};

/** All of one fact are of one hidden class, which those that begin with a spread and get more are not. */
const together = (fields: object, personal: object): object => Object.assign({}, fields, personal);

const sealedRecord = (record: ParsedRecord): Recorded => {
  const { kind, fields, own, apart } = record;
  const fieldsOf = (part: SealedPart | undefined, names: readonly string[] | undefined): object =>
    part === undefined ? {} : eachOf(names, (name) => new SealedField(part.value, name));
  const personal = { ...fieldsOf(own, kind.personal?.names), ...fieldsOf(apart, kind.personal?.apart?.names) };
  return new RecordedEvent(record, together(fields, personal));
};

const eachOf = <T>(names: readonly string[] | undefined, of: (name: string) => T): Readonly<Record<string, T>> => {
  const fields: Record<string, T> = {};
  for (const name of names ?? []) fields[name] = of(name);
  return fields;
};

const contentOf = (
  value: SealedValue,
  { sealer, contents, lately, schemas }: Sealing,
  text?: string,
): OpenedContent | Shredded | KeysMissing => {
  const schema = schemaOf(schemas, value.type);
  const binding = bindingOf(value);
  const known = (text === undefined ? undefined : lately.of(text, value)) ?? contents.of(value);
  if (known !== undefined) {
    const held = sealer.heldUntil(value.sealed, binding);
    return typeof held === 'number' ? known : held;
  }
  const opened = sealer.open(value.sealed, binding, value.position);
  if (!(opened instanceof Uint8Array)) return opened;
  const content = decodedContent(schema, value, opened);
  contents.keep(value, content);
  return content;
};

const decodedContent = (schema: Schema<object>, value: SealedValue, opened: Uint8Array): OpenedContent => {
  try {
    // A schema makes an object of the shape that it declares.
    return schema.decode(parsed(opened)) as OpenedContent;
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

/** Each part is made when it is asked for first. */
type ReadParts = { metadata: Metadata | undefined; record: ParsedRecord | undefined };

/** The body and the metadata are parsed once for all who read the same record shortly after each other. */
const parsing = (byStoredType: ReadonlyMap<string, StoredKind>, sealer: Sealer) => {
  const { of: readOf, clear } = readLately<ReadParts>(() => ({ metadata: undefined, record: undefined }));
  const metadataIn: MetadataIn = (stored) =>
    (readOf(stored).metadata ??= parsed(stored.metadata) as unknown as Metadata);
  const parsedOf = (stored: StoredEvent): ParsedRecord | undefined => {
    const kind = byStoredType.get(stored.type);
    return kind && (readOf(stored).record ??= parsedRecord(kind, stored, { sealer, metadataIn }));
  };
  return { metadataIn, parsedOf, clear };
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
