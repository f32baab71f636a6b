import type { Timers } from '../../kernel/ports/leases.js';
import type { Caller } from '../contract/call.js';
import type { DayCount } from './dayCount.js';
import type { ReportKeys } from './reportKeys.js';
import type { SessionUses } from './sessionUses.js';

/** How often the day is looked at, and with it the sessions that were not used for long. */
export const sessionLookMillis = 3_600_000;

export type HourlyLookNeeds = {
  readonly days: Pick<DayCount, 'look' | 'count'>;
  readonly uses: Pick<SessionUses, 'noteConnected' | 'endUnused'>;
  /** Of reports that are kept no longer. */
  readonly reportKeys: ReportKeys;
  readonly timers: Pick<Timers, 'later'>;
  readonly connected: () => Iterable<{ readonly caller: Caller }>;
  /** A look was cut short; the next one makes up for it. */
  readonly failed: (error: unknown) => void;
};

/** The looks of a node at the sessions, and at the keys of old reports: every hour, and once more when it begins to lead. */
export interface HourlyLook {
  /** From here on this is the node, one at a time, that counts the days, ends sessions and destroys keys. Resolves after a look. */
  lead(this: void): Promise<void>;
  /** From here on another node is. */
  follow(this: void): void;
  /** Cuts a look short that is under way, and resolves when it has ended. */
  close(this: void): Promise<void>;
}

export const hourlyLook = ({ days, uses, reportKeys, timers, connected, failed }: HourlyLookNeeds): HourlyLook => {
  let leads = false;
  const closing = new AbortController();
  const { signal } = closing;
  let looking = Promise.resolve();
  let cancel = (): void => undefined;
  const lookOnce = async (): Promise<void> => {
    await (leads ? days.count() : days.look());
    // Those that are connected are noted first, so that none of them ends.
    await uses.noteConnected(connected(), signal);
    if (!leads) return;
    await uses.endUnused(signal);
    await reportKeys.endKept(signal);
  };
  const lookLater = (): void => {
    if (signal.aborted) return;
    cancel = timers.later(sessionLookMillis, () => void look());
  };
  const look = (): Promise<void> => {
    cancel();
    looking = looking.then(async () => {
      if (signal.aborted) return;
      await lookOnce().catch(failed);
      cancel();
      lookLater();
    });
    return looking;
  };
  lookLater();
  return {
    lead: () => {
      leads = true;
      return look();
    },
    follow: () => {
      leads = false;
    },
    close: () => {
      closing.abort();
      cancel();
      return looking;
    },
  };
};
