import type { Event } from './event.js';
import type { UserId } from './ids.js';
import type { Personal } from './personal.js';
import { shape, type Schema, type Shape, type ValueOf } from './schema.js';

/** Whose keys seal an event's personal fields. Destroying either key makes them unreadable for ever. */
export type SealedFor = {
  /** The author. Absent for what belongs to nobody in particular, such as a channel's name. */
  readonly subject?: UserId;
  /** The chat, community or account that the content belongs to. */
  readonly scope: string;
};

/** `permissions`: a node folds `Access` from the event, so both permissions and answers from memory depend on it. */
export type Affected = 'permissions';

/** Everything that the events of one package have in common. */
export type EventsInCommon<Data> = {
  /** The stream that holds the event. */
  readonly stream: (data: Data) => string;
  /** The topic of `Metadata.about`. */
  readonly about: (data: Data) => string;
  /** Without it no event of the package has personal fields. */
  readonly sealedFor?: (data: Data) => SealedFor;
  /** For whom the fields that `FactDeclaration.apart` names are sealed. Undefined: with the others, as one value. */
  readonly sealedApartFor?: (data: Data) => SealedFor | undefined;
  /** With it the later requests of a session wait until the node has folded the session's own events. */
  readonly affects?: Affected;
};

/** One fact. `fields` are stored in the clear, `personal` sealed together as one value. */
export type FactDeclaration = {
  /** One sentence for docs/events.md. */
  readonly says: string;
  /** The id that comes into the world with the event, made from the clock: that of its stream, or the one in a field. */
  readonly mints?: 'stream' | { readonly field: string };
  readonly fields: Shape;
  readonly personal?: Shape;
  /** Of the personal fields those that may be somebody else's, and then are sealed for them, as a second value. */
  readonly apart?: readonly string[];
};

/** One kind of event, as the codec, docs/events.md and the golden samples see it. */
export interface EventKind {
  /** The package that declares the event. */
  readonly package: string;
  /** The name of the fact, which no other package uses: tables are keyed by it. */
  readonly type: string;
  readonly says: string;
  readonly mints?: FactDeclaration['mints'];
  readonly affects?: Affected;
  readonly fields: Schema<object>;
  readonly personal?: {
    readonly schema: Schema<object>;
    readonly names: readonly string[];
    sealedFor(this: void, data: object): SealedFor;
    readonly apart?: {
      readonly schema: Schema<object>;
      readonly names: readonly string[];
      sealedFor(this: void, data: object): SealedFor | undefined;
    };
  };
  stream(this: void, data: object): string;
  about(this: void, data: object): string;
}

declare const facts: unique symbol;
/** The events of one package by the names of their facts. */
export type EventPackage<Facts> = { readonly [Type in keyof Facts]: EventKind & { readonly type: Type } } & {
  readonly [facts]?: Facts;
};

/** Refuses a fact without the fields that name its stream or a new id, and personal fields that nothing is sealed for. */
type Fitting<Facts, Common> = {
  readonly [Type in keyof Facts]: Facts[Type] extends FactDeclaration
    ? (Facts[Type] extends { readonly mints: { readonly field: infer Field } }
        ? Field extends keyof Facts[Type]['fields']
          ? unknown
          : never
        : unknown) &
        (Common extends EventsInCommon<ValueOf<Facts[Type]['fields']>> ? unknown : never) &
        (Common extends { readonly sealedFor: unknown } ? unknown : { readonly personal?: never })
    : never;
};

/**
 * Declares all events of one package. From the object follow the union of the events, their codec, their golden samples
 * and their page in docs/events.md.
 */
export const declareEvents = <
  const Facts extends Readonly<Record<string, FactDeclaration>>,
  Common extends EventsInCommon<never>,
>(
  name: string,
  common: Common,
  declared: Facts & Fitting<Facts, Common>,
): EventPackage<Facts> =>
  // The entries of an object come back under their own names, which the compiler forgets.
  Object.fromEntries(
    Object.entries(declared).map(([type, fact]) => [type, eventKind({ package: name, type, common }, fact)]),
  ) as unknown as EventPackage<Facts>;

type Named = { readonly package: string; readonly type: string; readonly common: EventsInCommon<never> };

const eventKind = ({ package: name, type, common }: Named, fact: FactDeclaration): EventKind => {
  // `Fitting` has checked that the functions fit the fields of each fact.
  const { stream, about, sealedFor, sealedApartFor, affects } = common as EventsInCommon<object>;
  const kind = {
    package: name,
    type,
    says: fact.says,
    ...(fact.mints !== undefined && { mints: fact.mints }),
    ...(affects !== undefined && { affects }),
    fields: shape(fact.fields),
    stream,
    about,
  };
  if (fact.personal === undefined) return kind;
  if (sealedFor === undefined) throw new Error(`nothing says for whom ${type} is sealed`);
  const { personal, apart: names } = fact;
  const of = { schema: shape(personal), names: Object.keys(personal), sealedFor };
  if (names === undefined || sealedApartFor === undefined) return { ...kind, personal: of };
  const schema = shape(Object.fromEntries(Object.entries(personal).filter(([name]) => names.includes(name))));
  return { ...kind, personal: { ...of, apart: { schema, names, sealedFor: sealedApartFor } } };
};

/** Once shredded, every personal field reads `Shredded`, those that were absent too. */
type Personally<T> = { readonly [K in keyof T]: Personal<Exclude<T[K], undefined>> | Extract<T[K], undefined> };

type DataOf<Fact> = Fact extends { readonly fields: infer F; readonly personal: infer P }
  ? ValueOf<F> & Personally<ValueOf<P>>
  : Fact extends { readonly fields: infer F }
    ? ValueOf<F>
    : never;

/** The union of the events that a package declares. */
export type EventsOf<P> =
  P extends EventPackage<infer Facts>
    ? { readonly [Type in keyof Facts & string]: Event<Type, DataOf<Facts[Type]>> }[keyof Facts & string]
    : never;
