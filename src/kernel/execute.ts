import { decide, isRejection, type Command, type Decider, type Rejection } from './decider.js';
import { beforeAll, type Event, type Position } from './event.js';
import { executeSeveral } from './executeSeveral.js';
import { folding, type Folded, type FoldedStreams } from './foldedStreams.js';
import {
  attemptsMax,
  beginsStream,
  bytesOf,
  inOneTick,
  keepFew,
  momentFor,
  recordsOf,
  settled,
  type Asked,
  type Cause,
  type Done,
  type ExecuteNeeds,
} from './handIn.js';
import type { WrittenEvent } from './personal.js';
import { VersionConflict, type Appended, type ExpectedRevision, type NewEvent } from './ports/eventLog.js';
import { KeysMissing } from './ports/sealer.js';

export { attemptsMax, type Asked, type Cause, type Done, type ExecuteNeeds };

/**
 * Decides a command on its stream and appends what follows, durable when resolved. Of several commands, each for a
 * stream of its own, all are decided before anything is appended, and then their events together: when one is refused
 * nothing was written, but see `Done.refused`. Rejects with `VersionConflict` only after `attemptsMax` lost races.
 */
export type Execute = <C extends Command, State, E extends Event>(
  decider: Decider<C, State, E>,
  command: C | Asked<C | readonly C[]>,
  cause: Cause,
) => Promise<Done<E> | Rejection>;

export const executor = (needs: ExecuteNeeds): Execute => {
  const turns = new Map<string, Promise<unknown>>();
  return async (decider, command, cause) => {
    const make = typeof command === 'function' ? command : () => command;
    const first = make(beforeAll);
    // Not awaited without need: most commands are handed to the log in the tick in which they are given.
    const asked = first instanceof Promise ? await first.then(() => settled(make)) : first;
    if (isRejection(asked)) return asked;
    if (isSeveral(asked)) {
      const streams = asked.map((one) => decider.stream(one));
      return inTurn(turns, streams, () => executeSeveral({ needs, decider, make: ofSeveral(make), cause }, asked));
    }
    const remade = ofOne<typeof asked>(make);
    const beginning = first instanceof Promise ? remade : madeAlready(asked, remade);
    return executeOne({ needs, decider, make: remade, beginning, cause, turns }, asked);
  };
};

/** To be asked first in the tick in which the command was made, so that it is not made twice in it. */
const madeAlready = <C extends Command>(command: C, make: Asked<C>): Asked<C> => {
  let made: C | undefined = command;
  return (decidedOn) => {
    const first = made;
    made = undefined;
    return first ?? make(decidedOn);
  };
};

const isSeveral = <C extends Command>(asked: C | readonly C[]): asked is readonly C[] => Array.isArray(asked);

// A maker that has made one command makes one each time, and one that has made several makes several.
const ofOne = <C extends Command>(make: Asked<C | readonly C[]>): Asked<C> => make as Asked<C>;
const ofSeveral = <C extends Command>(make: Asked<C | readonly C[]>): Asked<readonly C[]> =>
  make as Asked<readonly C[]>;

type One<C extends Command, State, E extends Event> = {
  readonly needs: ExecuteNeeds;
  readonly decider: Decider<C, State, E>;
  readonly make: Asked<C>;
  /** The same for a stream that begins: asked at once, before any wait. */
  readonly beginning: Asked<C>;
  readonly cause: Cause;
  readonly turns: Map<string, Promise<unknown>>;
};

const executeOne = async <C extends Command, State, E extends Event>(
  { needs, decider, make, beginning, cause, turns }: One<C, State, E>,
  asked: C,
): Promise<Done<E> | Rejection> => {
  let [command, remake] = [asked, make];
  if (beginsStream(decider, asked)) {
    const begun = await begin(needs, decider, beginning, cause);
    if (!('exists' in begun)) return begun;
    command = begun.exists;
    remake = remaking(make, command);
  }
  const stream = decider.stream(command);
  const work = { needs, streams: needs.streams, decider, make: remake, cause, stream };
  return inTurn(turns, [stream], () => onStream(work));
};

/** Asked anew, the command might name another stream than the one that turned out to exist. */
const remaking =
  <C extends Command>(make: Asked<C>, exists: C): Asked<C> =>
  (decidedOn) => {
    const asked = make(decidedOn);
    return asked instanceof Promise || isRejection(asked) ? asked : exists;
  };

/** Commands of one stream on one node run one after another: they would only race each other to the same revision. */
const inTurn = async <T>(
  turns: Map<string, Promise<unknown>>,
  streams: readonly string[],
  work: () => Promise<T>,
): Promise<T> => {
  const before = streams.flatMap((stream) => turns.get(stream) ?? []);
  const turn = before.length === 0 ? work() : Promise.allSettled(before).then(work);
  // Taken for all streams at once, so that no two commands wait for each other.
  for (const stream of streams) turns.set(stream, turn);
  try {
    return await turn;
  } finally {
    for (const stream of streams) if (turns.get(stream) === turn) turns.delete(stream);
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
  inOneTick<C, HandedIn<C, E> | Done<E> | Rejection>(
    () => make(position),
    needs,
    (command) => {
      const events = decide(decider, command, state);
      if (isRejection(events)) return events;
      if (events.length === 0) return { events, position };
      const stream = decider.stream(command);
      const about = { command: command.type, ...cause, ...momentFor(needs, decider) };
      const records = recordsOf(needs, { stream, events, name: cause.commandId }, about);
      if (records instanceof KeysMissing) return records;
      return { command, events, appending: append(needs, stream, { records, actor: cause.actor }, expected) };
    },
  );

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
  await keepFew(needs, decider, stream, folded);
  streams.remember(stream, { state: folding(decider, folded.state, events), ...appended, fresh: false });
  return { events, position: appended.position };
};

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
