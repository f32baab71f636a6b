import type { EventCodec } from '../../kernel/codec.js';
import type { EventKind } from '../../kernel/declareEvents.js';
import type { Recorded } from '../../kernel/event.js';
import { isShredded } from '../../kernel/opened.js';
import type { StoredEvent } from '../../kernel/ports/eventLog.js';
import { KeysMissing, type Sealer } from '../../kernel/ports/sealer.js';
import type { Json } from '../../kernel/schema.js';
import { SealedField } from '../../kernel/sealed.js';
import type { Erased, Sealed } from './projection.js';

/** The event in JSON, as a module is given it. Rejects when the record cannot be made out. */
export type EventReading = (record: StoredEvent) => Promise<Json>;

export type EventReadingNeeds = {
  readonly codec: Pick<EventCodec, 'read' | 'readSealed' | 'metadata'>;
  readonly kinds: readonly EventKind[];
};

const sealed: Sealed = { sealed: true };
const erased: Erased = { erased: true };

/** For modules that see no personal content. Takes no keys. */
export const sealedReading = ({ codec, kinds }: EventReadingNeeds): EventReading => {
  const shown = shownBy(codec, kinds);
  return (record) => Promise.resolve(shown(record, codec.readSealed(record), () => sealed));
};

export const openReading = ({ codec, kinds }: EventReadingNeeds, sealer: Pick<Sealer, 'loadKeys'>): EventReading => {
  const shown = shownBy(codec, kinds);
  return async (record) => {
    for (let loads = 0; ; loads += 1) {
      const read = codec.read(record);
      if (!(read instanceof KeysMissing)) return shown(record, read, openField);
      if (loads >= keyLoadsMax) throw new Error('keys stay missing');
      await sealer.loadKeys(read.names);
    }
  };
};

/** Keys that are missing still after so many fetches are forgotten as fast as they come. */
const keyLoadsMax = 3;

type Field = (encoded: Json | undefined, value: unknown) => Json | undefined;
const openField: Field = (encoded, value) => (isShredded(value) ? erased : encoded);

const shownBy = (codec: Pick<EventCodec, 'metadata'>, kinds: readonly EventKind[]) => {
  const byType = new Map(kinds.map((kind) => [kind.type, kind]));
  return (record: StoredEvent, event: Recorded | undefined, field: Field): Json => {
    const kind = event && byType.get(event.type);
    if (event === undefined || kind === undefined) throw new Error('an event of no declared kind');
    const { actor } = codec.metadata(record);
    const { type, stream, position, id, at } = event;
    return {
      ...{ type, stream, position: position.toString(), id, at },
      ...(actor === undefined ? {} : { actor }),
      data: dataOf(kind, event, field),
    };
  };
};

const dataOf = ({ fields, personal }: EventKind, event: Recorded, field: Field): Json => {
  const data = event.data as Readonly<Record<string, unknown>>; // Every fact has fields.
  const shown: Record<string, Json> = { ...(fields.encode(data) as Readonly<Record<string, Json>>) };
  if (personal === undefined) return shown;
  for (const { schema, names } of partsOf(personal)) {
    const part = Object.fromEntries(names.map((name) => [name, data[name]]));
    const encoded = names.every((name) => isOpenValue(data[name])) ? schema.encode(part) : {};
    for (const name of names) {
      const value = field((encoded as Readonly<Record<string, Json>>)[name], data[name]);
      if (value !== undefined) shown[name] = value;
    }
  }
  return shown;
};

type Personal = NonNullable<EventKind['personal']>;

/** Those of one part are erased together, and those of another may be open still. */
const partsOf = (personal: Personal): readonly Pick<Personal, 'schema' | 'names'>[] => {
  const { schema, names, apart } = personal;
  if (apart === undefined) return [personal];
  return [{ schema, names: names.filter((name) => !apart.names.includes(name)) }, apart];
};

const isOpenValue = (value: unknown): boolean => !isShredded(value) && !(value instanceof SealedField);
