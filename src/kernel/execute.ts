import { periodOf, type EventCodec } from './codec.js';
import { decide, isRejection, reject, type Command, type Decider, type Rejection } from './decider.js';
import { beforeAll, type Event, type Metadata, type Position } from './event.js';
import type { WrittenEvent } from './personal.js';
import {
  VersionConflict,
  type Appended,
  type EventLog,
  type ExpectedRevision,
  type NewEvent,
} from './ports/eventLog.js';
import { KeysMissing, type Sealer } from './ports/sealer.js';
import type { Clock, Ids } from './ports/system.js';
import { folding, type Folded, type FoldedStreams } from './foldedStreams.js';

/** The actor of a command, and the message or event that led to the command. */
export type Cause = {
  /** Names the command for ever. The ids of its events follow from `commandId`, so doing it again is doing it once. */
  readonly commandId: string;
  readonly correlationId: string;
  readonly causationId?: string;
  readonly actor?: string;
  readonly session?: string;
  readonly traceparent?: string;
  /** See `Metadata`. Asked in the tick of the append. */
  readonly asOf?: () => Position;
  readonly slowmodeSeconds?: number;
};

export type Done<E extends Event> = {
  /** Empty when there was nothing left to do. */
  readonly events: readonly WrittenEvent<E>[];
  /** Where the last of them is; when there are none, a place at which what was wanted holds. */
  readonly position: Position;
};

/**
 * Makes a command, and is asked anew after every wait, in the tick in which the append is handed to the log. So an id
 * that is minted in it is in log order, and a right that it looks at is that of the append. The minted id must not name
 * the scope that the event is sealed for, because each asking would want the keys of another scope.
 *
 * A rejection ends the command. A promise says that the maker cannot tell yet: it is asked again once that has
 * resolved, at most `waitsMax` times, after which the command is refused with `CONFLICT`.
 */
export type Asked<C extends Command> = () => C | Rejection | Promise<unknown>;

/**
 * Decides a command on its stream and appends what follows, durable when resolved.
 * Rejects with `VersionConflict` only after `attemptsMax` lost races.
 */
export type Execute = <C extends Command, State, E extends Event>(
  decider: Decider<C, State, E>,
  command: C | Asked<C>,
  cause: Cause,
) => Promise<Done<E> | Rejection>;

export type ExecuteNeeds = {
  readonly log: EventLog;
  readonly codec: EventCodec;
  readonly sealer: Sealer;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly streams: FoldedStreams;
  /** Events of so many bytes, with their metadata, were appended by this actor. */
  readonly appended?: (actor: string, bytes: number) => void;
};

export const attemptsMax = 3;
/** A command whose keys are still missing after so many fetches wants other ones each time. */
export const keyFetchesMax = 5;
/** A command whose maker has to wait so often meets a change of the rights that it needs each time. */
export const waitsMax = 10;

export const executor = (needs: ExecuteNeeds): Execute => {
  const { streams } = needs;
  const turns = new Map<string, Promise<unknown>>();
  return async (decider, command, cause) => {
    let make = typeof command === 'function' ? command : () => command;
    const first = make();
    // Not awaited without need: most commands are handed to the log in the tick in which they are given.
    let asked = first instanceof Promise ? await first.then(() => settled(make)) : first;
    if (isRejection(asked)) return asked;
    if ((decider.begins as readonly string[] | undefined)?.includes(asked.type) === true) {
      const begun = await begin(needs, decider, make, cause);
      if (!('exists' in begun)) return begun;
      asked = begun.exists;
      make = remaking(make, asked);
    }
    const stream = decider.stream(asked);
    return inTurn(turns, stream, () => onStream({ needs, streams, decider, make, cause, stream }));
  };
};

/** Only good to see what kind of command it is: by the time this resolves its rights may be others. */
const settled = async <C extends Command>(make: Asked<C>): Promise<C | Rejection> => {
  for (let waits = 1; waits <= waitsMax; waits += 1) {
    const asked = make();
    if (!(asked instanceof Promise)) return asked;
    await asked;
  }
  return reject('CONFLICT');
};

