import { periodOf, type EventCodec } from './codec.js';
import { reject, isRejection, type Command, type Decider, type Rejection } from './decider.js';
import { beforeAll, type Event, type Metadata, type Position } from './event.js';
import type { Folded, FoldedStreams } from './foldedStreams.js';
import { partIn } from './parts.js';
import type { WrittenEvent } from './personal.js';
import type { EventLog, NewEvent } from './ports/eventLog.js';
import { KeyDestroyed, KeysMissing, type Sealer } from './ports/sealer.js';
import type { Clock, Ids } from './ports/system.js';

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
  readonly needs?: bigint;
};

export type Done<E extends Event> = {
  /** Empty when there was nothing left to do. */
  readonly events: readonly WrittenEvent<E>[];
  /** Where the last of them is; when there are none, a place at which what was wanted holds. */
  readonly position: Position;
  /** Some of several commands were carried out, and then another was refused. Only on a log that is not atomic. */
  readonly refused?: Rejection;
};

/**
 * Makes a command, and is asked anew after every wait, in the tick in which the append is handed to the log. So an id
 * that is minted in it is in log order, and a right that it looks at is that of the append. The minted id must not name
 * the scope that the event is sealed for, because each asking would want the keys of another scope.
 *
 * A rejection ends the command. A promise says that the maker cannot tell yet: it is asked again once that has
 * resolved, at most `waitsMax` times, after which the command is refused with `CONFLICT`.
 *
 * `decidedOn` is the place of the last event of the stream that the command will be decided on, as far as it was read: a
 * maker whose rights are in that stream sees with it whether they are as new as the state. `beforeAll` says nothing.
 *
 * One that makes several commands makes one for each of the same streams each time, unless all of them begin streams:
 * then it makes as many each time.
 */
export type Asked<C extends Command | readonly Command[]> = (decidedOn: Position) => Answered<C>;

type Answered<C extends Command | readonly Command[]> = C | Rejection | Promise<unknown>;

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

/** Only good to see what kind of command it is: by the time this resolves its rights may be others. */
export const settled = async <C extends Command | readonly Command[]>(make: Asked<C>): Promise<C | Rejection> => {
  for (let waits = 1; waits <= waitsMax; waits += 1) {
    const asked = make(beforeAll);
    if (!(asked instanceof Promise)) return asked;
    await asked;
  }
  return reject('CONFLICT');
};

/**
 * Does `work` with the command in the very tick in which that was made. Work that lacks keys is done again once they
 * are there, with the command made anew. An erasure may come between the reading of words, of a quote for instance, and
 * their sealing: then nothing was written, and the next attempt finds the words gone.
 */
export const inOneTick = async <C extends Command | readonly Command[], Outcome extends object>(
  make: () => Answered<C>,
  { sealer }: Pick<ExecuteNeeds, 'sealer'>,
  work: (command: C) => Outcome | KeysMissing,
): Promise<Outcome | Rejection> => {
  let [waits, fetches] = [0, 0];
  try {
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
  } catch (error) {
    if (error instanceof KeyDestroyed) return reject('CONFLICT');
    throw error;
  }
};

class KeysNeverFound extends Error {
  constructor() {
    super('a command asks for other keys each time: an id that is minted in it names what its event is sealed for');
    this.name = 'KeysNeverFound';
  }
}

export const beginsStream = <C extends Command, State, E extends Event>(
  { begins }: Decider<C, State, E>,
  { type }: C,
): boolean => (begins as readonly string[] | undefined)?.includes(type) === true;

/** Once per node and stream is enough, and a crash before it is mended by the next command. */
export const keepFew = async <C extends Command, State, E extends Event>(
  { log }: Pick<ExecuteNeeds, 'log'>,
  { keepsEvents }: Decider<C, State, E>,
  stream: string,
  { fresh }: Pick<Folded<State>, 'fresh'>,
): Promise<void> => {
  if (keepsEvents !== undefined && fresh) await log.setMaxCount(stream, keepsEvents);
};

export const bytesOf = (records: readonly NewEvent[]): number =>
  records.reduce((bytes, { data, metadata }) => bytes + data.length + metadata.length, 0);

/** In the tick in which the events are handed to the log: so it lies between the ids of the messages before and after. */
export const momentFor = <C extends Command, State, E extends Event>(
  { ids }: ExecuteNeeds,
  { keepsMoments }: Decider<C, State, E>,
): Pick<Metadata, 'moment'> => (keepsMoments === true ? { moment: ids.next().toString() } : {});

/** The events of one stream, and the place among all that are handed in with them. */
export type Unrecorded = {
  readonly stream: string;
  readonly events: readonly Event[];
  /** The ids of the events follow from it. */
  readonly name: string;
  /** How many of the others come before these. Default: none. */
  readonly before?: number;
  /** Of all streams together. Default: those of this one. */
  readonly of?: number;
};

export const recordsOf = (
  { codec, ids, clock }: ExecuteNeeds,
  { stream, events, name, before = 0, of = events.length }: Unrecorded,
  cause: CommandCause,
): readonly NewEvent[] | KeysMissing => {
  const period = periodOf(clock.now());
  const common = metadataOf(cause);
  const records: NewEvent[] = [];
  for (const [index, event] of events.entries()) {
    const metadata = of > 1 ? { ...common, ...partIn(before + index + 1, of) } : common;
    const record = codec.write(event, { id: ids.eventId(name, index), stream, metadata, period });
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
  ...(cause.needs === undefined ? {} : { needs: cause.needs.toString() }),
  ...(cause.traceparent === undefined ? {} : { traceparent: cause.traceparent }),
});
