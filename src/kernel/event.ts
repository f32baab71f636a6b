import type { Millis } from './ids.js';

/** A fact: past tense, never changed once stored. `type` is its name: `ChannelRenamed`. */
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
  /** An id that was made when the event was handed to the log, in decimal: see `momentOf`. Only of deciders that keep it. */
  readonly moment?: string;
  /**
   * The position, in decimal, as of which the right to do this was looked at. Only of messages, their edits and
   * reactions, and only where nodes share the log: the right may have gone before the event came to its place.
   */
  readonly asOf?: string;
  /** Goes with `asOf`: the seconds of the slow mode that the author was subject to. */
  readonly slowmode?: string;
  /** Goes with `asOf`: the bits of the rights in the chat, in decimal, where they do not follow from the event. */
  readonly needs?: string;
  /** The place among the events that were handed to the log together, `2/3`. Absent: it was alone, or is older than this. */
  readonly part?: string;
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

/** A number of a field of `Metadata`, which is not checked against a schema when it is read; undefined for anything else. */
export const numberInMetadata = (text: unknown): bigint | undefined =>
  typeof text === 'string' && /^\d{1,20}$/.test(text) ? BigInt(text) : undefined;

/** The member of a union of events that has this type. */
export type EventOf<E extends Event, Type extends E['type']> = Extract<E, { readonly type: Type }>;

/**
 * The effect of each event on a state. An event without a line here does not compile. A state follows from the facts
 * alone, not from when or where they were recorded, so it can be folded from events that are still on their way.
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
