import type { SessionId } from '../../kernel/ids.js';
import { statedMillisMax, type StatedPresence } from '../../kernel/ports/presence.js';

/** Statements of sessions, in memory, each for `statedMillisMax` after it was last kept. */
export interface KeptStatements {
  /** `millis`: for how much longer, where it was kept before by another process. */
  keep(stated: StatedPresence, millis?: number): void;
  of(session: SessionId): StatedPresence | undefined;
  /** With the milliseconds that are left of each. */
  all(): Iterable<readonly [StatedPresence, number]>;
  clear(): void;
}

/** The statement kept first gives way when there are more. */
export const statementsMax = 100_000;

type Kept = { readonly stated: StatedPresence; readonly until: number };

/** `now` is in milliseconds of a monotonic clock. */
export const keptStatements = (now: () => number): KeptStatements => {
  // Nearly all are kept for the same time, so the first are mostly the ones that end first.
  const kept = new Map<SessionId, Kept>();
  const sweep = (): void => {
    for (const [session, { until }] of kept) {
      if (until > now() && kept.size <= statementsMax) return;
      kept.delete(session);
    }
  };
  const of = (session: SessionId): StatedPresence | undefined => {
    const found = kept.get(session);
    return found !== undefined && found.until > now() ? found.stated : undefined;
  };
  return {
    of,
    keep: (stated, millis = statedMillisMax) => {
      const before = of(stated.session);
      const newest = before !== undefined && before.at > stated.at ? before : stated;
      kept.delete(stated.session);
      kept.set(stated.session, { stated: newest, until: now() + millis });
      sweep();
    },
    *all() {
      for (const { stated, until } of kept.values()) if (until > now()) yield [stated, until - now()] as const;
    },
    clear: () => {
      kept.clear();
    },
  };
};
