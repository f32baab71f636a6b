import type { Event, Fold } from './event.js';
import type { WrittenEvent } from './personal.js';
import type { Reason } from './reasons.js';

/** A refusal is a value. `detail` completes the sentence of the reason, `retryAfterSeconds` goes with temporary ones. */
export type Rejection = { readonly rejected: Reason; readonly detail?: string; readonly retryAfterSeconds?: number };
export const reject = (rejected: Reason, detail?: string): Rejection =>
  detail === undefined ? { rejected } : { rejected, detail };
export const isRejection = (value: unknown): value is Rejection =>
  typeof value === 'object' && value !== null && 'rejected' in value;

/** No events means that there was nothing left to do. That is a success. */
export type Decision<E extends Event> = readonly WrittenEvent<E>[] | Rejection;

export type Command<Type extends string = string, Data = unknown> = { readonly type: Type; readonly data: Data };
export type CommandOf<C extends Command, Type extends C['type']> = Extract<C, { readonly type: Type }>;

/** The collection of the snapshots. The version is raised when `evolve` makes another state of old events. */
export type SnapshotSpec = { readonly name: string; readonly version: number };

/** The state of a stream right after the event of this revision, as a document holds it. */
export type Snapshot<State> = { readonly state: State; readonly revision: bigint };

/** The rules of one kind of stream. Pure and synchronous: time, ids and permissions arrive in the command. */
export interface Decider<C extends Command, State, E extends Event> {
  readonly stream: (command: C) => string;
  readonly initial: State;
  readonly evolve: Fold<State, E>;
  readonly rules: {
    readonly [Type in C['type']]: (data: CommandOf<C, Type>['data'], state: State) => Decision<E>;
  };
  /** Commands that begin a stream: they are decided on the initial state without a read, and read only on a conflict. */
  readonly begins?: readonly C['type'][];
  /** Its events carry a moment that is compared with the ids of messages: see `momentOf`. */
  readonly keepsMoments?: true;
  /**
   * Folding the first event and any later one gives the same state as folding all up to that one, so that a stream is
   * read at the cost of two events however long it is.
   */
  readonly foldsFromFirstAndLatest?: true;
  /** The same of the latest event alone. A stream that does not exist costs as many reads as one that does. */
  readonly foldsFromLatest?: true;
  /**
   * Streams that their owner can lengthen without end are decided on from a snapshot in the read models. The state must
   * be plain data.
   */
  readonly snapshots?: SnapshotSpec;
  /** Only so many of the newest events of a stream matter; the log may drop the older ones. */
  readonly keepsEvents?: number;
}

export const decide = <C extends Command, State, E extends Event>(
  decider: Decider<C, State, E>,
  command: C,
  state: State,
): Decision<E> => {
  // The table is exhaustive by its type; that a rule fits its own command is a pairing which the compiler cannot follow.
  const rule = decider.rules[command.type as C['type']];
  return rule(command.data, state);
};
