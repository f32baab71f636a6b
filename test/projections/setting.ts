import { memoryDocuments } from '../../src/adapters/documents/memory.js';
import { memoryEventLog } from '../../src/adapters/eventLog/memory.js';
import { eventKinds } from '../../src/domain/registry.js';
import { eventCodec, type EventCodec } from '../../src/kernel/codec.js';
import type { Event, Position } from '../../src/kernel/event.js';
import type { Millis } from '../../src/kernel/ids.js';
import type { DocumentStore } from '../../src/kernel/ports/documentStore.js';
import type { EventLog, NewEvent } from '../../src/kernel/ports/eventLog.js';
import { KeysMissing } from '../../src/kernel/ports/sealer.js';
import type { Alarm } from '../../src/projections/runner/foldingEngine.js';
import { collections, projections } from '../../src/projections/registry.js';
import type { FailedTry } from '../../src/projections/runner/retrying.js';
import { startProjections, type ProjectionNeeds, type Projections } from '../../src/projections/runner/runner.js';
import { plainSealer, type PlainSealer } from '../support/plainSealer.js';
import { readsOf } from '../support/reads.js';
import type { DocumentReads } from '../../src/projections/reading/openedDocuments.js';
import type { Reads } from '../../src/projections/reading/queries.js';

export const now = 1_767_225_600_000 as Millis;

/** A log with all kinds of events, and what is needed to follow it. */
export type Setting = {
  readonly log: EventLog;
  readonly sealer: PlainSealer;
  readonly codec: EventCodec;
  readonly alarms: readonly Alarm[];
  readonly troubles: readonly FailedTry[];
  /** Appends the events to their stream and gives the position of the last. */
  readonly happened: (stream: string, ...events: readonly Event[]) => Promise<Position>;
  /** Appends a record that is none of ours to read. */
  readonly written: (stream: string, type: string, data: string) => Promise<Position>;
  /** The documents of the store as queries read them. */
  readonly reading: (store: DocumentReads) => Reads;
  readonly start: (changes?: Partial<ProjectionNeeds>) => Promise<Projections>;
};

export const setting = (log: EventLog = memoryEventLog({ now: () => now })): Setting => {
  const sealer = plainSealer();
  const codec = eventCodec(eventKinds, sealer);
  const alarms: Alarm[] = [];
  const troubles: FailedTry[] = [];
  let written = 0;
  const nextId = (): string => `00000000-0000-4000-8000-${(written += 1).toString(16).padStart(12, '0')}`;
  const append = async (stream: string, records: readonly NewEvent[]): Promise<Position> =>
    (await log.append(stream, records, 'any')).position;
  return {
    log,
    sealer,
    codec,
    alarms,
    troubles,
    happened: async (stream, ...events) => {
      const records: NewEvent[] = [];
      for (const event of events) records.push(await recordOf(codec, sealer, event, { stream, id: nextId() }));
      return append(stream, records);
    },
    written: (stream, type, data) =>
      append(stream, [{ id: nextId(), type, data: Buffer.from(data), metadata: Buffer.from('{}') }]),
    reading: (store) => readsOf(store, { codec, sealer }),
    start: async (changes = {}) =>
      startProjections({
        log,
        codec,
        store: changes.store ?? (await openStore()),
        projections,
        clock: { now: () => now },
        onAlarm: (alarm) => alarms.push(alarm),
        onTrouble: (trouble) => troubles.push(trouble),
        ...changes,
      }),
  };
};

export const openStore = async (): Promise<DocumentStore> => {
  const store = memoryDocuments();
  await store.open(collections);
  return store;
};

export const metadata = {
  $correlationId: 'request',
  $causationId: 'command',
  command: 'Something',
  actor: '1',
  session: '7',
};

type Place = { readonly stream: string; readonly id: string };

const recordOf = async (codec: EventCodec, sealer: PlainSealer, event: Event, place: Place): Promise<NewEvent> => {
  for (;;) {
    const record = codec.write(event, { ...place, metadata, period: '202601' });
    if (!(record instanceof KeysMissing)) return record;
    await sealer.makeKeys(record.names);
  }
};
