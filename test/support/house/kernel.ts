import { memoryEventLog } from '../../../src/adapters/eventLog/memory.js';
import { systemIds } from '../../../src/adapters/system/ids.js';
import { eventKinds } from '../../../src/domain/registry.js';
import { eventCodec, type EventCodec } from '../../../src/kernel/codec.js';
import type { Command, Decider, Decision } from '../../../src/kernel/decider.js';
import type { Event } from '../../../src/kernel/event.js';
import { executor, type Execute } from '../../../src/kernel/execute.js';
import { foldedStreams, type FoldedStreams } from '../../../src/kernel/foldedStreams.js';
import { snowflakes, type Millis } from '../../../src/kernel/ids.js';
import type { DocumentStore } from '../../../src/kernel/ports/documentStore.js';
import type { EventLog } from '../../../src/kernel/ports/eventLog.js';
import type { Ids } from '../../../src/kernel/ports/system.js';
import { openStore } from '../../projections/setting.js';
import { plainSealer, type PlainSealer } from '../plainSealer.js';
import type { Reads } from '../../../src/projections/reading/queries.js';
import { readsOf } from '../reads.js';

/** Time as it is measured, and by how much wall clocks are ahead of it. It passes when a test says so. */
export type TestClock = { at: number; ahead: number };

/** Rules on a log in memory, and nothing that follows it. */
export type Kernel = {
  readonly clock: TestClock;
  /** By the wall clock. */
  readonly now: () => Millis;
  readonly log: EventLog;
  readonly sealer: PlainSealer;
  readonly codec: EventCodec;
  readonly store: DocumentStore;
  readonly reads: Reads;
  readonly streams: FoldedStreams;
  readonly execute: Execute;
  readonly ids: Ids;
  /** Those of `ids`. One source for all nodes keeps the order that nodes see to by following the log. */
  readonly nextId: () => bigint;
  /** Stores events as they are, whatever the rules say. */
  readonly append: (stream: string, ...events: readonly Event[]) => Promise<void>;
};

export const kernelInMemory = async (): Promise<Kernel> => {
  const clock = { at: 1_767_225_600_000, ahead: 0 };
  const now = (): Millis => (clock.at + clock.ahead) as Millis;
  const nextId = snowflakes(1, now);
  const log = memoryEventLog({ now });
  const sealer = plainSealer();
  const codec = eventCodec(eventKinds, sealer);
  const streams = foldedStreams({ log, codec, sealer });
  const ids = systemIds(nextId);
  const needs = { log, codec, sealer, clock: { now }, ids };
  const execute = executor({ ...needs, streams });
  // It remembers streams for itself, because it knows nothing of the states that rules fold them to.
  const append = appending(executor({ ...needs, streams: foldedStreams(needs) }));
  const store = await openStore();
  const reads = readsOf(store, { codec, sealer });
  return { clock, now, log, sealer, codec, store, reads, streams, execute, ids, nextId, append };
};

const appending = (execute: Execute): Kernel['append'] => {
  let commands = 0;
  return async (stream, ...events) => {
    const anything: Decider<Command<'Happen'>, undefined, Event> = {
      stream: () => stream,
      initial: undefined,
      evolve: {},
      // The types of these events are forgotten, and what is personal in them with the types.
      rules: { Happen: () => events as Decision<Event> },
    };
    const commandId = `it ${(commands += 1).toString()}`;
    await execute(anything, { type: 'Happen', data: undefined }, { commandId, correlationId: '' });
  };
};