/** Asked anew, the command might name another stream than the one that turned out to exist. */
const remaking =
  <C extends Command>(make: Asked<C>, exists: C): Asked<C> =>
  () => {
    const asked = make();
    return asked instanceof Promise || isRejection(asked) ? asked : exists;
  };

/** Commands of one stream on one node run one after another: they would only race each other to the same revision. */
const inTurn = async <T>(turns: Map<string, Promise<unknown>>, stream: string, work: () => Promise<T>): Promise<T> => {
  const before = turns.get(stream);
  const turn = before === undefined ? work() : before.then(work, work);
  turns.set(stream, turn);
  try {
    return await turn;
  } finally {
    if (turns.get(stream) === turn) turns.delete(stream);
  }
};

/** A stream that is only now begun is neither read nor waited for. Gives the command back when its stream turns out to exist. */
const begin = async <C extends Command, State, E extends Event>(
  needs: ExecuteNeeds,
  decider: Decider<C, State, E>,
  make: Asked<C>,
  cause: Cause,
): Promise<Done<E> | Rejection | { readonly exists: C }> => {
  const on = { cause, state: decider.initial, position: beforeAll, expected: 'noStream' } as const;
  const taken = await handIn(needs, decider, make, on);
  if (!('appending' in taken)) return taken;
  const appended = await taken.appending;
  if (appended instanceof VersionConflict) return { exists: taken.command };
  return { events: taken.events, position: appended.position };
};

/** The state on which a command is decided, and what the log is expected to hold then. */
type HandedOn<State> = {
  readonly cause: Cause;
  readonly state: State;
  readonly position: Position;
  readonly expected: ExpectedRevision;
};

type HandedIn<C extends Command, E extends Event> = {
  readonly command: C;
  readonly events: readonly WrittenEvent<E>[];
  readonly appending: Promise<Appended | VersionConflict>;
};

/** Makes the command, decides it and hands its events to the log, all in one tick. */
const handIn = <C extends Command, State, E extends Event>(
  needs: ExecuteNeeds,
  decider: Decider<C, State, E>,
  make: Asked<C>,
  { cause, state, position, expected }: HandedOn<State>,
): Promise<HandedIn<C, E> | Done<E> | Rejection> =>
  inOneTick<C, HandedIn<C, E> | Done<E> | Rejection>(make, needs, (command) => {
    const events = decide(decider, command, state);
    if (isRejection(events)) return events;
    if (events.length === 0) return { events, position };
    const stream = decider.stream(command);
    const about = { ...cause, command: command.type, ...momentFor(needs, decider) };
    const records = recordsOf(needs, stream, events, about);
    if (records instanceof KeysMissing) return records;
    return { command, events, appending: append(needs, stream, { records, actor: cause.actor }, expected) };
  });

/**
 * Does `work` with the command in the very tick in which that was made. Work that lacks keys is done again once they
 * are there, with the command made anew.
 */
const inOneTick = async <C extends Command, Outcome extends object>(
  make: Asked<C>,
  { sealer }: Pick<ExecuteNeeds, 'sealer'>,
  work: (command: C) => Outcome | KeysMissing,
): Promise<Outcome | Rejection> => {
  let [waits, fetches] = [0, 0];
  for (;;) {
    const command = make();
    if (command instanceof Promise) {
      waits += 1;
      if (waits > waitsMax) return reject('CONFLICT');
      await command;
      continue;
    }
    if (isRejection(command)) return command;
    const outcome = work(command);
    if (!(outcome instanceof KeysMissing)) return outcome;
    fetches += 1;
    if (fetches >= keyFetchesMax) throw new KeysNeverFound();
    await sealer.makeKeys(outcome.names);
  }
};

type Work<C extends Command, State, E extends Event> = {
  readonly needs: ExecuteNeeds;
  readonly streams: FoldedStreams;
  readonly decider: Decider<C, State, E>;
  readonly make: Asked<C>;
  readonly cause: Cause;
  readonly stream: string;
};

