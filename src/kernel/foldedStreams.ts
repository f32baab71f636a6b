import { boundedMap } from './boundedMap.js';
import { readEvents, type EventCodec } from './codec.js';
import type { Command, Decider, Snapshot } from './decider.js';
import { collectionOf } from './document.js';
import { apply, beforeAll, type Event, type Position } from './event.js';
import { heldBytes } from './heldBytes.js';
import type { WrittenEvent } from './personal.js';
import type { DocumentStore } from './ports/documentStore.js';
import type { EventLog, StoredEvent } from './ports/eventLog.js';
import type { Sealer } from './ports/sealer.js';

export type Folded<State> = {
  readonly state: State;
  readonly revision: bigint | 'noStream';
  readonly position: Position;
  /** False when it comes from memory: another node may have written since. */
  readonly fresh: boolean;
};

/** The folded states of the streams used last, so that a busy stream is not read again for each command. */
export interface FoldedStreams {
  remembered<State>(stream: string): Folded<State> | undefined;
  /** Reads what is newer than what is remembered. */
  caughtUp<C extends Command, State, E extends Event>(
    stream: string,
    decider: Decider<C, State, E>,
  ): Promise<Folded<State>>;
  remember(stream: string, folded: Folded<unknown>): void;
}

export const foldedStatesMax = 10_000;
/** The memory that the remembered states may take altogether, about. */
export const foldedBytesMax = 134_217_728;
const pageEvents = 500;
/** So many events are read before a snapshot is asked for. */
export const beforeSnapshotEvents = 100;

export const foldedStreams = (needs: {
  readonly log: EventLog;
  readonly codec: EventCodec;
  readonly sealer: Sealer;
  /** Has the snapshots; without it every stream is read from its beginning. */
  readonly documents?: Pick<DocumentStore, 'get'>;
}): FoldedStreams => {
  const known = boundedMap<string, Remembered>({
    entriesMax: foldedStatesMax,
    bytesMax: foldedBytesMax,
    bytesOf: ({ bytes }) => Math.max(1, bytes),
  });
  const remember = (stream: string, folded: Folded<unknown>): void => {
    const { state, revision, position } = folded;
    known.set(stream, { state, revision, position, fresh: false, ...sizedAs(known.peek(stream), state) });
  };
  // A stream's name says which decider folds it, so the state found under a name is of the type asked for.
  const remembered = <State>(stream: string): Folded<State> | undefined =>
    known.get(stream) as Folded<State> | undefined;

  const readAllOf = async <C extends Command, State, E extends Event>(
    stream: string,
    decider: Decider<C, State, E>,
    start: Folded<State>,
  ): Promise<Folded<State>> => {
    // Most streams are short, and are read without asking for a snapshot.
    let folded = start;
    let limit = decider.snapshots === undefined ? pageEvents : beforeSnapshotEvents;
    for (;;) {
      const from = folded.revision === 'noStream' ? 0n : folded.revision + 1n;
      const page = await needs.log.readStream(stream, { from, limit });
      folded = await foldedWith(needs, decider, folded, page);
      if (page.length < limit) return folded;
      if (limit === beforeSnapshotEvents) folded = (await snapshotAfter(needs, stream, decider, folded)) ?? folded;
      limit = pageEvents;
    }
  };
  const readEndsOf = async <C extends Command, State, E extends Event>(
    stream: string,
    decider: Decider<C, State, E>,
    start: Folded<State>,
  ): Promise<Folded<State>> => {
    const [latest] = await needs.log.readStream(stream, { direction: 'backwards', limit: 1 });
    if (latest === undefined || latest.revision === start.revision) return start;
    const isEnough = decider.foldsFromLatest === true || start.revision !== 'noStream' || latest.revision === 0n;
    const first = isEnough ? [] : await needs.log.readStream(stream, { from: 0n, limit: 1 });
    // An event that is newer than this program says nothing to it, so that the one before it counts.
    const isForeign = needs.codec.factOf(latest) === undefined;
    return isForeign ? readAllOf(stream, decider, start) : foldedWith(needs, decider, start, [...first, latest]);
  };

  return {
    remember,
    remembered,
    caughtUp: async <C extends Command, State, E extends Event>(stream: string, decider: Decider<C, State, E>) => {
      const start = remembered<State>(stream) ?? nothing(decider.initial);
      const { foldsFromFirstAndLatest, foldsFromLatest } = decider;
      const read = foldsFromFirstAndLatest === true || foldsFromLatest === true ? readEndsOf : readAllOf;
      const folded = await read(stream, decider, start);
      if (folded.revision !== 'noStream') remember(stream, folded);
      return { ...folded, fresh: true };
    },
  };
};

/** The snapshot, when it is newer. */
const snapshotAfter = async <C extends Command, State, E extends Event>(
  { documents }: { readonly documents?: Pick<DocumentStore, 'get'> },
  stream: string,
  { snapshots }: Decider<C, State, E>,
  { revision }: Folded<State>,
): Promise<Folded<State> | undefined> => {
  if (documents === undefined || snapshots === undefined) return undefined;
  const { document, position } = await documents.get(collectionOf(snapshots), stream);
  if (document === undefined) return undefined;
  // The collection holds what the fold of this decider made.
  const snapshot = document as unknown as Snapshot<State>;
  return revision !== 'noStream' && snapshot.revision > revision ? { ...snapshot, position, fresh: false } : undefined;
};

const foldedWith = async <C extends Command, State, E extends Event>(
  { codec, sealer }: { readonly codec: EventCodec; readonly sealer: Sealer },
  decider: Decider<C, State, E>,
  before: Folded<State>,
  records: readonly StoredEvent[],
): Promise<Folded<State>> => {
  const last = records.at(-1);
  if (last === undefined) return before;
  // An event of this stream was written by its decider, or is newer than this program and is passed over by `apply`.
  const events = (await readEvents(codec, sealer, records)) as readonly unknown[] as readonly E[];
  const { revision, position } = last;
  return { state: folding(decider, before.state, events), revision, position, fresh: false };
};

type Remembered = Folded<unknown> & { readonly bytes: number; readonly unmeasured: number };

/** An event adds less. So a state is at most twice as large as when it was measured last. */
const bytesPerChange = 131_072;

/** Measuring takes time with the size, so a large state is measured once in many changes. */
const sizedAs = (before: Remembered | undefined, state: unknown): Pick<Remembered, 'bytes' | 'unmeasured'> => {
  const isMeasured = before !== undefined && before.unmeasured < before.bytes / bytesPerChange;
  return isMeasured
    ? { bytes: before.bytes, unmeasured: before.unmeasured + 1 }
    : { bytes: heldBytes(state), unmeasured: 1 };
};

const nothing = <State>(state: State): Folded<State> => ({
  state,
  revision: 'noStream',
  position: beforeAll,
  fresh: false,
});

export const folding = <C extends Command, State, E extends Event>(
  decider: Decider<C, State, E>,
  state: State,
  events: readonly E[] | readonly WrittenEvent<E>[],
): State =>
  // A fold does not look into personal values, so it takes an event that is being written as one that was read.
  (events as readonly E[]).reduce((before, event) => apply(decider.evolve, before, event), state);
