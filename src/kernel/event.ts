import type { Millis, UserId } from './ids.js';
import { shape, type Schema, type Shape, type ValueOf } from './schema.js';

/** A fact: past tense, never changed once stored. */
export type Event<Type extends string = string, Data = unknown> = { readonly type: Type; readonly data: Data };

/** A place in the log. Opaque outside the event log adapters; larger is later; 0 is before everything. */
export type Position = bigint;
export const beforeAll: Position = 0n;

/** Flat strings that travel with an event and are not part of the fact. */
export type Metadata = {
  /** All that came of one request. */
  readonly $correlationId: string;
  /** The command or event that led to this event. */
  readonly $causationId: string;
  /** The command's type. */
  readonly command: string;
  /** The topic whose listeners may care: a node without any skips the event before its body is parsed. */
  readonly about: string;
  /** The user who acted; absent when a workflow did. */
  readonly actor?: string;
  readonly session?: string;
  readonly traceparent?: string;
};

export type Recorded<E extends Event = Event> = E & {
  readonly stream: string;
  readonly revision: bigint;
  readonly position: Position;
  readonly id: string;
  /** When the log took it in. */
  readonly at: Millis;
  readonly metadata: Metadata;
};

/** The member of a union of events that has this type. */
export type EventOf<E extends Event, Type extends E['type']> = Extract<E, { readonly type: Type }>;

/**
 * What each event does to a state. An event without a line here does not compile. A state follows from the facts
 * alone, not from when or where they were recorded: so it can be folded from events that are still on their way.
 */
export type Fold<State, E extends Event> = {
  readonly [Type in E['type']]: (state: State, event: EventOf<E, Type>) => State;
};

/** Folds one event. Events of a type that the table does not have leave the state as it is: they are newer than we are. */
export const apply = <State, E extends Event>(fold: Fold<State, E>, state: State, event: E): State => {
  // The table is exhaustive by its type; that a line fits its own event is a pairing which the compiler cannot follow.
  const line = (fold as unknown as Readonly<Record<string, ((state: State, event: E) => State) | undefined>>)[
    event.type
  ];
  return line === undefined ? state : line(state, event);
};

/** What stands where personal content was once its key has been destroyed. Plain data, so that documents can hold it. */
export const shredded = { shredded: true } as const;
export type Shredded = { readonly shredded: true };
export type Personal<T> = T | Shredded;
export const isShredded = (value: unknown): value is Shredded =>
  typeof value === 'object' && value !== null && 'shredded' in value;
/** What stands in the place of shredded content. */
export const unless = <T, U>(value: Personal<T>, otherwise: U): T | U => (isShredded(value) ? otherwise : value);

/** Whose keys seal an event's personal fields. Destroying either key makes them unreadable for ever. */
export type SealedFor = {
  /** The author. Absent for what belongs to nobody in particular, such as a channel's name. */
  readonly subject?: UserId;
  /** The chat, community or account that the content belongs to. */
  readonly scope: string;
};

type Personally<T> = { readonly [K in keyof T]: Personal<Exclude<T[K], undefined>> | Extract<T[K], undefined> };

/**
 * One kind of event. `fields` are stored in the clear, `personal` sealed together as one value.
 * Once shredded, every personal field reads `Shredded`, those that were absent too.
 */
export interface EventKind<Type extends string = string, F extends Shape = Shape, P extends Shape = Shape> {
  readonly type: Type;
  /** One sentence for docs/events.md. */
  readonly says: string;
  readonly fields: Schema<ValueOf<F>>;
  readonly personal?: {
    readonly schema: Schema<ValueOf<P>>;
    readonly names: readonly string[];
    sealedFor(this: void, data: ValueOf<F>): SealedFor;
  };
  /** The topic of `Metadata.about`. */
  about(this: void, data: ValueOf<F>): string;
}

type Declared<F extends Shape, P extends Shape> = {
  readonly says: string;
  readonly about: (data: ValueOf<F>) => string;
  readonly fields: F;
} & (P extends Record<string, never>
  ? { readonly personal?: never; readonly sealedFor?: never }
  : { readonly personal: P; readonly sealedFor: (data: ValueOf<F>) => SealedFor });

export const eventKind = <const Type extends string, F extends Shape, P extends Shape = Record<string, never>>(
  type: Type,
  declared: Declared<F, P>,
): EventKind<Type, F, P> => {
  const kind = { type, says: declared.says, fields: shape(declared.fields), about: declared.about };
  if (declared.personal === undefined) return kind;
  const schema = shape<P>(declared.personal as P);
  const names = Object.keys(declared.personal);
  return { ...kind, personal: { schema, names, sealedFor: declared.sealedFor } };
};

/** A declaration whose types are forgotten. */
export type AnyEventKind = Pick<EventKind, 'type' | 'says'> & {
  readonly fields: Schema<object>;
  readonly personal?: {
    readonly schema: Schema<object>;
    readonly names: readonly string[];
    sealedFor(this: void, data: object): SealedFor;
  };
  about(this: void, data: object): string;
};

/** The event that a declaration declares. */
export type EventFrom<K> =
  K extends EventKind<infer Type, infer F, infer P>
    ? Event<Type, P extends Record<string, never> ? ValueOf<F> : ValueOf<F> & Personally<ValueOf<P>>>
    : never;
