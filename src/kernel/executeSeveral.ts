import { decide, isRejection, type Command, type Decider, type Rejection } from './decider.js';
import { beforeAll, type Event, type Position } from './event.js';
import { folding, type Folded } from './foldedStreams.js';
import {
  attemptsMax,
  beginsStream,
  bytesOf,
  inOneTick,
  keepFew,
  momentFor,
  recordsOf,
  type Asked,
  type Cause,
  type Done,
  type ExecuteNeeds,
} from './handIn.js';
import type { WrittenEvent } from './personal.js';
import { PartlyAppended, VersionConflict, type Appended, type StreamAppend } from './ports/eventLog.js';
import { KeysMissing } from './ports/sealer.js';

type Work<C extends Command, State, E extends Event> = {
  readonly needs: ExecuteNeeds;
  readonly decider: Decider<C, State, E>;
  readonly make: Asked<readonly C[]>;
  readonly cause: Cause;
};

/** Carries out commands of one decider, each for a stream of its own: all are decided, then all are appended together. */
export const executeSeveral = async <C extends Command, State, E extends Event>(
  work: Work<C, State, E>,
  commands: readonly C[],
): Promise<Done<E> | Rejection> => {
  const progress: Progress<State, E> = { open: new Map(), events: [], position: beforeAll, places: undefined };
  await Promise.all(commands.map((command) => start(work, progress, command)));
  for (let attempt = 1; ;) {
    const handed = await handInAll(work, progress);
    if ('refused' in handed) return progress.events.length === 0 ? handed.refused : doneOf(progress, handed.refused);
    if ('stale' in handed) {
      await lookAgain(work, progress, handed.stale);
      continue;
    }
    const conflict = await taken(work, progress, handed);
    if (conflict === undefined) return doneOf(progress);
    if (attempt >= attemptsMax) throw conflict;
    attempt += 1;
    await lookAgain(work, progress, [...progress.open.keys()]);
  }
};

type Progress<State, E extends Event> = {
  /** The streams that are still to be decided on, and appended to, with their states. */
  readonly open: Map<string, Folded<State>>;
  /** Written. */
  readonly events: WrittenEvent<E>[];
  position: Position;
  /** By stream, once some are written: those that follow keep their places among all of them. */
  places: Places | undefined;
};
type Places = { readonly before: ReadonlyMap<string, number>; readonly of: number };

const doneOf = <State, E extends Event>({ events, position }: Progress<State, E>, refused?: Rejection): Done<E> =>
  refused === undefined ? { events, position } : { events, position, refused };

const start = async <C extends Command, State, E extends Event>(
  { needs: { streams }, decider }: Work<C, State, E>,
  { open }: Progress<State, E>,
  command: C,
): Promise<void> => {
  const stream = decider.stream(command);
  if (beginsStream(decider, command)) open.set(stream, begunNow(decider));
  else open.set(stream, streams.remembered<State>(stream) ?? (await streams.caughtUp(stream, decider)));
};

/** A stream that is only now begun is not read. */
const begunNow = <C extends Command, State, E extends Event>({ initial }: Decider<C, State, E>): Folded<State> => ({
  state: initial,
  revision: 'noStream',
  position: beforeAll,
  fresh: false,
});

const lookAgain = async <C extends Command, State, E extends Event>(
  { needs: { streams }, decider }: Work<C, State, E>,
  { open }: Progress<State, E>,
  wanted: readonly string[],
): Promise<void> => {
  await Promise.all(wanted.map(async (stream) => open.set(stream, await streams.caughtUp(stream, decider))));
};

type Decided<State, E extends Event> = {
  readonly stream: string;
  readonly command: string;
  readonly folded: Folded<State>;
  readonly events: readonly WrittenEvent<E>[];
};

type HandedIn<State, E extends Event> = {
  /** Those that have events, in the order of the appends. */
  readonly decided: readonly Decided<State, E>[];
  readonly places: Places;
  readonly appends: readonly StreamAppend[];
  readonly appending: Promise<Outcomes>;
};
type Outcomes = VersionConflict | readonly (Appended | Error)[];

type Handed<State, E extends Event> =
  HandedIn<State, E> | { readonly refused: Rejection } | { readonly stale: readonly string[] };

