import { isKnownTo, keysFor } from '../../adapters/sealer/openable.js';
import { lmdbReader, type LmdbReader } from '../../adapters/eventLog/lmdbReader.js';
import { BackupRefused } from '../../admin/backups.js';
import type { VerbCall } from '../../admin/verbCall.js';
import { boundedMap } from '../../kernel/boundedMap.js';
import { beforeAll, type Position } from '../../kernel/event.js';
import { DamagedRecord, type StoredEvent } from '../../kernel/ports/eventLog.js';
import type { Vault } from '../../kernel/ports/vault.js';
import { closedReader, pageEvents, type ClosedEvent } from '../deployment/sealedEvents.js';
import { seldom } from './progress.js';

export type LogCheck = {
  readonly events: number;
  /** Of the last event; 0 in an empty log. */
  readonly position: Position;
  /** Sealed values, each of the right form. */
  readonly sealed: number;
  /** The name of the deployment, unless the log is of before there were names. */
  readonly deployment: string | undefined;
};

export type LogCheckNeeds = {
  /** As a data folder has it. */
  readonly folder: string;
  /** Its keys have to open every sealed value. Absent: only the form of sealed values is looked at. */
  readonly vault: Pick<Vault, 'get'> | undefined;
  readonly call: VerbCall;
};

/** Reads the whole log. Throws `BackupRefused` at the first event that is damaged, and for values that do not open. */
export const checkLog = async ({ folder, vault, call }: LogCheckNeeds): Promise<LogCheck> => {
  const log = lmdbReader(folder);
  try {
    return await checked(log, vault === undefined ? undefined : cached(vault), call);
  } finally {
    await log.close();
  }
};

/** Keys that are remembered, so that each is unwrapped once and not for every event. Some 200 bytes each. */
const keysMax = 20_000;

const cached = ({ get }: Pick<Vault, 'get'>): Pick<Vault, 'get'> => {
  const keys = boundedMap<string, Uint8Array | 'destroyed'>({ entriesMax: keysMax });
  return {
    get: async (name) => {
      const key = keys.get(name) ?? (await get(name));
      if (key !== undefined) keys.set(name, key);
      return key;
    },
  };
};

const checked = async (log: LmdbReader, vault: Pick<Vault, 'get'> | undefined, call: VerbCall): Promise<LogCheck> => {
  const [read, tell] = [closedReader(), seldom(call.progress)];
  let [events, sealed, unopened] = [0, 0, 0];
  let position = beforeAll;
  let deployment: string | undefined;
  for (const page of pagesOf(log)) {
    if (call.signal.aborted) throw new BackupRefused('stopped');
    for (const event of page) {
      const closed = readOf(read, event);
      for (const [text, binding] of closed.sealed) {
        if (keysFor(text, binding).length === 0)
          throw damagedAt(event.position, 'its sealed value has not the form of one');
        if (vault !== undefined && !(await isKnownTo(vault, text, binding))) unopened += 1;
      }
      // Up to here keys were given up, so what does not open reads as erased.
      if (closed.recorded?.type === 'KeysGivenUp') unopened = 0;
      deployment = deploymentIn(closed) ?? deployment;
      events += 1;
      sealed += closed.sealed.length;
      position = event.position;
    }
    tell(() => `read ${events.toString()} events`);
  }
  if (unopened === 0) return { events, position, sealed, deployment };
  throw new BackupRefused(
    `${unopened.toString()} of ${sealed.toString()} sealed values of the log do not open under the keys of the vault`,
  );
};

const pagesOf = function* (log: LmdbReader): Generator<readonly StoredEvent[]> {
  for (let from = beforeAll; ;) {
    const page = pageOf(log, from);
    const last = page.at(-1);
    if (last === undefined) return;
    yield page;
    from = last.position;
  }
};

const pageOf = (log: LmdbReader, from: Position): readonly StoredEvent[] => {
  try {
    return log.readAll({ from, limit: pageEvents });
  } catch (error) {
    throw error instanceof DamagedRecord ? new BackupRefused(error.message, { cause: error }) : error;
  }
};

const readOf = (read: (event: StoredEvent) => ClosedEvent, event: StoredEvent): ClosedEvent => {
  try {
    return read(event);
  } catch (error) {
    throw damagedAt(event.position, error instanceof Error ? error.message : String(error));
  }
};

const damagedAt = (position: Position, why: string): BackupRefused =>
  new BackupRefused(`the event at position ${position.toString()} of the log is damaged: ${why}`);

const deploymentIn = ({ recorded }: ClosedEvent): string | undefined => {
  if (recorded?.type !== 'DeploymentNamed' && recorded?.type !== 'KeysGivenUp') return undefined;
  return (recorded.data as { readonly deployment: string }).deployment; // Both of these events have one.
};
