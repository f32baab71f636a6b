import { reports } from '../../domain/reports/decide.js';
import { evidenceScope } from '../../domain/reports/events.js';
import type { Execute } from '../../kernel/execute.js';
import type { Vault } from '../../kernel/ports/vault.js';
import { reportsWithFilesBefore } from '../../projections/files/queries.js';
import type { Reads } from '../../projections/reading/queries.js';

/** Days of the log for which reports and their evidence can be opened. */
export const evidenceDaysMax = 180;

/** Days whose keys one look asks for: a process looks through all of them once, and from then on for the new ones. */
export const daysPerLookMax = 1_000;

/** Reports with files that end at one look. */
export const reportsPerLookMax = 1_000;

export type ReportKeysNeeds = {
  readonly vault: Pick<Vault, 'get' | 'destroy'>;
  readonly reads: Reads;
  readonly execute: Execute;
  /** Under what name the vault has the key of a scope. */
  readonly keyOf: (scope: string) => string;
  readonly today: () => number;
};

export interface ReportKeys {
  /**
   * Destroys the keys of reports that are older than `evidenceDaysMax`, and lets go of their files. One node at a time
   * needs to.
   */
  endKept(this: void, signal: AbortSignal): Promise<void>;
}

export const reportKeys = ({ vault, reads, execute, keyOf, today }: ReportKeysNeeds): ReportKeys => {
  // A vault that was restored may hold keys again that had been destroyed, so each process begins with the first day.
  let next = 0;
  const destroyKeys = async (before: number, signal: AbortSignal): Promise<void> => {
    const end = Math.min(before, next + daysPerLookMax);
    for (; next < end && !signal.aborted; next += 1) {
      const name = keyOf(evidenceScope(next));
      if ((await vault.get(name)) instanceof Uint8Array) await vault.destroy(name);
    }
  };
  const endReports = async (before: number, signal: AbortSignal): Promise<void> => {
    for (const { message, by } of await reportsWithFilesBefore(reads, before, reportsPerLookMax)) {
      if (signal.aborted) return;
      const commandId = `report-ended.${message.toString()}.${by.toString()}`;
      const cause = { commandId, correlationId: commandId };
      await execute(reports, { type: 'EndReport', data: { message, by } }, cause);
    }
  };
  return {
    endKept: async (signal) => {
      const before = today() - evidenceDaysMax;
      if (before <= 0) return;
      await destroyKeys(before, signal);
      await endReports(before, signal);
    },
  };
};
