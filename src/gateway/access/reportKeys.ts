import { evidenceScope } from '../../domain/reports/events.js';
import type { Vault } from '../../kernel/ports/vault.js';

/** Days of the log for which reports and their evidence can be opened. */
export const evidenceDaysMax = 180;

/** Days whose keys one look asks for: a process looks through all of them once, and from then on for the new ones. */
export const daysPerLookMax = 1_000;

export type ReportKeysNeeds = {
  readonly vault: Pick<Vault, 'get' | 'destroy'>;
  /** Under what name the vault has the key of a scope. */
  readonly keyOf: (scope: string) => string;
  readonly today: () => number;
};

export interface ReportKeys {
  /** Destroys the keys of reports that are older than `evidenceDaysMax`. One node at a time needs to. */
  endKept(this: void, signal: AbortSignal): Promise<void>;
}

export const reportKeys = ({ vault, keyOf, today }: ReportKeysNeeds): ReportKeys => {
  // A vault that was restored may hold keys again that had been destroyed, so each process begins with the first day.
  let next = 0;
  return {
    endKept: async (signal) => {
      const end = Math.min(today() - evidenceDaysMax, next + daysPerLookMax);
      for (; next < end && !signal.aborted; next += 1) {
        const name = keyOf(evidenceScope(next));
        if ((await vault.get(name)) instanceof Uint8Array) await vault.destroy(name);
      }
    },
  };
};
