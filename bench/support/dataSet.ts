import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventStoreDbEventLog } from '../../src/adapters/eventLog/eventStoreDb.js';
import { lmdbEventLog } from '../../src/adapters/eventLog/lmdb.js';
import { vaultSealer } from '../../src/adapters/sealer/vault.js';
import { systemIds } from '../../src/adapters/system/ids.js';
import { systemRandom } from '../../src/adapters/system/random.js';
import { lmdbVault } from '../../src/adapters/vault/lmdb.js';
import { loadMasterKey } from '../../src/adapters/vault/masterKey.js';
import { foldersIn } from '../../src/engines.js';
import { eventKinds } from '../../src/domain/registry.js';
import { eventCodec, periodOf, type EventCodec } from '../../src/kernel/codec.js';
import { snowflakes, type Millis } from '../../src/kernel/ids.js';
import { beforeAll } from '../../src/kernel/event.js';
import type { EventLog, NewEvent } from '../../src/kernel/ports/eventLog.js';
import { KeysMissing, type Sealer } from '../../src/kernel/ports/sealer.js';
import { mix, type Step } from './mix.js';
import { seededRandom } from './random.js';

/** A log with its vault, in a data folder as a server has it. */
export type Engines = {
  readonly log: EventLog;
  readonly sealer: Sealer;
  readonly codec: EventCodec;
  close(): Promise<void>;
};

export const openEngines = async (dataDir: string, now: () => Millis): Promise<Engines> => {
  const folders = foldersIn(dataDir);
  const random = systemRandom();
  const vault = await lmdbVault({
    folder: folders.vault,
    masterKey: loadMasterKey(folders.masterKey, { mayMake: true }).key,
  });
  const sealer = await vaultSealer({ vault, timers: { now }, random });
  const log = await lmdbEventLog({ folder: folders.log, now });
  const close = async (): Promise<void> => {
    await log.close();
    await vault.close();
  };
  return { log, sealer, codec: eventCodec(eventKinds, sealer), close };
};

/** The same with its log on an empty EventStoreDB. */
export const copiedInto = async (engines: Engines, connectionString: string): Promise<Engines> => {
  const log = await eventStoreDbEventLog({ connectionString });
  const revisions = new Map<string, bigint>();
  let from = beforeAll;
  for (;;) {
    const page = await engines.log.readAll({ from, limit: copiedEvents });
    const last = page.at(-1);
    if (last === undefined) break;
    from = last.position;
    const appends = page.map((event) => {
      const before = revisions.get(event.stream);
      revisions.set(event.stream, (before ?? -1n) + 1n);
      return log.append(event.stream, [event], before ?? 'noStream');
    });
    await Promise.all(appends);
  }
  const close = async (): Promise<void> => {
    await log.close();
    await engines.close();
  };
  return { ...engines, log, close };
};

/** On their way at a time. */
const copiedEvents = 1_000;

/** The events of a data set lie within so many days, up to the present: the keys of authors change by the month. */
const spanMillis = 120 * 86_400_000;
const seed = 20_250_101;
/** Steps that are sealed and appended together, while those before are on their way to the disk. */
const batchSteps = 4_096;

export type DataSet = { readonly events: number; readonly seconds: number };

const markerIn = (dataDir: string): string => join(dataDir, 'data-set.json');

/** What was made here before. */
export const dataSetIn = (dataDir: string): DataSet | undefined =>
  existsSync(markerIn(dataDir)) ? (JSON.parse(readFileSync(markerIn(dataDir), 'utf8')) as DataSet) : undefined; // Written below.

/** Fills an empty data folder with so many events, as commands would have left them: sealed, in streams, with metadata. */
export const makeDataSet = async (dataDir: string, events: number): Promise<DataSet> => {
  const started = performance.now();
  const time = { now: (Date.now() - spanMillis) as Millis };
  const from = time.now;
  const engines = await openEngines(dataDir, () => time.now);
  const ids = systemIds(snowflakes(0, () => time.now));
  const next = mix({ random: seededRandom(seed), nextId: snowflakes(0, () => time.now) });
  let made = 0;
  let underWay: Promise<unknown> = Promise.resolve();
  const keeping = new Set<string>();
  while (made < events) {
    const steps: Step[] = [];
    for (let count = 0; count < batchSteps && made < events; count += 1) {
      time.now = Math.floor(from + (spanMillis * made) / events) as Millis;
      const step = next();
      made += step.events.length;
      steps.push(step);
    }
    const batch = await sealed(engines, steps, { period: periodOf(time.now), eventId: ids.eventId });
    await underWay;
    underWay = Promise.all(batch.map((one) => append(engines.log, one, keeping)));
  }
  await underWay;
  await engines.close();
  const set = { events: made, seconds: (performance.now() - started) / 1_000 };
  writeFileSync(markerIn(dataDir), JSON.stringify(set));
  return set;
};

type Ready = { readonly step: Step; readonly records: readonly NewEvent[] };
type Sealing = { readonly period: string; readonly eventId: (command: string, index: number) => string };

/** Fetches all keys that are missing at once: one by one each would be a write to the disk of its own. */
const sealed = async (engines: Engines, steps: readonly Step[], sealing: Sealing): Promise<readonly Ready[]> => {
  const tried = steps.map((step) => recordsOf(engines.codec, step, sealing));
  const missing = new Set(tried.flatMap((records) => (records instanceof KeysMissing ? records.names : [])));
  if (missing.size > 0) await engines.sealer.makeKeys([...missing]);
  return Promise.all(steps.map((step, at) => withKeys(engines, step, sealing, tried[at])));
};

const withKeys = async (
  { codec, sealer }: Engines,
  step: Step,
  sealing: Sealing,
  tried: readonly NewEvent[] | KeysMissing | undefined,
): Promise<Ready> => {
  let records = tried instanceof KeysMissing || tried === undefined ? recordsOf(codec, step, sealing) : tried;
  while (records instanceof KeysMissing) {
    await sealer.makeKeys(records.names);
    records = recordsOf(codec, step, sealing);
  }
  return { step, records };
};

const recordsOf = (codec: EventCodec, step: Step, { period, eventId }: Sealing): readonly NewEvent[] | KeysMissing => {
  const commandId = randomUUID();
  const metadata = {
    $correlationId: commandId.replaceAll('-', ''),
    $causationId: commandId,
    command: step.command,
    actor: step.by.id.toString(),
    session: step.by.session.toString(),
  };
  const records: NewEvent[] = [];
  for (const [index, event] of step.events.entries()) {
    const record = codec.write(event, { id: eventId(commandId, index), stream: step.stream, metadata, period });
    if (record instanceof KeysMissing) return record;
    records.push(record);
  }
  return records;
};

const append = async (log: EventLog, { step, records }: Ready, keeping: Set<string>): Promise<void> => {
  const { stream, keeps } = step;
  const appended = log.append(stream, records, 'any');
  if (keeps !== undefined && !keeping.has(stream)) {
    keeping.add(stream);
    await log.setMaxCount(stream, keeps);
  }
  await appended;
};