/** Makes the commands, decides them and hands their events to the log, all in one tick. */
const handInAll = async <C extends Command, State, E extends Event>(
  work: Work<C, State, E>,
  progress: Progress<State, E>,
): Promise<Handed<State, E>> => {
  const { needs, decider, make } = work;
  const handed = await inOneTick<readonly C[], Handed<State, E>>(
    () => make(beforeAll),
    needs,
    (commands) => {
      const all = commands.flatMap((command) => decidedOn(decider, progress, command));
      // A decision that writes nothing is not checked by the log: it holds only on a state that is not stale.
      const stale = all.filter(({ folded, events }) => !folded.fresh && (isRejection(events) || events.length === 0));
      if (stale.length > 0) return { stale: stale.map(({ stream }) => stream) };
      const refused = all.map(({ events }) => events).find(isRejection);
      if (refused !== undefined) return { refused };
      return recorded(work, progress, all.flatMap(withEvents));
    },
  );
  return isRejection(handed) ? { refused: handed } : handed;
};

const decidedOn = <C extends Command, State, E extends Event>(
  decider: Decider<C, State, E>,
  { open, places }: Progress<State, E>,
  command: C,
) => {
  const stream = decider.stream(command);
  // A command that begins a stream may name another one each time it is made, until something was written.
  const isBegun = places === undefined && beginsStream(decider, command);
  const folded = open.get(stream) ?? (isBegun ? begunNow(decider) : undefined);
  return folded === undefined
    ? []
    : [{ stream, command: command.type, folded, events: decide(decider, command, folded.state) }];
};

const withEvents = <State, E extends Event>({
  events,
  ...about
}: Omit<Decided<State, E>, 'events'> & {
  readonly events: Decided<State, E>['events'] | Rejection;
}): readonly Decided<State, E>[] => (isRejection(events) || events.length === 0 ? [] : [{ events, ...about }]);

const recorded = <C extends Command, State, E extends Event>(
  { needs, decider, cause }: Work<C, State, E>,
  progress: Progress<State, E>,
  decided: readonly Decided<State, E>[],
): HandedIn<State, E> | KeysMissing => {
  const places = progress.places ?? placesOf(decided);
  const appends: StreamAppend[] = [];
  // All of them at once, because each event may be sealed for another user.
  const missing = new Set<string>();
  for (const { stream, command, folded, events } of decided) {
    const about = { command, ...cause, ...momentFor(needs, decider) };
    const before = places.before.get(stream) ?? 0;
    const unrecorded = { stream, events, name: `${cause.commandId} ${stream}`, before, of: places.of };
    const records = recordsOf(needs, unrecorded, about);
    if (records instanceof KeysMissing) for (const name of records.names) missing.add(name);
    else appends.push({ stream, events: records, expected: folded.revision });
  }
  if (missing.size > 0) return new KeysMissing([...missing]);
  return { decided, places, appends, appending: appendAll(needs, appends) };
};

const placesOf = (decided: readonly Decided<unknown, Event>[]): Places => {
  const before = new Map<string, number>();
  let of = 0;
  for (const { stream, events } of decided) {
    before.set(stream, of);
    of += events.length;
  }
  return { before, of };
};

const appendAll = async ({ log }: ExecuteNeeds, appends: readonly StreamAppend[]): Promise<Outcomes> => {
  if (appends.length === 0) return [];
  try {
    return await log.appendAll(appends);
  } catch (error) {
    if (error instanceof VersionConflict) return error;
    if (error instanceof PartlyAppended) return error.outcomes;
    throw error;
  }
};

/** Notes what was written. Gives the conflict on account of which there is more to write. */
const taken = async <C extends Command, State, E extends Event>(
  { needs, decider, cause }: Work<C, State, E>,
  progress: Progress<State, E>,
  { decided, places, appends, appending }: HandedIn<State, E>,
): Promise<VersionConflict | undefined> => {
  const outcomes = await appending;
  if (outcomes instanceof VersionConflict) return outcomes;
  for (const [index, outcome] of outcomes.entries()) {
    const [one, append] = [decided[index], appends[index]];
    if (one === undefined || append === undefined || outcome instanceof Error) continue;
    const { stream, folded, events } = one;
    progress.open.delete(stream);
    progress.events.push(...events);
    progress.places = places;
    moveTo(progress, outcome.position);
    if (cause.actor !== undefined) needs.appended?.(cause.actor, bytesOf(append.events));
    await keepFew(needs, decider, stream, folded);
    needs.streams.remember(stream, { state: folding(decider, folded.state, events), ...outcome, fresh: false });
  }
  const failure = outcomes.find((outcome) => outcome instanceof Error && !(outcome instanceof VersionConflict));
  if (failure instanceof Error) throw failure;
  const conflict = outcomes.find((outcome) => outcome instanceof VersionConflict);
  // The streams that are open without a conflict had nothing to write: that holds as of where they were looked at.
  if (conflict === undefined) for (const { position } of progress.open.values()) moveTo(progress, position);
  return conflict;
};

const moveTo = (progress: { position: Position }, position: Position): void => {
  if (position > progress.position) progress.position = position;
};
