import { boundedMap } from './boundedMap.js';
import { readEvents, type EventCodec } from './codec.js';
import type { Command, Decider } from './decider.js';
import { apply, beforeAll, type Event, type Position } from './event.js';
import type { WrittenEvent } from './personal.js';
import type { EventLog } from './ports/eventLog.js';
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
const pageEvents = 500;

export const foldedStreams = (needs: {
  readonly log: EventLog;
  readonly codec: EventCodec;
  readonly sealer: Sealer;
}): FoldedStreams => {
  const known = boundedMap<string, Folded<unknown>>({ entriesMax: foldedStatesMax });
  const remember = (stream: string, folded: Folded<unknown>): void => {
    known.set(stream, { ...folded, fresh: false });
  };
  // A stream's name says which decider folds it, so the state found under a name is of the type asked for.
  const remembered = <State>(stream: string): Folded<State> | undefined =>
    known.get(stream) as Folded<State> | undefined;

  return {
    remember,
    remembered,
    caughtUp: async <C extends Command, State, E extends Event>(stream: string, decider: Decider<C, State, E>) => {
      let folded = remembered<State>(stream) ?? nothing(decider.initial);
      for (;;) {
        const from = folded.revision === 'noStream' ? 0n : folded.revision + 1n;
        const page = await needs.log.readStream(stream, { from, limit: pageEvents });
        const last = page.at(-1);
        if (last === undefined) break;
        // An event of this stream was written by its decider, or is newer than this program and is passed over by
        // `apply`.
        const events = (await readEvents(needs.codec, needs.sealer, page)) as readonly unknown[] as readonly E[];
        const { revision, position } = last;
        folded = { state: folding(decider, folded.state, events), revision, position, fresh: false };
        if (page.length < pageEvents) break;
      }
      if (folded.revision !== 'noStream') remember(stream, folded);
      return { ...folded, fresh: true };
    },
  };
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