const onStream = async <C extends Command, State, E extends Event>(
  work: Work<C, State, E>,
): Promise<Done<E> | Rejection> => {
  let folded = work.streams.remembered<State>(work.stream) ?? (await work.streams.caughtUp(work.stream, work.decider));
  for (let attempt = 1; ; attempt += 1) {
    const outcome = await decideAndAppend(work, folded);
    // A decision that writes nothing was not checked by the log: it holds only on a state that is not stale.
    const unchecked = !(outcome instanceof VersionConflict) && (isRejection(outcome) || outcome.events.length === 0);
    if (!(outcome instanceof VersionConflict) && (!unchecked || folded.fresh)) return outcome;
    if (outcome instanceof VersionConflict && attempt >= attemptsMax) throw outcome;
    folded = await work.streams.caughtUp(work.stream, work.decider);
  }
};

const decideAndAppend = async <C extends Command, State, E extends Event>(
  { needs, streams, decider, make, cause, stream }: Work<C, State, E>,
  folded: Folded<State>,
): Promise<Done<E> | Rejection | VersionConflict> => {
  const { state, position, revision: expected } = folded;
  const taken = await handIn(needs, decider, make, { cause, state, position, expected });
  if (!('appending' in taken)) return taken;
  const { events, appending } = taken;
  const appended = await appending;
  if (appended instanceof VersionConflict) return appended;
  // Once per node and stream is enough, and a crash before it is mended by the next command.
  if (decider.keepsEvents !== undefined && folded.fresh) await needs.log.setMaxCount(stream, decider.keepsEvents);
  streams.remember(stream, { state: folding(decider, folded.state, events), ...appended, fresh: false });
  return { events, position: appended.position };
};

class KeysNeverFound extends Error {
  constructor() {
    super('a command asks for other keys each time: an id that is minted in it names what its event is sealed for');
    this.name = 'KeysNeverFound';
  }
}

type Appending = { readonly records: readonly NewEvent[]; readonly actor: string | undefined };

const append = async (
  { log, appended }: Pick<ExecuteNeeds, 'log' | 'appended'>,
  stream: string,
  { records, actor }: Appending,
  expected: ExpectedRevision,
): Promise<Appended | VersionConflict> => {
  try {
    const done = await log.append(stream, records, expected);
    if (actor !== undefined) appended?.(actor, bytesOf(records));
    return done;
  } catch (error) {
    if (error instanceof VersionConflict) return error;
    throw error;
  }
};

const bytesOf = (records: readonly NewEvent[]): number =>
  records.reduce((bytes, { data, metadata }) => bytes + data.length + metadata.length, 0);

/** In the tick in which the events are handed to the log: so it lies between the ids of the messages before and after. */
const momentFor = <C extends Command, State, E extends Event>(
  { ids }: ExecuteNeeds,
  { keepsMoments }: Decider<C, State, E>,
): Pick<Metadata, 'moment'> => (keepsMoments === true ? { moment: ids.next().toString() } : {});

const recordsOf = (
  { codec, ids, clock }: ExecuteNeeds,
  stream: string,
  events: readonly Event[],
  cause: CommandCause,
): readonly NewEvent[] | KeysMissing => {
  const period = periodOf(clock.now());
  const metadata = metadataOf(cause);
  const records: NewEvent[] = [];
  for (const [index, event] of events.entries()) {
    const record = codec.write(event, { id: ids.eventId(cause.commandId, index), stream, metadata, period });
    if (record instanceof KeysMissing) return record;
    records.push(record);
  }
  return records;
};

type CommandCause = Cause & Pick<Metadata, 'command' | 'moment'>;

const metadataOf = (cause: CommandCause): Omit<Metadata, 'about'> => ({
  $correlationId: cause.correlationId,
  $causationId: cause.causationId ?? cause.commandId,
  command: cause.command,
  ...(cause.actor === undefined ? {} : { actor: cause.actor }),
  ...(cause.session === undefined ? {} : { session: cause.session }),
  ...(cause.moment === undefined ? {} : { moment: cause.moment }),
  ...(cause.asOf === undefined ? {} : { asOf: cause.asOf().toString() }),
  ...(cause.slowmodeSeconds === undefined ? {} : { slowmode: cause.slowmodeSeconds.toString() }),
  ...(cause.traceparent === undefined ? {} : { traceparent: cause.traceparent }),
});
