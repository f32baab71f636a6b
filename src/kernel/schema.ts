import { channelChat, isChatKey, type ChatKey } from './chat.js';
import type { ChannelId, CommunityId, Id, Millis } from './ids.js';

/** A value that JSON can express. Ids and other 64-bit numbers are decimal strings in JSON. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/**
 * How one kind of value is stored. From the schemas of its fields follow an event's type, its codec, its golden
 * sample and its page in docs/events.md, so none of them can drift from the others.
 */
export interface Schema<T> {
  /** As docs/events.md names it. */
  readonly describe: string;
  /** A typical value, for golden samples. */
  readonly sample: T;
  /** The sample with the fields that were added later; absent where there are none. */
  readonly sampleWithAdded?: T;
  // Methods, not properties: a list of fields of many kinds is then a list of `Schema<unknown>` without a cast.
  encode(this: void, value: T): Json;
  /** Throws `Misshapen` when the stored value is not of this kind: that is a damaged or foreign record. */
  decode(this: void, json: Json): T;
}

export type Optional<T> = Schema<T> & { readonly optional: true; readonly added?: true };
export type Shape = Readonly<Record<string, Schema<unknown> | Optional<unknown>>>;

export type Value<S> = S extends Schema<infer T> ? T : never;
type OptionalKeys<S> = { [K in keyof S]: S[K] extends { readonly optional: true } ? K : never }[keyof S];
export type ValueOf<S> = { readonly [K in Exclude<keyof S, OptionalKeys<S>>]: Value<S[K]> } & {
  readonly [K in OptionalKeys<S>]?: Value<S[K]>;
};

/** Its kind and length alone, because the value itself may be personal and errors are logged. */
const described = (found: Json | undefined): string => {
  if (found === undefined) return 'nothing';
  if (found === null) return 'null';
  if (typeof found === 'string') return `text of ${found.length.toString()} characters`;
  if (Array.isArray(found)) return `a list of ${found.length.toString()}`;
  return typeof found === 'object'
    ? `an object of ${Object.keys(found).length.toString()} fields`
    : `a ${typeof found}`;
};

/** A stored value that is not of the kind it should be. Says where it is and what was expected, and never the value. */
export class Misshapen extends Error {
  constructor(expected: string, found: Json | undefined) {
    super(`expected ${expected}, found ${described(found)}`);
    this.name = 'Misshapen';
  }
}

/** The same error with the place in front: a field, or the event that it is in. */
export const misshapenIn = (place: string, error: unknown): unknown => {
  if (error instanceof Misshapen) error.message = `${place}: ${error.message}`;
  return error;
};

const plain = <T extends Json>(describe: string, sample: T, is: (json: Json) => json is T): Schema<T> => ({
  describe,
  sample,
  encode: (value) => value,
  decode: (json) => {
    if (!is(json)) throw new Misshapen(describe, json);
    return json;
  },
});

export const text = plain('text', 'sample', (json) => typeof json === 'string');
export const flag = plain('true or false', true, (json) => typeof json === 'boolean');
/** A whole number that a JavaScript number holds exactly. */
export const count = plain('whole number', 3, (json): json is number => Number.isSafeInteger(json));
export const chatKey: Schema<ChatKey> = plain(
  'chat key',
  channelChat(11n as CommunityId, 12n as ChannelId),
  (json): json is ChatKey => typeof json === 'string' && isChatKey(json),
);
export const millis: Schema<Millis> = plain(
  'milliseconds since 1970',
  1_767_225_600_000 as Millis,
  (json): json is Millis => Number.isSafeInteger(json),
);

export const oneOf = <const T extends string>(...values: readonly T[]): Schema<T> => {
  const [first] = values;
  if (first === undefined) throw new Error('oneOf needs a value');
  return plain(`one of ${values.join(', ')}`, first, (json): json is T => values.some((value) => value === json));
};

/** An unsigned 64-bit number: permission bits, nonces. */
export const bits: Schema<bigint> = {
  describe: '64-bit number, in decimal',
  sample: 4398n,
  encode: (value) => value.toString(),
  decode: (json) => bigintOf(json, '64-bit number, in decimal'),
};

export const id = <Kind extends Id<string>>(kind: string): Schema<Kind> => ({
  describe: `${kind} id, in decimal`,
  sample: 123_456_789_012_345_678n as Kind,
  encode: (value) => value.toString(),
  decode: (json) => bigintOf(json, `${kind} id, in decimal`) as Kind,
});

const decimal = /^(0|[1-9]\d{0,19})$/;
const bigintOf = (json: Json, expected: string): bigint => {
  if (typeof json !== 'string' || !decimal.test(json)) throw new Misshapen(expected, json);
  return BigInt(json);
};

export const optional = <T>(schema: Schema<T>): Optional<T> => ({ ...schema, optional: true });

/** A field that an event got after it was first written: the golden sample of then stays as it is, without the field. */
export const added = <T>(schema: Schema<T>): Optional<T> => ({ ...schema, optional: true, added: true });

export const list = <T>(item: Schema<T>): Schema<readonly T[]> => ({
  describe: `list of ${item.describe}`,
  sample: [item.sample],
  encode: (values) => values.map(item.encode),
  decode: (json) => {
    if (!Array.isArray(json)) throw new Misshapen(`list of ${item.describe}`, json);
    return (json as readonly Json[]).map(item.decode);
  },
});

export const shape = <S extends Shape>(fields: S): Schema<ValueOf<S>> => {
  const entries: Entries = Object.entries(fields);
  return {
    describe: `{ ${entries.map(([name, field]) => `${name}${field.optional ? '?' : ''}: ${field.describe}`).join('; ')} }`,
    sample: sampleOf(entries.filter(([, field]) => field.added !== true)) as ValueOf<S>,
    ...(entries.some(([, field]) => field.added) && { sampleWithAdded: sampleOf(entries) as ValueOf<S> }),
    encode: (value) => encodeFields(entries, value),
    decode: (json) => decodeFields(entries, json) as ValueOf<S>,
  };
};

type Entries = readonly (readonly [string, Schema<unknown> & { optional?: true; added?: true }])[];

const sampleOf = (entries: Entries): object => Object.fromEntries(entries.map(([name, field]) => [name, field.sample]));

const encodeFields = (entries: Entries, value: object): Readonly<Record<string, Json>> => {
  const json: Record<string, Json> = {};
  const values = value as Readonly<Record<string, unknown>>;
  for (const [name, field] of entries) {
    const held = values[name];
    if (held !== undefined) json[name] = field.encode(held);
    else if (field.optional !== true) throw new Misshapen(`${name}: ${field.describe}`, undefined);
  }
  return json;
};

const decodeFields = (entries: Entries, json: Json): object => {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw new Misshapen('an object', json);
  const held = json as Readonly<Record<string, Json | undefined>>;
  const value: Record<string, unknown> = {};
  let place = '';
  try {
    for (const [name, field] of entries) {
      place = name;
      const found = held[name];
      if (found !== undefined) value[name] = field.decode(found);
      else if (field.optional !== true) throw new Misshapen(field.describe, undefined);
    }
  } catch (error) {
    throw misshapenIn(place, error);
  }
  return value;
};
